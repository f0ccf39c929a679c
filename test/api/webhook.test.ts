import { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serve } from "../../src/api/server.ts";
import { createVerify } from "../../src/api/signature.ts";
import { createWebhookDoor } from "../../src/api/webhook.ts";
import { silentLog } from "../support/log.ts";

const SECRET = "It's a Secret to Everybody";
const OLD_SECRET = "what it was before";
const sign = (body: string | Buffer, secret = SECRET) =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

let server: Awaited<ReturnType<typeof serve>>;
let url: string;
let received: unknown[];
/** The server's clock (ms), and its warnings. */
let time: number;
let said: object[];
/** How often something was turned away that has to be asked for again. */
let away: number;
let receive: (event: unknown) => Promise<void>;

beforeEach(async () => {
  received = [];
  away = 0;
  receive = async (event) => void received.push(event);
  time = 1_000_000;
  said = [];
  const now = () => time;
  const log = {
    ...silentLog,
    warn: (fields: object, message: string) => said.push({ ...fields, message }),
  };
  const webhook = createWebhookDoor({
    verify: createVerify([SECRET, OLD_SECRET]),
    receive: (event) => receive(event),
    turnedAway: () => {
      away += 1;
    },
    now,
    log,
  });
  server = await serve(
    {
      "/api/github/webhooks": { POST: webhook },
      "/ping": { GET: async () => new Response("PONG") },
      "/broken": { GET: () => Promise.reject(new Error("at /etc/secret.ts:12")) },
    },
    { host: "127.0.0.1", port: 0, proxies: 1, now, log },
  );
  url = `http://127.0.0.1:${server.port}`;
});

afterEach(() => server.close());

const upperDigits = (signature: string) => `sha256=${signature.slice(7).toUpperCase()}`;

