import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";

/** Open connections of one address. */
const MOST_OF_ONE = 256;
const MOST = 1024;

/** The connections of a server. */
export interface Connections {
  /** Ends a connection after `last` words, or after the answers that are on their way. */
  end(socket: Socket, last: string): void;
}

interface Connection {
  address: string;
  /** Requests that came on it and have no answer yet. */
  requests: Set<IncomingMessage>;
  ending: boolean;
}

/**
 * Bounds the connections of a server, and those of one address. A new one takes the place of the one
 * that has kept the server waiting longest, for a request or the rest of one: so whoever holds many
 * connections open shuts nobody out. Behind proxies all come from one address, and only the sum counts.
 */
export function boundConnections(
  server: Server,
  options: { proxies: number; addressOf: (socket: Socket) => string },
): Connections {
  /** The one that was answered last stands last. */
  const open = new Map<Socket, Connection>();

  function makeRoom(address: string): boolean {
    const own = [...open.values()].filter((each) => each.address === address).length;
    const crowded = options.proxies === 0 && own >= MOST_OF_ONE;
    if (!crowded && open.size < MOST) return true;
    for (const [socket, each] of open) {
      if (crowded && each.address !== address) continue;
      if ([...each.requests].some((request) => request.complete)) continue;
      open.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  server.on("connection", (socket: Socket) => {
    const address = options.addressOf(socket);
    if (!makeRoom(address)) {
      socket.destroy();
      return;
    }
    open.set(socket, { address, requests: new Set(), ending: false });
    socket.once("close", () => open.delete(socket));
  });
  for (const event of ["request", "checkContinue"] as const) {
    server.on(event, (request, response) => {
      const { socket } = request;
      const connection = open.get(socket);
      connection?.requests.add(request);
      response.once("close", () => {
        if (connection === undefined || !open.has(socket)) return;
        connection.requests.delete(request);
        open.delete(socket);
        open.set(socket, connection);
        if (connection.ending && connection.requests.size === 0) socket.destroySoon();
      });
    });
  }
  return {
    end(socket, last) {
      const connection = open.get(socket);
      if (connection && connection.requests.size > 0) {
        connection.ending = true;
        return;
      }
      if (socket.writable) socket.write(last);
      socket.destroySoon();
    },
  };
}
