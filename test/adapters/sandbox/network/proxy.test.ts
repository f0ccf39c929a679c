import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createPortProxy,
  createSocketProxy,
  type NetworkProxy,
  type OpenOutlet,
} from "../../../../src/adapters/sandbox/network/proxy.ts";
import { helloTo, type InternetStandIn, PUBLIC, startInternet } from "../../../support/internet.ts";

const ALLOWED = ["a.example.org", "*.example.net"];

let dir: string;
let internet: InternetStandIn;
let proxy: NetworkProxy;
let outlet: OpenOutlet;

beforeAll(async () => {
  // Longer than the address of a socket may be.
  dir = path.join(await mkdtemp(path.join(tmpdir(), "draftsmith-proxy-")), "d".repeat(120));
  internet = await startInternet();
  proxy = await createSocketProxy(dir, internet);
});
beforeEach(async () => {
  internet.forget();
  outlet = await proxy.open(ALLOWED, null);
});
afterEach(() => outlet.close());
afterAll(async () => {
  await proxy.close();
  await internet.close();
  await rm(path.dirname(dir), { recursive: true });
});

function dial(): Socket {
  const name = path.basename(outlet.socket ?? "");
  const at = path.basename(path.dirname(outlet.socket ?? ""));
  const cwd = process.cwd();
  // The way a mount goes: not by the long path.
  process.chdir(path.join(dir, at));
  const client = connect({ path: name, allowHalfOpen: true });
  process.chdir(cwd);
  client.on("error", () => client.destroy());
  return client;
}

/** What comes back for these bytes until the other side ends. */
async function talk(...parts: (string | Buffer)[]): Promise<string> {
  return (await exchange(dial(), parts)).toString("latin1");
}

async function exchange(client: Socket, parts: (string | Buffer)[], end = false): Promise<Buffer> {
  const answer = buffer(client).catch(() => Buffer.from("(reset)"));
  for (const part of parts) {
    client.write(part);
    await new Promise((done) => setImmediate(done));
  }
  if (end) client.end();
  const bytes = await answer;
  client.end();
  return bytes;
}

/** The same where the client has no more to say: the other side would wait for it. */
async function tell(...parts: (string | Buffer)[]): Promise<string> {
  return (await exchange(dial(), parts, true)).toString("latin1");
}

const hex = async (...parts: (string | Buffer)[]) =>
  (await exchange(dial(), parts)).toString("hex");

const get = (url: string, ...lines: string[]) =>
  `${[`GET ${url} HTTP/1.1`, "Host: whatever.example", "Connection: close", ...lines].join("\r\n")}\r\n\r\n`;
const tunnelTo = (target: string) => `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`;
const byName = (name: string | Buffer, port: number, command = 1) =>
  Buffer.concat([
    Buffer.from([5, 1, 0, 5, command, 0, 3, Buffer.byteLength(name)]),
    Buffer.from(name),
    Buffer.from([port >> 8, port & 255]),
  ]);