function post(body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/api/github/webhooks`, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "x-github-delivery": "d-1",
      "x-github-event": "issue_comment",
      "x-hub-signature-256": sign(body),
      ...headers,
    },
  });
}

/** Sends bytes, more of them after the first that come back, and gives all that came until the end. */
function exchange(port: number, bytes: string, afterwards = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      if (said === "" && afterwards !== "") socket.write(afterwards);
      said += text;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(said));
  });
}

describe("the webhook door", () => {
  it("hands on a signed delivery and answers 200 after it was taken", async () => {
    let taken = false;
    receive = async (event) => {
      await new Promise((resolve) => setImmediate(resolve));
      received.push(event);
      taken = true;
    };
    const response = await post('{"action":"created"}');
    expect([response.status, taken]).toEqual([200, true]);
    expect(received).toEqual([
      { id: "d-1", name: "issue_comment", payload: { action: "created" } },
    ]);
  });

  it.each([
    ["a wrong signature", { "x-hub-signature-256": sign("other") }, 401],
    ["a truncated signature", { "x-hub-signature-256": sign('{"a":1}').slice(0, 20) }, 401],
    ["a signature in capitals", { "x-hub-signature-256": sign('{"a":1}').toUpperCase() }, 401],
    ["its digits in capitals", { "x-hub-signature-256": upperDigits(sign('{"a":1}')) }, 401],
    ["a signature without its name", { "x-hub-signature-256": sign('{"a":1}').slice(7) }, 401],
    ["a signature and more", { "x-hub-signature-256": `${sign('{"a":1}')}00` }, 401],
    [
      "another kind of signature",
      { "x-hub-signature-256": `sha1=${sign('{"a":1}').slice(7)}` },
      401,
    ],
    ["a type that only begins right", { "content-type": "application/json-seq" }, 415],
    ["two delivery ids", { "x-github-delivery": "d-1, d-2" }, 400],
    ["an event name that is none", { "x-github-event": "__proto__" }, 400],
    ["a SHA-1 signature only", { "x-hub-signature-256": "", "x-hub-signature": "sha1=00" }, 401],
    ["a form body", { "content-type": "application/x-www-form-urlencoded" }, 415],
    ["no delivery id", { "x-github-delivery": "" }, 400],
    ["no event name", { "x-github-event": "" }, 400],
  ])("refuses %s and hands nothing on", async (_, headers, status) => {
    const response = await post('{"a":1}', headers);
    expect(response.status).toBe(status);
    expect(received).toEqual([]);
  });

  it("refuses two signatures, even when one of them is right", async () => {
    const body = '{"a":1}';
    const headers = { "x-hub-signature-256": `${sign("other")}, ${sign(body)}` };
    expect((await post(body, headers)).status).toBe(401);
    expect(received).toEqual([]);
  });

  it("checks the signature over the bytes that came, not over what they decode to", async () => {
    const meant = Buffer.from('{"a":"\ufffd"}');
    const sent = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(sent.toString()).toBe(meant.toString());
    expect((await post(sent, { "x-hub-signature-256": sign(meant) })).status).toBe(401);
    expect((await post(sent, { "x-hub-signature-256": sign(sent) })).status).toBe(400);
    expect(received).toEqual([]);
  });

  it("takes the secret before this one while it is set", async () => {
    const headers = { "x-hub-signature-256": sign("{}", OLD_SECRET) };
    expect((await post("{}", headers)).status).toBe(200);
    expect((await post("{}", { "x-hub-signature-256": sign("{}", "") })).status).toBe(401);
  });

  it.each(["not json", "[1]", "null", '"text"'])("refuses the signed body %j", async (body) => {
    expect((await post(body)).status).toBe(400);
    expect(received).toEqual([]);
  });

  it("refuses a body over 25 MB, with and without a length, before looking at its signature", async () => {
    const large = "x".repeat(26 * 1024 * 1024);
    expect((await post(large)).status).toBe(413);
    const chunked = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(
        `${url}/api/github/webhooks`,
        {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "x-github-delivery": "d-2",
            "x-github-event": "ping",
            "x-hub-signature-256": "sha256=00",
            "transfer-encoding": "chunked",
          },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      request.on("error", reject);
      request.end(large);
    });
    expect(chunked).toBe(413);
    expect(received).toEqual([]);
  });

  it("answers 503 when the event could not be stored, so that GitHub shows it as failed", async () => {
    receive = async () => {
      throw new Error("the store is gone");
    };
    const response = await post("{}");
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain("store is gone");
  });

  it("answers 503 in time when what it asks for takes too long", async () => {
    receive = () => new Promise(() => undefined);
    expect((await post("{}")).status).toBe(503);
    expect(away).toBe(1);
    // Others still get their turn.
    receive = async () => undefined;
    expect((await post("{}")).status).toBe(200);
  });

  it("answers ping, and 404 for what is not there", async () => {
    expect(await (await fetch(`${url}/ping?x=1`)).text()).toBe("PONG");
    expect((await fetch(`${url}/probot`)).status).toBe(404);
  });

  it("answers a large body without a signature, and does not keep it", async () => {
    const response = await post("x".repeat(26 * 1024 * 1024), { "x-hub-signature-256": "" });
    expect(response.status).toBe(401);
  });

  it("holds only so much of unsigned bodies at once", async () => {
    const body = "x".repeat(24 * 1024 * 1024);
    const statuses = await Promise.all(
      Array.from({ length: 8 }, () =>
        post(body, { "x-hub-signature-256": sign("other") }).then((response) => response.status),
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([401, 503]));
    expect((await post("{}")).status).toBe(200);
  });

  it("answers other methods with those it has, and every answer carries the headers", async () => {
    const methods = ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"].map((method) =>
      fetch(`${url}/api/github/webhooks`, { method }),
    );
    const answers = [
      ...(await Promise.all(methods)),
      await fetch(`${url}/ping`),
      await fetch(`${url}/no/such/path`),
      await post("{}"),
      await post("{}", { "x-hub-signature-256": sign("no") }),
      await fetch(`${url}/broken`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([
      ...[405, 405, 405, 405, 405],
      ...[200, 404, 200, 401, 500],
    ]);
    expect(answers[0]?.headers.get("allow")).toBe("POST");
    for (const { headers } of answers) {
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.has("x-powered-by") || headers.has("server")).toBe(false);
    }
    expect(await answers.at(-1)?.text()).toBe("internal error\n");
  });

  it("answers bytes that are no request with the same headers, and nothing of its own", async () => {
    const { port } = server;
    const long = `GET /ping HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`;
    const both = "POST /api/github/webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n";
    const cases: [string, string][] = [
      ["nonsense\r\n\r\n", "400"],
      [long, "431"],
      [`GET /${"p".repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, "431"],
      [`${both}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`, "400"],
      [`${both}transfer-encoding: chunked, identity\r\n\r\n`, "400"],
      [`${both}content-length: 5\r\n\r\nabcde`, "400"],
      ["GET /ping HTTP/1.1\r\n\r\n", "400"],
      ["GET /ping HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", "400"],
      ["GET /ping HTTP/1.1\r\nhost: x\r\nx : y\r\n\r\n", "400"],
    ];
    for (const [bytes, status] of cases) {
      const said = await exchange(port, bytes);
      expect(said.startsWith(`HTTP/1.1 ${status} `), `${bytes.slice(0, 60)} → ${said}`).toBe(true);
      expect(said.toLowerCase()).toContain("x-content-type-options: nosniff");
      expect(said).not.toMatch(/HPE|parse|node|\/src\//i);
    }
  });

  it("answers requests in one connection in their order, and ends it at the first that is none", async () => {
    const ping = "GET /ping HTTP/1.1\r\nhost: x\r\n\r\n";
    const said = await exchange(server.port, `${ping}${ping}${ping}rubbish\r\n\r\n`);
    expect(said.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
  });

  it("asks for a body only when it will look at it", async () => {
    const head = (extra: string) =>
      `POST /api/github/webhooks HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n${extra}\r\n`;
    const unsigned = await exchange(server.port, head("content-length: 2\r\n"));
    expect(unsigned).toMatch(/^HTTP\/1\.1 415 /);
    const headers = [
      "content-type: application/json",
      "x-github-delivery: d-1",
      "x-github-event: ping",
      `x-hub-signature-256: ${sign("{}")}`,
      "connection: close",
    ].join("\r\n");
    const large = await exchange(server.port, head(`content-length: 99999999\r\n${headers}\r\n`));
    expect(large).toMatch(/^HTTP\/1\.1 413 /);
    const right = await exchange(server.port, head(`content-length: 2\r\n${headers}\r\n`), "{}");
    expect(right).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(received).toHaveLength(1);
  });

  it("says which setting to change when it cannot listen", async () => {
    const rest = { proxies: 0, now: () => time, log: silentLog };
    const again = serve({}, { host: "127.0.0.1", port: server.port, ...rest });
    await expect(again).rejects.toThrow(/PORT: \d+ on 127\.0\.0\.1 is in use/);
    const elsewhere = serve({}, { host: "192.0.2.1", port: 0, ...rest });
    await expect(elsewhere).rejects.toThrow(/HOST: 192\.0\.2\.1/);
  });
});

