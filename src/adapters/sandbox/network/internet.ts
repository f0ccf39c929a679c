import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import PQueue from "p-queue";

/** The network outside: every name is looked up and every address connected to through this. */
export interface Internet {
  /** The addresses of a name; none when it has none. */
  lookup(name: string): Promise<string[]>;
  /** A connection to the first of these addresses that answers. Rejects when none does in time. */
  connect(addresses: string[], port: number): Promise<Socket>;
}

/** For a name, or for a connection. */
const PATIENCE_MS = 15_000;

/** The Internet as this machine sees it, without going through a proxy of the server's own. */
export function createInternet(): Internet {
  // A look-up holds one of libuv's few threads for them; the server's own must not wait for a job's.
  const lookups = new PQueue({ concurrency: 1 });

  async function resolve(name: string): Promise<string[]> {
    const found = await lookup(name, { all: true, order: "verbatim" }).catch(() => []);
    return found.map(({ address }) => address);
  }

  return {
    lookup: (name) => Promise.race([lookups.add(() => resolve(name)), nothingIn(PATIENCE_MS)]),
    connect: (addresses, port) =>
      new Promise((done, fail) => {
        const socket = connect({
          host: "name.invalid",
          port,
          allowHalfOpen: true,
          autoSelectFamily: true,
          // What was judged is what is connected to: nothing is looked up a second time.
          lookup: (_name, _options, answer) =>
            answer(
              null,
              addresses.map((address) => ({ address, family: isIP(address) })),
            ),
        });
        const timer = setTimeout(
          () => socket.destroy(new Error("the connection was not answered")),
          PATIENCE_MS,
        );
        socket.once("error", fail);
        socket.once("close", () => clearTimeout(timer));
        socket.once("connect", () => {
          clearTimeout(timer);
          socket.off("error", fail);
          done(socket);
        });
      }),
  };
}

function nothingIn(ms: number): Promise<string[]> {
  return new Promise((done) => setTimeout(() => done([]), ms).unref());
}
