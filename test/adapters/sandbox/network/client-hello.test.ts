import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readHello } from "../../../../src/adapters/sandbox/network/client-hello.ts";
import { helloTo } from "../../../support/internet.ts";

const u16 = (n: number) => Buffer.from([n >> 8, n & 255]);
const sized = (body: Buffer) => Buffer.concat([u16(body.length), body]);

/** A server_name extension with these entries: kind of name, name. */
function serverName(...entries: [number, string][]): Buffer {
  const list = entries.map(([kind, name]) =>
    Buffer.concat([Buffer.from([kind]), sized(Buffer.from(name))]),
  );
  return Buffer.concat([u16(0), sized(sized(Buffer.concat(list)))]);
}

/** A ClientHello with these extensions, in records of at most `size` bytes. */
function hello(extensions: Buffer[], size = 16_384): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    randomBytes(32),
    Buffer.from([0]),
    sized(Buffer.from([0x13, 0x01])),
    Buffer.from([1, 0]),
    sized(Buffer.concat(extensions)),
  ]);
  const message = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    records.push(Buffer.from([22, 3, 1]), sized(message.subarray(at, at + size)));
  }
  return Buffer.concat(records);
}

describe("the name a TLS client asks for", () => {
  it("is read from what a real client sends, and from no part of it", async () => {
    const bytes = await helloTo("a.example.org");
    expect(readHello(bytes)).toEqual({ status: "named", name: "a.example.org" });
    for (let length = 0; length < bytes.length; length += 7) {
      expect(readHello(bytes.subarray(0, length))).toEqual({ status: "partial" });
    }
    expect(readHello(Buffer.concat([bytes, Buffer.from("early data")])).status).toBe("named");
  });

  it("is read across records", () => {
    const name = serverName([0, "a.example.org"]);
    expect(readHello(hello([name], 11))).toEqual({ status: "named", name: "a.example.org" });
  });

  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ["is missing", () => helloTo(null)],
    ["is there twice", () => hello([serverName([0, "a.example.org"], [0, "b.example.org"])])],
    ["has a second extension", () => hello([serverName([0, "a"]), serverName([0, "b"])])],
    ["is empty", () => hello([serverName([0, ""])])],
    ["is of another kind", () => hello([serverName([1, "a.example.org"])])],
    ["is an empty list", () => hello([serverName()])],
    ["is longer than its list", () => hello([Buffer.concat([u16(0), sized(u16(400))])])],
    ["comes in plain text", () => Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["comes in another protocol", () => Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")],
    ["comes in an alert", () => Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ["comes after a server's hello", () => Buffer.from([22, 3, 3, 0, 4, 2, 0, 0, 0])],
    ["comes in a hello of a megabyte", () => Buffer.from([22, 3, 1, 0, 4, 1, 16, 0, 0])],
    ["comes in empty records", () => Buffer.concat(Array(100).fill(Buffer.from([22, 3, 1, 0, 0])))],
    ["comes in one byte each", () => hello([serverName([0, "a.example.org"])], 1)],
  ])("is refused when it %s", async (_what, bytes) => {
    expect(readHello(await bytes())).toEqual({ status: "other" });
  });

  it("is refused in any hello that was damaged, or is another", () => {
    const whole = hello([serverName([0, "a.example.org"])]);
    for (let at = 5; at < whole.length; at += 1) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      const said = readHello(damaged);
      if (said.status === "named") expect(said.name).toHaveLength(13);
    }
  });
});
