import { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { Webhooks } from "@octokit/webhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serve } from "../../src/api/server.ts";
import { createWebhookDoor } from "../../src/api/webhook.ts";
import { silentLog } from "../support/log.ts";

const SECRET = "It's a Secret to Everybody";
const sign = (body: string) => `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;

let server: Awaited<ReturnType<typeof serve>>;
let url: string;
let received: unknown[];
let receive: (event: unknown) => Promise<void>;

beforeEach(async () => {
  received = [];
  receive = async (event) => void received.push(event);
  const webhooks = new Webhooks({ secret: SECRET });
  server = await serve(
    {
      "POST /api/github/webhooks": createWebhookDoor({
        verify: (body, signature) => webhooks.verify(body, signature),
        receive: (event) => receive(event),
        log: silentLog,
      }),
      "GET /ping": async () => new Response("PONG"),
    },
    { host: "127.0.0.1", port: 0, log: silentLog },
  );
  url = `http://127.0.0.1:${server.port}`;
});

afterEach(() => server.close());

function post(body: string, headers: Record<string, string> = {}): Promise<Response> {
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
    ["a SHA-1 signature only", { "x-hub-signature-256": "", "x-hub-signature": "sha1=00" }, 401],
    ["a form body", { "content-type": "application/x-www-form-urlencoded" }, 415],
    ["no delivery id", { "x-github-delivery": "" }, 400],
    ["no event name", { "x-github-event": "" }, 400],
  ])("refuses %s and hands nothing on", async (_, headers, status) => {
    const response = await post('{"a":1}', headers);
    expect(response.status).toBe(status);
    expect(received).toEqual([]);
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

  it("answers ping, and 404 for what is not there", async () => {
    expect(await (await fetch(`${url}/ping?x=1`)).text()).toBe("PONG");
    expect((await fetch(`${url}/api/github/webhooks`)).status).toBe(404);
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

  it("says which setting to change when it cannot listen", async () => {
    const again = serve({}, { host: "127.0.0.1", port: server.port, log: silentLog });
    await expect(again).rejects.toThrow(/PORT: \d+ on 127\.0\.0\.1 is in use/);
    const elsewhere = serve({}, { host: "192.0.2.1", port: 0, log: silentLog });
    await expect(elsewhere).rejects.toThrow(/HOST: 192\.0\.2\.1/);
  });
});
