import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, open, readdir, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import path from "node:path";
import { isAlive } from "../is-alive.ts";
import type { SandboxUser } from "../toolchain.ts";
import { createEntrance, type Seat } from "./entrance.ts";
import type { Internet } from "./internet.ts";
import { createOutlet } from "./outlet.ts";
import { RELAY_URL } from "./relay.ts";

/** How long what a command said at its very end is still listened to. */
const AFTERWARDS_MS = 250;

/** A way out that is open for one command. */
export interface OpenOutlet {
  /** Host path of the socket that is this command's alone; null where all share a port. */
  socket: string | null;
  /** The proxy as programs of the command are told of it. */
  url: string;
  /** Ends it; what was refused, as `host:port`. */
  close(): Promise<string[]>;
}

/** The one way out of the sandbox: an HTTP and SOCKS5 proxy in this process. */
export interface NetworkProxy {
  /** Opens a way to `allowed`, domains that are fit for it. `user` runs the command; null: as the server. */
  open(allowed: readonly string[], user: SandboxUser | null): Promise<OpenOutlet>;
  close(): Promise<void>;
}

/**
 * A proxy with a Unix socket per command, in a directory of its own below `dir`: who connects there is
 * that command, whatever it says of itself.
 */
export async function createSocketProxy(dir: string, internet: Internet): Promise<NetworkProxy> {
  await mkdir(dir, { recursive: true });
  await sweep(dir);
  const own = await mkdtemp(path.join(dir, `outlets-${process.pid}-`));
  await chmod(own, 0o711);
  // An address of a socket holds 107 bytes, and the path to a data directory may be longer.
  const handle = await open(own);
  const entrance = createEntrance();
  return {
    async open(allowed, user) {
      const seat: Seat = { outlet: createOutlet(allowed, internet), clients: new Set() };
      const name = randomBytes(8).toString("hex");
      const socket = path.join(own, name);
      const server = await listening((client) => entrance.enter(client, seat), {
        path: `/proc/self/fd/${handle.fd}/${name}`,
      });
      await chmod(socket, 0o600);
      if (user !== null) await chown(socket, user.uid, user.gid);
      return {
        socket,
        url: RELAY_URL,
        async close() {
          server.close();
          await leave(seat);
          await rm(socket, { force: true });
          return seat.outlet.denied();
        },
      };
    },
    async close() {
      await handle.close();
      await rm(own, { recursive: true, force: true });
    },
  };
}

/** A proxy with one port on loopback for all commands, each of which names itself by a secret. */
export async function createPortProxy(
  internet: Internet,
): Promise<NetworkProxy & { port: number }> {
  const entrance = createEntrance();
  const server = await listening((client) => entrance.enter(client, null), {
    host: "127.0.0.1",
    port: 0,
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    port: address.port,
    async open(allowed) {
      const seat: Seat = { outlet: createOutlet(allowed, internet), clients: new Set() };
      const user = randomBytes(24).toString("hex");
      entrance.known.set(user, seat);
      return {
        socket: null,
        url: `http://${user}@127.0.0.1:${address.port}`,
        async close() {
          entrance.known.delete(user);
          await leave(seat);
          return seat.outlet.denied();
        },
      };
    },
    async close() {
      server.close();
    },
  };
}

/** Removes the directories of servers that were killed. */
async function sweep(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const [, pid] = /^outlets-(\d+)-/.exec(name) ?? [];
    if (pid && !isAlive(Number(pid))) await rm(path.join(dir, name), { recursive: true });
  }
}

async function listening(
  enter: (client: Socket) => void,
  where: { path: string } | { host: string; port: number },
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, enter);
  server.listen(where);
  await once(server, "listening");
  return server;
}

/** Ends the connections of a command that has ended, once what was on its way has been read. */
async function leave({ clients, outlet }: Seat): Promise<void> {
  if (clients.size > 0) {
    const closed = [...clients].map((client) => new Promise((done) => client.once("close", done)));
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, AFTERWARDS_MS);
    await Promise.race([Promise.all(closed), late.promise]);
    clearTimeout(timer);
  }
  for (const client of clients) client.destroy();
  outlet.end();
}