describe("plain HTTP", () => {
  it("goes to the host of the URL, whatever the Host header says, without what is the proxy's", async () => {
    let headers: object = {};
    internet.answer = (request, response) => {
      headers = request.headers;
      response.writeHead(201, { "X-From": "outside", "Proxy-Authenticate": "Basic" });
      response.end("made\n");
    };
    const answer = await talk(
      get(
        "http://A.Example.ORG./x%2fy?q=%2e#z",
        "Proxy-Authorization: Basic c2VjcmV0",
        "Connection: x-drop",
        "X-Drop: 1",
        "X-Keep: 2",
      ),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
    expect(answer).toContain("X-From: outside");
    expect(answer).not.toMatch(/proxy-authenticate/i);
    expect(internet.requests).toEqual(["GET a.example.org /x%2fy?q=%2e"]);
    expect(headers).toEqual({ host: "a.example.org", "x-keep": "2", connection: "close" });
  });

  it("carries large bodies both ways, unchanged", async () => {
    const sent = randomBytes(3_000_000).toString("base64");
    internet.answer = (_, response) => response.end(sent);
    const head = `POST http://x.example.net/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${sent.length}\r\nConnection: close\r\n\r\n`;
    const answer = await talk(head, sent);
    expect(answer.includes(sent.slice(-5000))).toBe(true);
    expect(internet.requests).toEqual([`POST x.example.net / ${sent}`]);
  });

  it("judges each request of one connection", async () => {
    const keep = (url: string) => `GET ${url} HTTP/1.1\r\nHost: a.example.org\r\n\r\n`;
    const answer = await talk(keep("http://a.example.org/1"), get("http://evil.example.com/2"));
    expect(answer.match(/HTTP\/1\.1 (\d+)/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 403"]);
    expect(internet.requests).toEqual(["GET a.example.org /1"]);
    expect(await outlet.close()).toEqual(["evil.example.com:80"]);
  });

  it.each([
    ["a body of a GET in chunks", "GET", ["Transfer-Encoding: chunked"]],
    ["a length and chunks", "POST", ["Transfer-Encoding: chunked", "Content-Length: 5"]],
    ["two lengths", "POST", ["Content-Length: 5", "Content-Length: 60"]],
    ["chunks in disguise", "POST", ["Transfer-Encoding : chunked", "Content-Length: 60"]],
  ])("makes no second request of %s", async (_what, method, lines) => {
    const inner = "GET /smuggled HTTP/1.1\r\nHost: evil.example.com\r\n\r\n";
    const chunked = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
    await talk(
      `${[`${method} http://a.example.org/ HTTP/1.1`, "Host: a.example.org", ...lines, "Connection: close"].join("\r\n")}\r\n\r\n${chunked}`,
    );
    expect(internet.requests.filter((each) => /^\w+ \S+ \/smuggled/.test(each))).toEqual([]);
    expect(internet.requests.length).toBeLessThanOrEqual(1);
  });

  it.each([
    "/origin-form",
    "https://a.example.org/",
    "ftp://a.example.org/",
    "http://user@a.example.org/",
    "http://a.example.org:443/",
    "http://",
    "*",
  ])("is refused for %s", async (url) => {
    expect(await talk(get(url))).toMatch(/^HTTP\/1\.1 400 /);
    expect(internet.connected).toEqual([]);
  });

  it("says so when the other side breaks off or sends what is no answer", async () => {
    internet.answer = (_, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("half", () => response.destroy());
    };
    expect(await talk(get("http://a.example.org/"))).toMatch(/half$|\(reset\)/);
    internet.answer = (request) => request.socket.end("HTTP/1.1 200 OK\r\nBad Header\0: x\r\n\r\n");
    expect(await talk(get("http://a.example.org/"))).toMatch(/^HTTP\/1\.1 502 /);
    internet.answer = (request) => request.socket.end("HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n");
    expect(await talk(get("http://a.example.org/"))).toMatch(/^HTTP\/1\.1 502 /);
  });
});

describe("a tunnel", () => {
  it("carries TLS to the name it was opened for, each direction to its own end", async () => {
    const hello = await helloTo("a.example.org");
    const answer = await tell(Buffer.concat([Buffer.from(tunnelTo("a.example.org:443")), hello]));
    expect(answer).toBe("HTTP/1.1 200 Connection Established\r\n\r\nwelcome\ngoodbye\n");
    expect(internet.bytes).toEqual(hello);
    expect(internet.connected).toEqual([`${PUBLIC}:443`]);
    expect(await outlet.close()).toEqual([]);
  });

  it("carries it in whatever pieces it comes", async () => {
    const hello = await helloTo("deep.x.example.net");
    const all = Buffer.concat([Buffer.from(tunnelTo("deep.x.example.net:443")), hello]);
    const pieces = Array.from({ length: Math.ceil(all.length / 97) }, (_, at) =>
      all.subarray(at * 97, (at + 1) * 97),
    );
    expect(await tell(...pieces)).toMatch(/welcome/);
    expect(internet.bytes).toEqual(hello);
  });

  it.each<[string, () => Promise<Buffer> | Buffer, string[]]>([
    ["another name", () => helloTo("evil.example.com"), ["evil.example.com:443"]],
    ["another allowed name", () => helloTo("b.example.net"), ["b.example.net:443"]],
    ["no name", () => helloTo(null), []],
    ["no TLS", () => Buffer.from("GET / HTTP/1.1\r\nHost: evil.example.com\r\n\r\n"), []],
  ])("carries nothing for %s", async (_what, said, denied) => {
    const answer = await talk(tunnelTo("a.example.org:443"), await said());
    expect(answer).not.toContain("welcome");
    expect(internet.bytes).toHaveLength(0);
    expect(await outlet.close()).toEqual(denied);
  });

  it("to port 80 carries requests to the host they name, and judges it", async () => {
    const inside = (host: string) => `GET /in HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const answer = await talk(
      tunnelTo("a.example.org:80"),
      inside("a.example.org"),
      inside("evil.example.com"),
    );
    expect(answer.match(/HTTP\/1\.1 (\d+)/g)).toEqual([
      "HTTP/1.1 200",
      "HTTP/1.1 200",
      "HTTP/1.1 403",
    ]);
    expect(internet.requests).toEqual(["GET a.example.org /in"]);
    expect(await outlet.close()).toEqual(["evil.example.com:80"]);
  });

  it("is no way to a tunnel in a tunnel", async () => {
    const answer = await talk(tunnelTo("a.example.org:80"), tunnelTo("a.example.org:443"));
    expect(answer).toMatch(/ 200 .* 400 /s);
    expect(internet.connected).toEqual([]);
  });
});

describe("SOCKS5", () => {
  it("leads to names, with or without a user", async () => {
    const hello = await helloTo("a.example.org");
    expect(await tell(byName("a.example.org", 443), hello)).toMatch(/welcome/);
    const request = byName("a.example.org", 443).subarray(3);
    const user = Buffer.from([5, 1, 2, 1, 1, 120, 1, 121]);
    expect(await tell(Buffer.concat([user, request]), hello)).toMatch(/welcome/);
    const web = await talk(
      byName("a.example.org", 80),
      get("/", "X: 1").replace("whatever.example", "a.example.org"),
    );
    expect(web).toMatch(/hello\n$/);
  });

  it.each<[string, Buffer, string[]]>([
    ["a name with a NUL", byName("evil.com\0.example.net", 443), ["evil.com?.example.net:443"]],
    [
      "a name with a line end",
      byName("evil.com\r\n.example.net", 80),
      ["evil.com??.example.net:80"],
    ],
    ["bytes that are no text", byName(Buffer.from([0xff, 0xfe, 0x2e]), 80), ["??:80"]],
    ["an IPv4 address", Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80]), ["127.0.0.1:80"]],
    [
      "an IPv6 address",
      Buffer.concat([
        Buffer.from([5, 1, 0, 5, 1, 0, 4]),
        Buffer.alloc(15),
        Buffer.from([1, 0, 80]),
      ]),
      ["[::1]:80"],
    ],
    ["an address as a name", byName("2130706433", 80), ["127.0.0.1:80"]],
    ["another port", byName("a.example.org", 22), ["a.example.org:22"]],
  ])("refuses %s, and names it", async (_what, bytes, denied) => {
    expect(await hex(bytes)).toBe("050005020001000000000000");
    expect([internet.looked, internet.connected]).toEqual([[], []]);
    expect(await outlet.close()).toEqual(denied);
  });

  it.each([2, 3])(
    "knows no command %i: it neither listens nor sends datagrams",
    async (command) => {
      expect(await hex(byName("a.example.org", 443, command))).toMatch(/^05000507/);
    },
  );
});

describe("what a name leads to", () => {
  it("is not asked of any resolver before the name is allowed", async () => {
    await talk(get("http://c2VjcmV0.evil.example.com/"));
    await talk(tunnelTo("c2VjcmV0.evil.example.com:443"));
    await talk(byName("c2VjcmV0.evil.example.com", 443));
    await talk(tunnelTo("example.net:443"));
    expect(internet.looked).toEqual([]);
    expect(await outlet.close()).toEqual([
      "c2vjcmv0.evil.example.com:443",
      "c2vjcmv0.evil.example.com:80",
      "example.net:443",
    ]);
  });

  it.each([
    ...["127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "::1", "::ffff:127.0.0.1"],
    ...["64:ff9b::127.0.0.1", "2002:7f00:1::", "fd00:ec2::254"],
  ])("stays closed when it is %s", async (address) => {
    internet.answers.set("a.example.org", [[address]]);
    expect(await talk(get("http://a.example.org/"))).toMatch(/^HTTP\/1\.1 403 .*not a public one/s);
    expect(await talk(tunnelTo("a.example.org:443"))).toMatch(/^HTTP\/1\.1 403 /);
    expect(internet.connected).toEqual([]);
    expect(await outlet.close()).toEqual(["a.example.org:443", "a.example.org:80"]);
  });

  it("is what was judged: of several addresses the public ones, and no second answer", async () => {
    internet.answers.set("a.example.org", [["127.0.0.1", PUBLIC, "10.0.0.1"], ["127.0.0.1"]]);
    expect(await talk(get("http://a.example.org/"))).toMatch(/hello/);
    expect(internet.connected).toEqual([`${PUBLIC}:80`]);
    expect(internet.looked).toEqual(["a.example.org"]);
    expect(await talk(get("http://a.example.org/"))).toMatch(/^HTTP\/1\.1 403 /);
    expect(internet.connected).toHaveLength(1);
  });

  it("is asked for one name at a time, once for all who wait for it", async () => {
    const answers = new Map<string, (addresses: string[]) => void>();
    const lookup = internet.lookup;
    internet.lookup = (name) => new Promise((done) => answers.set(name, done));
    const waiting = ["a.example.org", "a.example.org", "b.example.net"].map((host) =>
      talk(get(`http://${host}/`)),
    );
    for (const name of ["a.example.org", "b.example.net"]) {
      while (!answers.has(name)) await new Promise((done) => setImmediate(done));
      expect(answers.size).toBe(name === "a.example.org" ? 1 : 2);
      // All three requests have come by now.
      await talk(get("http://evil.example.com/"));
      answers.get(name)?.([PUBLIC]);
    }
    internet.lookup = lookup;
    for (const answer of await Promise.all(waiting)) expect(answer).toMatch(/hello/);
  });

  it("may be nothing", async () => {
    internet.answers.set("a.example.org", [[]]);
    expect(await talk(tunnelTo("a.example.org:443"))).toMatch(/^HTTP\/1\.1 502 .*no address/);
    expect(await outlet.close()).toEqual([]);
  });
});

describe("an outlet", () => {
  it("belongs to one command and to whoever may write its socket", async () => {
    expect(statSync(outlet.socket ?? "").mode & 0o777).toBe(0o600);
    const other = await proxy.open([], null);
    await talk(get("http://evil.example.com/"));
    expect(await other.close()).toEqual([]);
    expect(await outlet.close()).toEqual(["evil.example.com:80"]);
  });

  it("holds so many connections and no more, and ends them all", async () => {
    const clients = Array.from({ length: 300 }, dial);
    const gone = Promise.withResolvers<void>();
    let left = clients.length;
    const all = clients.map((client) => {
      client.resume();
      client.once("end", () => client.end());
      return new Promise<void>((done) => {
        client.once("close", () => {
          left -= 1;
          if (left === 256) gone.resolve();
          done();
        });
      });
    });
    await gone.promise;
    expect(await talk(get("http://a.example.org/"))).toMatch(/^(\(reset\))?$/);
    expect(left).toBe(256);
    await outlet.close();
    await Promise.all(all);
  });

  it("leaves nothing behind, and takes away what a killed server left", async () => {
    const place = path.dirname(dir);
    const left = path.join(place, "outlets-999999999-x");
    mkdirSync(left);
    const another = await createSocketProxy(place, internet);
    const open = await another.open([], null);
    expect(existsSync(open.socket ?? "")).toBe(true);
    await open.close();
    expect(existsSync(open.socket ?? "")).toBe(false);
    await another.close();
    expect(readdirSync(place)).toEqual([path.basename(dir)]);
  });

  it("hears what a command said last", async () => {
    const client = dial();
    await once(client, "connect");
    client.end(get("http://last.example.com/"));
    await new Promise((done) => setImmediate(done));
    expect(await outlet.close()).toEqual(["last.example.com:80"]);
    client.destroy();
  });

  it("names twenty hosts at most, cut to a length that can be read", async () => {
    await talk(tunnelTo(`${"x".repeat(200)}.example.com:443`));
    const [only = ""] = await await outlet.close();
    expect(only).toHaveLength(100 + ":443".length);
    const many = await proxy.open([], null);
    outlet = many;
    for (let at = 0; at < 40; at += 1) await talk(tunnelTo(`h${at}.example.com:443`));
    expect(await many.close()).toHaveLength(20);
  });

  it("outlives whatever bytes come", async () => {
    const starts = [
      Buffer.from([5]),
      Buffer.from("CONNECT "),
      Buffer.from("GET http://"),
      Buffer.alloc(0),
    ];
    for (let at = 0; at < 200; at += 1) {
      const client = dial();
      client.resume();
      client.end(Buffer.concat([starts[at % 4] ?? Buffer.alloc(0), randomBytes(at * 7)]));
      await once(client, "close");
    }
    const client = dial();
    client.write(tunnelTo("a.example.org:443"));
    await once(client, "data");
    client.destroy();
    expect(await talk(get("http://a.example.org/"))).toMatch(/hello/);
  });
});

describe("a port that all commands share", () => {
  it("knows a command by its secret and nobody else", async () => {
    const shared = await createPortProxy(internet);
    const mine = await shared.open(ALLOWED, null);
    const { username } = new URL(mine.url);
    const ask = async (bytes: string | Buffer): Promise<string> => {
      const client = connect({ port: shared.port, host: "127.0.0.1", allowHalfOpen: true });
      return (await exchange(client, [bytes])).toString("latin1");
    };
    const as = (user: string) =>
      `Proxy-Authorization: Basic ${Buffer.from(`${user}:`).toString("base64")}`;
    expect(await ask(get("http://a.example.org/"))).toMatch(/^HTTP\/1\.1 407 /);
    expect(await ask(get("http://a.example.org/", as("guess")))).toMatch(/^HTTP\/1\.1 407 /);
    expect(await ask(tunnelTo("a.example.org:443"))).toMatch(/^HTTP\/1\.1 407 /);
    expect(await ask(byName("a.example.org", 80))).toBe("\u0005\u00ff");
    expect(internet.looked).toEqual([]);
    expect(await ask(get("http://a.example.org/", as(username)))).toMatch(/hello/);
    expect(await ask(get("http://evil.example.com/", as(username)))).toMatch(/^HTTP\/1\.1 403 /);
    const named = Buffer.concat([
      Buffer.from([5, 1, 2, 1, username.length]),
      Buffer.from(username),
      Buffer.from([0]),
      byName("evil.example.com", 443).subarray(3),
    ]);
    expect(Buffer.from(await ask(named), "latin1").toString("hex")).toMatch(/^050201000502/);
    expect(await mine.close()).toEqual(["evil.example.com:443", "evil.example.com:80"]);
    expect(await ask(get("http://a.example.org/", as(username)))).toMatch(/^HTTP\/1\.1 407 /);
    await shared.close();
  });
});
