import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createHttpSide } from "./http-side.ts";
import type { Outlet } from "./outlet.ts";
import { serveSocks } from "./socks-side.ts";

/** Connections of one command at a time; what comes beyond is dropped. */
const MAX_CLIENTS = 256;
/** How long a connection may say nothing at its start. */
const FIRST_BYTE_MS = 15_000;
const SOCKS5 = 5;

/** A command at the proxy: its way out, and the connections it holds. */
export interface Seat {
  outlet: Outlet;
  clients: Set<Duplex>;
}

/** Takes connections in and finds out which protocol each speaks. */
export interface Entrance {
  /** A connection of a seat; of whoever names himself when it is null. */
  enter(client: Socket, seat: Seat | null): void;
  /** Seats by the secret user name with which a connection can name itself. */
  known: Map<string, Seat>;
}

/** The place where clients of the sandbox arrive, by whatever listener. */
export function createEntrance(): Entrance {
  const known = new Map<string, Seat>();
  const seats = new WeakMap<Duplex, Seat>();

  function sit(client: Duplex, seat: Seat): boolean {
    if (seat.clients.size >= MAX_CLIENTS) return false;
    seats.set(client, seat);
    seat.clients.add(client);
    client.once("close", () => seat.clients.delete(client));
    return true;
  }
  function outletOf(client: Duplex, user: string | undefined): Outlet | null {
    const seat = seats.get(client);
    if (seat) return seat.outlet;
    const named = known.get(user ?? "");
    return named && sit(client, named) ? named.outlet : null;
  }
  const http = createHttpSide((client, credentials) => outletOf(client, userIn(credentials)));
  const socks = { outletOf, serveHttp: http.serve };

  return {
    known,
    enter(client, seat) {
      client.on("error", () => client.destroy());
      if (seat !== null && !sit(client, seat)) {
        client.destroy();
        return;
      }
      const timer = setTimeout(() => client.destroy(), FIRST_BYTE_MS);
      client.once("close", () => clearTimeout(timer));
      client.once("readable", () => {
        clearTimeout(timer);
        const first: Buffer | null = client.read(1);
        if (first === null) return void client.destroy();
        client.unshift(first);
        if (first[0] === SOCKS5) serveSocks(client, socks).catch(() => client.destroy());
        else http.emit("connection", client);
      });
    },
  };
}

/** The user of a Proxy-Authorization header. */
function userIn(credentials: string | undefined): string | undefined {
  const [, basic] = /^basic ([a-z0-9+/=]+)$/i.exec(credentials ?? "") ?? [];
  return basic && Buffer.from(basic, "base64").toString("latin1").split(":")[0];
}