describe("clients that go too far", () => {
  const from = (address: string) => ({ "x-forwarded-for": `9.9.9.9, ${address}` });
  const wrong = { "x-hub-signature-256": sign("other") };

  async function exhaust(address: string): Promise<number[]> {
    const statuses: number[] = [];
    for (let sent = 0; sent < 25; sent += 1) {
      statuses.push((await post("{}", { ...from(address), ...wrong })).status);
    }
    return statuses;
  }

  it("are told to wait, and only they", async () => {
    const statuses = await exhaust("192.0.2.7");
    expect(statuses).toEqual([...Array(20).fill(401), ...Array(5).fill(429)]);
    const refused = await post("{}", { ...from("192.0.2.7"), ...wrong });
    expect(refused.headers.get("retry-after")).toBe("5");
    expect((await post("{}", { ...from("192.0.2.8"), ...wrong })).status).toBe(401);
    time += 60_000;
    expect((await post("{}", { ...from("192.0.2.7"), ...wrong })).status).toBe(401);
  });

  it("are refused unread when they send much, but what GitHub signed is taken", async () => {
    await exhaust("192.0.2.7");
    const large = `{"a":"${"x".repeat(2 * 1024 * 1024)}"}`;
    const headers = { ...from("192.0.2.7"), "x-hub-signature-256": sign(large) };
    const refused = await post(large, headers).then(
      (response) => response.status,
      // The server closed before everything was sent.
      () => 429,
    );
    expect(refused).toBe(429);
    expect((await post("{}", from("192.0.2.7"))).status).toBe(200);
    expect(received).toHaveLength(1);
  });

  it("are told of in the log once, without what they sent", async () => {
    await exhaust("192.0.2.7");
    expect(said).toEqual([
      {
        address: "192.0.2.7",
        reason: "the signature does not match; is WEBHOOK_SECRET the App's?",
        more: 0,
        message: "a webhook delivery was refused",
      },
    ]);
    time += 61_000;
    await post('{"canary":1}', { ...from("192.0.2.7"), ...wrong });
    expect(said).toHaveLength(2);
    expect(said[1]).toMatchObject({ more: 24 });
    expect(JSON.stringify(said)).not.toContain("canary");
  });

  it("do not slow down hundreds of deliveries of GitHub's at once", async () => {
    const burst = Array.from({ length: 400 }, (_, n) =>
      post(`{"n":${n}}`, { ...from("192.0.2.30"), "x-github-delivery": `d-${n}` }),
    );
    const statuses = new Set((await Promise.all(burst)).map(({ status }) => status));
    expect([...statuses]).toEqual([200]);
    expect(received).toHaveLength(400);
  });

  it("are cut off after thousands of requests, whatever they ask for", async () => {
    for (let n = 0; n < 20; n += 1) {
      const pings = Array.from({ length: 100 }, () =>
        fetch(`${url}/ping`, { headers: from("192.0.2.9") }).then((each) => each.text()),
      );
      await Promise.all(pings);
    }
    const over = await fetch(`${url}/ping`, { headers: from("192.0.2.9") });
    expect([over.status, over.headers.get("retry-after")]).toEqual([429, "1"]);
    expect((await fetch(`${url}/ping`, { headers: from("192.0.2.10") })).status).toBe(200);
    // What GitHub signed may come through the same proxy.
    expect((await post("{}", { ...from("192.0.2.9"), ...wrong })).status).toBe(429);
    expect((await post("{}", from("192.0.2.9"))).status).toBe(200);
  });
});
