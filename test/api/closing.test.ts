import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { serve } from "../../src/api/server.ts";
import { silentLog } from "../support/log.ts";

const now = () => Date.now();

/** A server that says how much it got, and a connection on which a request has begun. */
async function begin(): Promise<{ socket: Socket; close: () => Promise<void> }> {
  const begun = Promise.withResolvers<void>();
  const { port, close } = await serve(
    {
      "/": {
        POST: async (request) => {
          begun.resolve();
          return new Response(`${(await buffer(request)).length} bytes`);
        },
      },
    },
    { host: "127.0.0.1", port: 0, proxies: 0, now, log: silentLog },
  );
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write("POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 10\r\n\r\n12345");
  await begun.promise;
  return { socket, close };
}

test("a request whose body is under way when the server closes is answered when the rest comes", async () => {
  const { socket, close } = await begin();
  const closed = close();
  socket.write("67890");
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 [\s\S]*10 bytes/);
  await closed;
});

test("one that never comes whole does not keep the server", async () => {
  const { socket, close } = await begin();
  socket.on("error", () => socket.destroy());
  socket.resume();
  await close();
});
