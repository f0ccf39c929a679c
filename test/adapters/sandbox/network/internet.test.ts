import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { createInternet } from "../../../../src/adapters/sandbox/network/internet.ts";

it("connects to the addresses it is given, the first that answers, and looks nothing up for it", async () => {
  const server = createServer((client: Socket) => {
    client.on("error", () => client.destroy());
    client.end("here\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const internet = createInternet();
  const socket = await internet.connect(["127.0.0.2", "127.0.0.1"], port);
  expect(socket.remoteAddress).toBe("127.0.0.1");
  socket.destroy();
  server.close();
  await expect(internet.connect(["127.0.0.1"], port)).rejects.toThrow("ECONNREFUSED");
});

it("knows the names that this machine knows, and has nothing for the others", async () => {
  const internet = createInternet();
  expect(await internet.lookup("localhost")).toContain("127.0.0.1");
  expect(await internet.lookup("nobody.invalid")).toEqual([]);
});
