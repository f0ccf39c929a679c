import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";

/** Open connections of one address. */
const MOST_OF_ONE = 256;
const MOST = 1024;
/** How long a connection may wait before another of its address takes its place, in ms. */
const PATIENCE_MS = 2000;
/** How long the rest of a request may take when the server ends, in ms. */
const REST_MS = 2000;

/** The connections of a server. */
export interface Connections {
  /** Ends a connection after `last` words, or after the answers that are on their way. */
  end(socket: Socket, last: string): void;
  /**
   * Ends all that wait for a request, and the others after their answers; what a request still lacks has
   * two seconds to come.
   */
  endWaiting(): void;
}

interface Connection {
  address: string;
  /** Requests that came on it and have no answer yet. */
  requests: Set<IncomingMessage>;
  /** Since when it has kept the server waiting, in ms since the epoch. */
  since: number;
  ending: boolean;
}

/**
 * Bounds the connections of a server, and those of one address. Beyond that, a new one takes the place
 * of the one that has kept the server waiting longest, for a request or the rest of one: so whoever
 * holds many connections open shuts nobody out. Behind proxies all come from one address, and only the
 * sum counts.
 */
export function boundConnections(
  server: Server,
  options: { proxies: number; addressOf: (socket: Socket) => string; now: () => number },
): Connections {
  const { proxies, now } = options;
  /** The one that was answered last stands last. */
  const open = new Map<Socket, Connection>();

  function makeRoom(address: string): boolean {
    const own = [...open.values()].filter((each) => each.address === address).length;
    const full = open.size >= MOST;
    if (!full && (proxies > 0 || own < MOST_OF_ONE)) return true;
    for (const [socket, each] of open) {
      if ([...each.requests].some((request) => request.complete)) continue;
      if (!full && (each.address !== address || now() - each.since < PATIENCE_MS)) continue;
      open.delete(socket);
      socket.destroy();
      return true;
    }
    return !full;
  }

  server.on("connection", (socket: Socket) => {
    const address = options.addressOf(socket);
    if (!makeRoom(address)) {
      socket.destroy();
      return;
    }
    open.set(socket, { address, requests: new Set(), since: now(), ending: false });
    socket.once("close", () => open.delete(socket));
  });
  for (const event of ["request", "checkContinue", "checkExpectation"] as const) {
    server.on(event, (request, response) => {
      const { socket } = request;
      const connection = open.get(socket);
      connection?.requests.add(request);
      response.once("close", () => {
        if (connection === undefined || !open.has(socket)) return;
        connection.requests.delete(request);
        connection.since = now();
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
    endWaiting() {
      for (const [socket, connection] of open) {
        if (connection.requests.size > 0) connection.ending = true;
        else socket.destroySoon();
      }
      const rest = () => {
        for (const [socket, { requests }] of open) {
          if (![...requests].some((request) => request.complete)) socket.destroySoon();
        }
      };
      setTimeout(rest, REST_MS).unref();
    },
  };
}
