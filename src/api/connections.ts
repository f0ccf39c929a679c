import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Open connections of one address. */
const MOST_OF_ONE = 256;
const MOST = 1024;

/** The connections of a server. */
export interface Connections {
  /** Ends a connection after `last` words, or after the answers that are on their way. */
  end(socket: Socket, last: string): void;
}

/**
 * Bounds the connections of a server: one address gets a share, and when all are taken the one that
 * has said nothing for longest makes room. Behind proxies all come from one address: then the share is
 * the proxies' affair.
 */
export function boundConnections(
  server: Server,
  options: { proxies: number; addressOf: (socket: Socket) => string },
): Connections {
  const perAddress = new Map<string, number>();
  const open = new Set<Socket>();
  /** Those that wait for a request, the longest waiting first. */
  const waiting = new Set<Socket>();
  const requests = new WeakMap<Socket, number>();
  const ending = new WeakSet<Socket>();

  server.on("connection", (socket: Socket) => {
    const address = options.addressOf(socket);
    const count = perAddress.get(address) ?? 0;
    if (options.proxies === 0 && count >= MOST_OF_ONE) {
      socket.destroy();
      return;
    }
    if (open.size >= MOST) {
      const [quietest] = waiting;
      (quietest ?? socket).destroy();
      if (quietest === undefined) return;
    }
    perAddress.set(address, count + 1);
    open.add(socket);
    waiting.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      waiting.delete(socket);
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    });
  });
  for (const event of ["request", "checkContinue"] as const) {
    server.on(event, ({ socket }, response) => {
      requests.set(socket, (requests.get(socket) ?? 0) + 1);
      waiting.delete(socket);
      response.once("close", () => {
        const left = (requests.get(socket) ?? 1) - 1;
        requests.set(socket, left);
        if (left > 0 || !open.has(socket)) return;
        waiting.add(socket);
        if (ending.has(socket)) socket.destroySoon();
      });
    });
  }
  return {
    end(socket, last) {
      ending.add(socket);
      if ((requests.get(socket) ?? 0) > 0) return;
      if (socket.writable) socket.write(last);
      socket.destroySoon();
    },
  };
}
