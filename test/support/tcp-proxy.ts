import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A way to a server that can be cut, or go silent without a word, as a network does. */
export interface TcpProxy {
  port: number;
  /** Breaks all connections and takes no new ones. */
  cut(): void;
  /** Carries nothing any more and says nothing: connections stay open, new ones too. */
  silence(): void;
  /** Carries again; connections from before stay as they are. */
  mend(): void;
  close(): Promise<void>;
}

/** Starts a proxy on 127.0.0.1 to a port there. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  let way: "open" | "cut" | "silent" = "open";
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    // What breaks is what is tried here.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    if (way === "cut") return near.destroy();
    if (way === "silent") return near.pause();
    const far = connect(target, "127.0.0.1");
    keep(far);
    near.pipe(far);
    far.pipe(near);
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    cut() {
      way = "cut";
      for (const socket of sockets) socket.destroy();
    },
    silence() {
      way = "silent";
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend() {
      way = "open";
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
