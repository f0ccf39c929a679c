import { generateKeyPairSync } from "node:crypto";
import { request as httpRequest } from "node:http";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { serve } from "../../src/api/server.ts";
import { type SetupDeps, setupRoutes } from "../../src/api/setup-page.ts";
import { UserError } from "../../src/core/errors.ts";
import { silentLog } from "../support/log.ts";

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const TOKEN = "0123456789abcdef0123456789abcdef";
const app = {
  appId: 7,
  privateKey,
  webhookSecret: "from-github-1",
  page: "https://github.com/apps/draftsmith-7",
};

let saved: unknown[];
let codes: string[];
beforeEach(() => {
  saved = [];
  codes = [];
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** The set-up page of a server of its own; gives how to ask it, as a browser that keeps its cookie. */
async function setUp(more: Partial<SetupDeps> = {}) {
  const said: string[] = [];
  const routes = setupRoutes({
    bound: true,
    token: TOKEN,
    session: "5e55".repeat(16),
    manifest: { name: "draftsmith", default_permissions: { contents: "write" } },
    webUrl: "https://github.com",
    registerUrl: "https://github.com/settings/apps/new",
    convert: async (code) => {
      codes.push(code);
      return app;
    },
    configured: () => false,
    save: (given) => void saved.push(given),
    say: (line) => void said.push(line),
    ...more,
  });
  const rest = { proxies: 0, now: () => Date.now(), log: silentLog };
  const server = await serve(routes, { host: "127.0.0.1", port: 0, ...rest });
  onTestFinished(() => server.close());
  let cookie = "";

  function ask(
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = { ...(cookie !== "" && { cookie }), ...options.headers };
      const { method = "GET" } = options;
      const at = { host: "127.0.0.1", port: server.port, path, method, headers };
      const sent = httpRequest(at, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => {
          text += part;
        });
        response.on("end", () => {
          const [given] = response.headers["set-cookie"] ?? [];
          if (given !== undefined) cookie = given.split(";", 1)[0] ?? "";
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      sent.on("error", reject);
      sent.end(options.body);
    });
  }
  const form = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
    ask("/probot/import", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(fields).toString(),
    });
  const forget = () => {
    cookie = "";
  };
  return { ask, form, said, forget };
}

function unescaped(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}

async function stateOf(ask: (path: string) => Promise<Answer>): Promise<string> {
  const { text } = await ask("/probot");
  return /settings\/apps\/new\?state=([0-9a-f]+)/.exec(text)?.[1] ?? "";
}

const filled = { app_id: "7", webhook_secret: "a-secret-of-mine", private_key: privateKey };

describe("the set-up page", () => {
  it("offers the App of app.yml, with a state, and may talk to nobody but GitHub", async () => {
    const { ask } = await setUp();
    const first = await ask("/");
    expect(first.headers.location).toBe("/probot");
    expect(String(first.headers["set-cookie"])).toMatch(/Path=\/probot; HttpOnly; SameSite=Lax$/);
    const { text, headers } = await ask("/probot");
    const manifest = JSON.parse(unescaped(/name="manifest" value="([^"]*)"/.exec(text)?.[1] ?? ""));
    expect(manifest).toMatchObject({
      name: "draftsmith",
      default_permissions: { contents: "write" },
      redirect_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/probot\/setup$/),
      hook_attributes: { url: "https://example.com/api/github/webhooks", active: false },
    });
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self' https://github.com");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(text).not.toMatch(/<script|<img|<link|<iframe| src=/);
  });

  it("takes the public address that GitHub will reach", async () => {
    const { ask } = await setUp();
    const { text } = await ask("/probot?address=https%3A%2F%2Fcodex.example.com%2Fignored");
    expect(unescaped(text)).toContain(
      '"hook_attributes":{"url":"https://codex.example.com/api/github/webhooks","active":true}',
    );
    const odd = await ask("/probot?address=javascript%3Aalert(1)%22%3E%3Cscript%3E");
    expect(odd.text).not.toContain("<script");
    expect(odd.text).not.toContain("javascript:");
  });

  it("writes what GitHub gives for the code, goes on to GitHub, and closes", async () => {
    const { ask, said } = await setUp();
    const state = await stateOf(ask);
    const done = await ask(`/probot/setup?code=c0de&state=${state}`);
    expect([done.status, done.headers.location]).toEqual([
      302,
      "https://github.com/apps/draftsmith-7/installations/new",
    ]);
    expect([saved, codes]).toEqual([[app], ["c0de"]]);
    for (const path of ["/", "/probot", `/probot/setup?code=x&state=${state}`, "/probot/import"]) {
      expect((await ask(path)).status, path).toBe(404);
    }
    expect(await (await ask("/healthz")).text).toBe('{"status":"setup"}');
    expect(said.join()).not.toContain("c0de");
  });

  it.each([
    ["no state", ""],
    ["another state", `&state=${"0".repeat(64)}`],
  ])("takes no code with %s: anybody can send a browser there", async (_, query) => {
    const { ask } = await setUp();
    await ask("/probot");
    expect((await ask(`/probot/setup?code=c0de${query}`)).status).toBe(403);
    expect([saved, codes]).toEqual([[], []]);
  });

  it("takes no code of another browser, even with the state", async () => {
    const { ask, forget } = await setUp();
    const state = await stateOf(ask);
    forget();
    expect((await ask(`/probot/setup?code=c0de&state=${state}`)).status).toBe(403);
    expect(codes).toEqual([]);
  });

  it("never puts a strange code into a request", async () => {
    const { ask } = await setUp();
    const state = await stateOf(ask);
    for (const code of ["", "..%2F..%2Fuser", "a%0d%0ab", "x".repeat(300)]) {
      expect((await ask(`/probot/setup?code=${code}&state=${state}`)).status).toBe(400);
    }
    expect(codes).toEqual([]);
  });

  it("stays open and says why on the console when GitHub refuses the code", async () => {
    const { ask, said } = await setUp({
      convert: () => Promise.reject(new UserError("it answered 404")),
    });
    const state = await stateOf(ask);
    expect((await ask(`/probot/setup?code=c0de&state=${state}`)).status).toBe(502);
    expect(said).toEqual(["GitHub did not give the credentials of the App: it answered 404"]);
    expect((await ask("/probot")).status).toBe(200);
  });

  it("leads nowhere but to GitHub", async () => {
    const page = "https://evil.example/apps/x";
    const { ask } = await setUp({ convert: async () => ({ ...app, page }) });
    const state = await stateOf(ask);
    const done = await ask(`/probot/setup?code=c0de&state=${state}`);
    expect([done.status, done.headers.location]).toEqual([200, undefined]);
  });

  it("takes the credentials of an existing App", async () => {
    const { ask, form } = await setUp();
    const { text } = await ask("/probot/import");
    const proof = /name="proof" value="([0-9a-f]+)"/.exec(text)?.[1] ?? "";
    expect((await form({ ...filled, proof, app_id: "x" })).text).toContain(
      "The App ID is a number.",
    );
    expect((await form({ ...filled, proof, private_key: "x" })).text).toContain("not the text of");
    expect((await form({ ...filled, proof, webhook_secret: "short" })).text).toContain("8 to 200");
    expect(saved).toEqual([]);
    const done = await form({ ...filled, proof });
    expect(done.text).toContain("start it again");
    expect(done.text).not.toContain("a-secret-of-mine");
    expect(saved).toEqual([
      { appId: 7, privateKey: privateKey.trim(), webhookSecret: "a-secret-of-mine" },
    ]);
    expect((await ask("/probot/import")).status).toBe(404);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ["without the proof", {}, {}],
    ["with a wrong proof", { proof: "0".repeat(64) }, {}],
    ["from another site", { proof: "right" }, { "sec-fetch-site": "cross-site" }],
    ["from a sibling of this site", { proof: "right" }, { "sec-fetch-site": "same-site" }],
    ["from another origin", { proof: "right" }, { origin: "http://evil.example" }],
    ["from an origin that is none", { proof: "right" }, { origin: "null" }],
  ])("takes no form %s", async (_, fields, headers) => {
    const { ask, form } = await setUp();
    const { text } = await ask("/probot/import");
    const proof = /name="proof" value="([0-9a-f]+)"/.exec(text)?.[1] ?? "";
    const right = fields.proof === "right" ? { proof } : fields;
    expect((await form({ ...filled, ...right }, headers)).status).toBe(403);
    const json = { appId: 1, pem: privateKey, webhook_secret: "evil-secret" };
    const type = { "content-type": "text/plain", ...headers };
    const body = JSON.stringify(json);
    const asProbot = await ask("/probot/import", { method: "POST", headers: type, body });
    expect(asProbot.status).toBe(403);
    expect(saved).toEqual([]);
  });

  it.each<[string, Record<string, string>]>([
    ["another name for this machine (DNS rebinding)", { host: "evil.example:3000" }],
    ["a name that only begins like it", { host: "localhost.evil.example" }],
    ["a proxy", { "x-forwarded-for": "203.0.113.9" }],
    ["a proxy by the standard's header", { forwarded: "for=203.0.113.9" }],
  ])("is not shown to who comes through %s", async (_, headers) => {
    const { ask } = await setUp();
    for (const path of ["/", "/probot", "/probot/import", "/probot/setup?code=x"]) {
      expect((await ask(path, { headers })).status, path).toBe(403);
    }
    expect((await ask("/probot")).status).toBe(200);
  });

  it("opens to the token of the console once, and keeps who brought it", async () => {
    const { ask, forget } = await setUp({ bound: false });
    expect((await ask("/probot")).status).toBe(403);
    expect((await ask(`/probot?token=${TOKEN.slice(1)}0`)).status).toBe(403);
    const opened = await ask(`/probot?token=${TOKEN}`);
    expect([opened.status, opened.headers.location]).toEqual([303, "/probot"]);
    expect((await ask("/probot")).status).toBe(200);
    forget();
    expect((await ask(`/probot?token=${TOKEN}`)).status).toBe(403);
  });

  it("is closed while there are credentials already", async () => {
    const { ask } = await setUp({ configured: () => true });
    for (const path of ["/", "/probot", "/probot/import", `/probot?token=${TOKEN}`]) {
      expect((await ask(path)).status, path).toBe(404);
    }
  });

  it("tells what is left to do for an App without a webhook", async () => {
    const { ask } = await setUp({ convert: async () => ({ ...app, webhookSecret: null }) });
    const state = await stateOf(ask);
    const { text } = await ask(`/probot/setup?code=c0de&state=${state}`);
    expect(text).toContain("the WEBHOOK_SECRET of .env");
  });
});
