import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { plainDomain } from "../../../core/domains.ts";
import { readHello } from "./client-hello.ts";
import type { Outlet } from "./outlet.ts";

/** How long a client may take to say hello, and in how many pieces. */
const HELLO_MS = 15_000;
const HELLO_PIECES = 200;

/**
 * Joins a client to an upstream it asked for by `name`, once it has said hello in TLS to that name and
 * no other: many servers stand behind one address, and the client's word decides which one answers.
 */
export async function tunnel(
  client: Duplex,
  upstream: Socket,
  name: string,
  outlet: Outlet,
): Promise<void> {
  upstream.on("error", () => client.destroy());
  // Who left while we connected closes no second time.
  if (client.destroyed) return void upstream.destroy();
  client.on("close", () => upstream.destroy());
  // A side that ended lets the other finish; a side that broke takes the other with it.
  upstream.on("close", () => !upstream.readableEnded && client.destroy());
  const said = await hello(client);
  if (said === null || client.destroyed) {
    client.destroy();
    return;
  }
  if (plainDomain(said.name) !== name) {
    outlet.deny(said.name, 443);
    client.destroy();
    return;
  }
  upstream.write(said.bytes);
  client.pipe(upstream);
  upstream.pipe(client);
}

/** The ClientHello with which a connection begins; null when it begins otherwise, or not in time. */
function hello(client: Duplex): Promise<{ name: string; bytes: Buffer } | null> {
  return new Promise((done) => {
    let bytes = Buffer.alloc(0);
    let pieces = 0;
    const finish = (result: { name: string; bytes: Buffer } | null) => {
      clearTimeout(timer);
      client.off("readable", read);
      client.off("end", giveUp);
      client.off("close", giveUp);
      done(result);
    };
    const giveUp = () => finish(null);
    const timer = setTimeout(giveUp, HELLO_MS);
    function read(): void {
      for (let chunk = client.read(); chunk !== null; chunk = client.read()) {
        bytes = Buffer.concat([bytes, chunk]);
      }
      if (bytes.length === 0) return;
      const said = readHello(bytes);
      pieces += 1;
      if (said.status === "named") finish({ name: said.name, bytes });
      else if (said.status === "other" || pieces > HELLO_PIECES) finish(null);
    }
    client.on("readable", read);
    client.once("end", giveUp);
    client.once("close", giveUp);
    read();
  });
}
