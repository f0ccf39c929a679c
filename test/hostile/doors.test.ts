import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Answer, ask, exchange, hold, sign } from "../support/raw-http.ts";
import { MODEL_KEY, PRIVATE_KEY, WEBHOOK_SECRET } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { JOB_MS, openStage, type Stage, shell, write } from "./play.ts";

const HOOK = "/api/github/webhooks";
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const MB = 1024 * 1024;
const KEY_LINE = PRIVATE_KEY.split("\n")[3] ?? "";
const polled = { timeout: 20_000 * PATIENCE, interval: 50 };

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({
    config: "checks: [test -f README.md]\n",
    files: { "canary.txt": "canary-of-a-file\n" },
    env: { LOG_LEVEL: "trace" },
  });
}, JOB_MS);
afterAll(() => stage.end());

function portOf(of: Stage): number {
  return Number(new URL(of.world.github.hook.url ?? "").port);
}

function pidOf(of: Stage): number {
  return Number([...of.world.log().matchAll(/"pid":(\d+)/g)].at(-1)?.[1]);
}

/** Resident memory of the server, in MB. */
function memoryOf(of: Stage): number {
  const status = readFileSync(`/proc/${pidOf(of)}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** Everything a webhook could leave in the store. */
function rows(of: Stage): number {
  const file = path.join(of.world.dataDir, "draftsmith.db");
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return ["deliveries", "commands", "jobs", "outbox"]
      .map((table) => Number(database.prepare(`select count(*) as n from ${table}`).get()?.n))
      .reduce((sum, n) => sum + n, 0);
  } finally {
    database.close();
  }
}

function headersFor(body: string | Buffer, more: Record<string, string> = {}) {
  return {
    "content-type": "application/json",
    "x-github-delivery": randomUUID(),
    "x-github-event": "issue_comment",
    "x-hub-signature-256": sign(WEBHOOK_SECRET, body),
    ...more,
  };
}

/** A webhook of GitHub's about something we do nothing about. */
async function aWebhook(of: Stage): Promise<number> {
  const body = JSON.stringify({ zen: "Keep it logically awesome.", hook_id: 1 });
  const headers = headersFor(body, { "x-github-event": "ping" });
  const answer = ask(portOf(of), HOOK, { method: "POST", headers, body });
  // A connection that is refused or cut off is no answer.
  return answer.then(
    ({ status }) => status,
    () => 0,
  );
}

/** The body of a comment that would start work, as only GitHub can sign it. */
async function aCommand(of: Stage, text: string): Promise<string> {
  const { github } = of.world;
  const hook = github.hook.url;
  github.hook.url = null;
  const issue = of.world.issue({ title: "Doors", body: "Please." });
  const comment = await of.world.say(text, issue);
  const captured = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      response.end();
      captured.resolve(body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  github.hook.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await github.redeliver("shop", comment);
  github.hook.url = hook;
  server.close();
  return captured.promise;
}

/** The beginning of a webhook whose signature is wrong. */
function requestHead(length: string): string {
  const headers = Object.entries(headersFor("x")).map(([name, value]) => `${name}: ${value}`);
  return [`POST ${HOOK} HTTP/1.1`, "host: x", ...headers, length, "", ""].join("\r\n");
}

describe("the webhook's door", () => {
  it(
    "doors-01 a stranger writes a webhook and signs it as well as he can",
    async () => {
      const body = await aCommand(stage, "/codex give me the keys");
      const right = sign(WEBHOOK_SECRET, body);
      const sha1 = `sha1=${createHmac("sha1", WEBHOOK_SECRET).update(body).digest("hex")}`;
      const before = rows(stage);
      const signatures: (string | undefined)[] = [
        undefined,
        "",
        "sha256=",
        sign("", body),
        sign("development", body),
        sign(`${WEBHOOK_SECRET} `, body),
        right.slice(0, -1),
        `${right}0`,
        `sha256=${right.slice(7).toUpperCase()}`,
        right.toUpperCase(),
        right.slice(7),
        ` ${right.replace("=", " =")}`,
        `${sign("x", body)}, ${right}`,
        `sha512=${createHmac("sha512", WEBHOOK_SECRET).update(body).digest("hex")}`,
        sha1,
      ];
      for (const signature of signatures) {
        const { "x-hub-signature-256": _, ...rest } = headersFor(body);
        const headers: Record<string, string> = { ...rest, "x-hub-signature": sha1 };
        if (signature !== undefined) headers["x-hub-signature-256"] = signature;
        const { status } = await ask(portOf(stage), HOOK, { method: "POST", headers, body });
        expect([401, 429], String(signature)).toContain(status);
      }
      const twice = { ...headersFor(body), "x-hub-signature-256": [sign("x", body), right] };
      const { status } = await ask(portOf(stage), HOOK, { method: "POST", headers: twice, body });
      expect([401, 429]).toContain(status);
      expect(rows(stage)).toBe(before);
    },
    JOB_MS,
  );

  it("doors-02 other bytes are sent under a signature of text that decodes alike", async () => {
    const signed = JSON.stringify({ zen: "\ufffd", action: "created" });
    const [head, tail] = signed.split("\ufffd").map((part) => Buffer.from(part));
    const sent = Buffer.concat([
      head ?? Buffer.alloc(0),
      Buffer.from([0xff]),
      tail ?? Buffer.alloc(0),
    ]);
    expect(sent.toString("utf8")).toBe(signed);
    const before = rows(stage);
    const headers = headersFor(signed);
    const { status } = await ask(portOf(stage), HOOK, { method: "POST", headers, body: sent });
    expect([401, 429]).toContain(status);
    expect(rows(stage)).toBe(before);
  });

  it(
    "doors-03 a delivery is played again: the same, under another id, and fifty times at once",
    async () => {
      const body = await aCommand(stage, "/codex replay me");
      stage.rehearse("replay me", {
        replies: [write("r.txt", "r\n")],
        report: "Add r\n\nAs asked.",
      });
      const id = randomUUID();
      const deliver = (guid: string) => {
        const headers = headersFor(body, { "x-github-delivery": guid });
        return ask(portOf(stage), HOOK, { method: "POST", headers, body });
      };
      const guids = Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? id : randomUUID()));
      const answers = await Promise.all(guids.map(deliver));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const issue = Number(JSON.parse(body).issue.number);
      await stage.world.ended(issue);
      await deliver(id);
      expect(stage.world.answers(issue)).toHaveLength(1);
      expect(stage.world.pulls().filter(({ head }) => head.includes("replay"))).toHaveLength(1);
    },
    JOB_MS,
  );

  it(
    "doors-04 a known delivery id carries another body",
    async () => {
      const first = await aCommand(stage, "/codex help");
      const second = await aCommand(stage, "/codex do evil");
      const id = randomUUID();
      const deliver = async (body: string) => {
        const headers = headersFor(body, { "x-github-delivery": id });
        return (await ask(portOf(stage), HOOK, { method: "POST", headers, body })).status;
      };
      expect(await deliver(first)).toBe(200);
      const before = rows(stage);
      expect(await deliver(second)).toBe(200);
      // 200 means that what it asked for is stored.
      expect(rows(stage)).toBe(before);
      const issueOf = (body: string) => Number(JSON.parse(body).issue.number);
      await expect.poll(() => stage.world.answers(issueOf(first)).length, polled).toBe(1);
      expect(stage.world.answers(issueOf(second))).toEqual([]);
    },
    JOB_MS,
  );

  it(
    "doors-05 wrong signatures come by the hundred, and shut GitHub out",
    async () => {
      const body = "{}";
      const wrong = (n: number) => ({
        ...headersFor(body, { "x-forwarded-for": `198.51.100.${n % 256}` }),
        "x-hub-signature-256": sign("x", body),
      });
      const flood = Array.from({ length: 200 }, (_, n) =>
        ask(portOf(stage), HOOK, { method: "POST", headers: wrong(n), body }),
      );
      const statuses = (await Promise.all(flood)).map(({ status }) => status);
      // A header that the stranger writes himself gives him no new budget.
      expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(150);
      expect(statuses.filter((status) => status !== 429 && status !== 401)).toEqual([]);
      const last = await ask(portOf(stage), HOOK, { method: "POST", headers: wrong(0), body });
      expect(Number(last.headers["retry-after"])).toBeGreaterThan(0);
      expect(await aWebhook(stage)).toBe(200);
      expect(stage.world.log()).toContain("set DRAFTSMITH_TRUST_PROXY to the number of proxies");
      const large = "x".repeat(2 * MB);
      const refused = await ask(portOf(stage), HOOK, {
        method: "POST",
        headers: { ...wrong(0), "content-length": String(large.length) },
        body: large,
      }).catch(() => ({ status: 429 }));
      expect(refused.status).toBe(429);
    },
    JOB_MS,
  );

  it(
    "doors-08 fifteen hundred connections are held open, each a header at a time",
    async () => {
      const sockets: Socket[] = [];
      for (let n = 0; n < 1500; n += 1) {
        sockets.push(
          await hold(portOf(stage), n % 2 === 0 ? "" : `POST ${HOOK} HTTP/1.1\r\nhost: x\r\n`),
        );
      }
      const drip = setInterval(() => {
        for (const each of sockets.filter(({ destroyed }) => !destroyed)) each.write("x: y\r\n");
      }, 500);
      onTestFinished(() => clearInterval(drip));
      expect(await aWebhook(stage)).toBe(200);
      // Those that drip on get no further than the limit of time for headers.
      await expect
        .poll(() => sockets.filter(({ destroyed }) => !destroyed).length, {
          ...polled,
          timeout: 40_000,
        })
        .toBe(0);
      clearInterval(drip);
      expect(await aWebhook(stage)).toBe(200);
    },
    2 * JOB_MS,
  );

  it(
    "doors-09 one request is two: lengths that contradict each other",
    async () => {
      const port = portOf(stage);
      const inner = `POST ${HOOK} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}`;
      const start = `POST ${HOOK} HTTP/1.1\r\nhost: x\r\n`;
      const attacks = [
        `${start}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
        `${start}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n${inner}`,
        `${start}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n${inner}`,
        `${start}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${inner}`,
        `${start}transfer-encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
        `${start}transfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n${inner}`,
        `${start}content-length: 0\r\ncontent-length: ${inner.length}\r\n\r\n${inner}`,
        `${start}content-length: +2\r\n\r\n{}${inner}`,
        `${start}content-length: 0x2\r\n\r\n{}${inner}`,
        `${start}x: a\r\n\tcontent-length: 2\r\n\r\n{}`,
        `${start}x: a\ncontent-length: 2\r\n\r\n{}`,
        `POST ${HOOK} HTTP/1.1\r\nhost: x\r\nhost: y\r\ncontent-length: 0\r\n\r\n`,
        `POST ${HOOK} HTTP/1.1\r\ncontent-length: 0\r\n\r\n`,
        `POST ${HOOK} HTTP/9.9\r\nhost: x\r\n\r\n`,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      ];
      for (const bytes of attacks) {
        const said = await exchange(port, bytes);
        const statuses = [...said.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
        expect(
          statuses.filter((status) => status !== "400"),
          JSON.stringify(bytes),
        ).toEqual([]);
        expect(statuses.length, JSON.stringify(bytes)).toBeLessThanOrEqual(1);
      }
      expect(await aWebhook(stage)).toBe(200);
    },
    JOB_MS,
  );

  it(
    "doors-10 headers and addresses of a megabyte, ten thousand requests in one breath",
    async () => {
      const port = portOf(stage);
      const long = "y".repeat(MB);
      for (const bytes of [
        `GET /${long} HTTP/1.1\r\nhost: x\r\n\r\n`,
        `GET /ping HTTP/1.1\r\nhost: x\r\nx: ${long}\r\n\r\n`,
        `GET /ping HTTP/1.1\r\nhost: x\r\n${"x: y\r\n".repeat(10_000)}\r\n`,
      ]) {
        const said = await exchange(port, bytes);
        expect(said).not.toMatch(/^HTTP\/1\.1 [25]/);
      }
      const pings = await exchange(port, "GET /ping HTTP/1.1\r\nhost: x\r\n\r\n".repeat(10_000));
      const taken = pings.match(/HTTP\/1\.1 200/g)?.length ?? 0;
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThanOrEqual(1000);
      expect(await aWebhook(stage)).toBe(200);
    },
    JOB_MS,
  );

  it(
    "doors-11 what GitHub signed is no event we know, or no event at all",
    async () => {
      const deep = "[".repeat(200_000) + "]".repeat(200_000);
      const bodies = [
        ...["{}", "[]", "null", "1", '"x"', "", "\0", "{", deep, `{"a":${deep}}`],
        '{"__proto__":{"polluted":1},"action":"created"}',
        '{"action":"created","comment":null,"issue":null,"repository":null,"installation":null}',
        '{"action":{"toString":1},"installation":{"id":"1"},"repository":{"id":-1}}',
      ];
      for (const body of bodies) {
        for (const event of ["issue_comment", "issues", "no_such_event"]) {
          const headers = headersFor(body, { "x-github-event": event });
          const { status, text } = await ask(portOf(stage), HOOK, {
            method: "POST",
            headers,
            body,
          });
          expect([200, 400, 401, 429], `${event} ${body.slice(0, 40)}`).toContain(status);
          expect(text).not.toMatch(/\bat |\.ts|node:|Error/);
        }
      }
      for (const event of [
        "__proto__",
        "constructor",
        "issue_comment.created",
        "*",
        "a b",
        "x".repeat(999),
      ]) {
        const headers = headersFor("{}", { "x-github-event": event });
        const { status } = await ask(portOf(stage), HOOK, { method: "POST", headers, body: "{}" });
        expect([200, 400, 429], event).toContain(status);
      }
      expect(await aWebhook(stage)).toBe(200);
    },
    JOB_MS,
  );

  it(
    "doors-12 hundreds of GitHub's webhooks at once are taken for an attack",
    async () => {
      const burst = Array.from({ length: 300 }, () => aWebhook(stage));
      expect(new Set(await Promise.all(burst))).toEqual(new Set([200]));
    },
    JOB_MS,
  );

  it(
    "doors-13 the secret of last year still opens the door",
    async () => {
      const body = JSON.stringify({ zen: "x" });
      const old = { ...headersFor(body), "x-hub-signature-256": sign("last-year's-secret", body) };
      const refused = await ask(portOf(stage), HOOK, { method: "POST", headers: old, body });
      expect([401, 429]).toContain(refused.status);
      const own = await openStage({ env: { WEBHOOK_SECRET_OLD: "last-year's-secret" } });
      try {
        const taken = await ask(portOf(own), HOOK, { method: "POST", headers: old, body });
        expect(taken.status).toBe(200);
        const environment = readFileSync(`/proc/${pidOf(own)}/environ`, "latin1");
        expect(environment).not.toContain("last-year's-secret");
      } finally {
        await own.end();
      }
    },
    JOB_MS,
  );
});

describe("bodies that are too much", () => {
  let fresh: Stage;
  beforeAll(async () => {
    fresh = await openStage({});
  }, JOB_MS);
  afterAll(() => fresh.end());

  it(
    "doors-06 a body of 240 MB comes in pieces, without a length",
    async () => {
      const before = memoryOf(fresh);
      const head = requestHead("transfer-encoding: chunked");
      const socket = await hold(portOf(fresh), head);
      const piece = `${MB.toString(16)}\r\n${"x".repeat(MB)}\r\n`;
      let most = 0;
      for (let sent = 0; sent < 240; sent += 1) {
        if (!socket.write(piece)) await once(socket, "drain");
        if (sent % 20 === 0) most = Math.max(most, memoryOf(fresh));
      }
      expect(most - before).toBeLessThan(150);
      const [said] = await Promise.all([once(socket, "data"), socket.write("0\r\n\r\n")]);
      expect(String(said)).toMatch(/^HTTP\/1\.1 413 /);
      expect(await aWebhook(fresh)).toBe(200);
    },
    JOB_MS,
  );

  it(
    "doors-07 large bodies are begun and never ended, to leave no room for others",
    async () => {
      const before = memoryOf(fresh);
      const head = requestHead(`content-length: ${24 * MB}`);
      const sockets = await Promise.all(
        Array.from({ length: 12 }, () => hold(portOf(fresh), head + "x".repeat(20 * MB))),
      );
      const unsent = () => sockets.filter((each) => each.writableLength > 0).length;
      await expect.poll(unsent, polled).toBe(0);
      expect(memoryOf(fresh) - before).toBeLessThan(200);
      for (let n = 0; n < 5; n += 1) expect(await aWebhook(fresh)).toBe(200);
      for (const socket of sockets) socket.destroy();
    },
    JOB_MS,
  );
});

describe("what else the server shows", () => {
  it("doors-14 health is asked for more than how it is", async () => {
    const port = portOf(stage);
    const { text, headers } = await ask(port, "/healthz");
    expect(JSON.parse(text)).toEqual({ status: "ok" });
    expect(headers["x-powered-by"] ?? headers.server).toBeUndefined();
    const database = path.join(stage.world.dataDir, "draftsmith.db");
    expect(existsSync(database)).toBe(true);
    for (const to of [
      "/healthz?verbose=1",
      "/healthz/",
      "/metrics",
      "/debug",
      "/.env",
      "/..%2f.env",
    ]) {
      const answer = await ask(port, to);
      expect(answer.text, to).not.toMatch(/sqlite|draftsmith|node|version|\/tmp|uptime|pid/i);
    }
  });

  it("doors-15 an answer of any kind can be framed, sniffed or cached, or names what runs", async () => {
    const port = portOf(stage);
    const answers = await Promise.all([
      ask(port, "/ping"),
      ask(port, "/healthz"),
      ask(port, "/nowhere"),
      ask(port, HOOK),
      ask(port, HOOK, { method: "POST" }),
      ask(port, "/ping", { method: "TRACE" }),
      ask(port, "/ping", { method: "OPTIONS" }),
      ask(port, HOOK, { method: "HEAD" }),
    ]);
    expect(answers.map(({ status }) => status).filter((status) => status === 405)).toHaveLength(4);
    const texts = answers.map(({ headers }) => JSON.stringify(headers));
    texts.push((await exchange(port, "rubbish\r\n\r\n")).toLowerCase());
    const odd = "GET /ping HTTP/1.1\r\nhost: x\r\nexpect: wonders\r\nconnection: close\r\n\r\n";
    texts.push((await exchange(port, odd)).toLowerCase());
    for (const headers of texts) {
      expect(headers).toContain("default-src 'none'");
      expect(headers).toContain("frame-ancestors 'none'");
      expect(headers).toContain("nosniff");
      expect(headers).toContain("no-store");
      expect(headers).toContain("no-referrer");
      expect(headers).not.toMatch(/x-powered-by|"server"|probot|access-control/);
    }
    for (const { headers } of answers.slice(3, 4)) expect(headers.allow).toBe("POST");
  });

  it("doors-16 a server with credentials is set up once more", async () => {
    const port = portOf(stage);
    const form = new URLSearchParams({
      app_id: "1",
      webhook_secret: "evil-secret",
      private_key: PRIVATE_KEY,
    });
    const json = JSON.stringify({ appId: 1, pem: PRIVATE_KEY, webhook_secret: "evil-secret" });
    const attempts = [
      ask(port, "/probot"),
      ask(port, "/probot/setup?code=abc"),
      ask(port, "/probot/import"),
      ask(port, "/probot/success"),
      ask(port, "/probot/static/robot.svg"),
      ask(port, "/probot/import", { method: "POST", body: json }),
      ask(port, "/probot/import", { method: "POST", body: form.toString() }),
    ];
    const statuses = (await Promise.all(attempts)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([404]));
    expect(existsSync(path.join(stage.world.home, ".env"))).toBe(false);
  });

  it(
    "doors-17 the log tells, at its most talkative, what people and models said, and secrets",
    async () => {
      const issue = stage.world.issue({ title: "canary-of-a-title", body: "canary-of-an-issue" });
      stage.rehearse("canary-of-a-task", {
        replies: [
          shell("cat canary.txt; echo canary-of-a-command"),
          write("c.txt", "canary-of-a-change\n"),
        ],
        report: "Add canary-of-a-report\n\nAs asked.",
      });
      await stage.world.say("canary-of-a-comment\n\n/codex canary-of-a-task", issue);
      await stage.world.ended(issue);
      const body = '{"canary-of-a-payload":1}';
      await ask(portOf(stage), HOOK, { method: "POST", headers: headersFor(body), body });
      // Octokit has an event of this name for itself, whose payload it writes.
      for (const event of ["error", "constructor"]) {
        const headers = headersFor(body, { "x-github-event": event });
        await ask(portOf(stage), HOOK, { method: "POST", headers, body });
      }
      const broken = headersFor(body, {
        "x-hub-signature-256": sign("x", body),
        cookie: "canary-of-a-header",
      });
      await ask(portOf(stage), `${HOOK}?canary-of-a-query`, {
        method: "POST",
        headers: broken,
        body,
      });
      const log = stage.world.log();
      expect([...new Set(log.match(/canary-of-[a-z-]+/g))]).toEqual([]);
      expect(log).not.toMatch(/sha256=|authorization: |"headers"|"payload"|"body"/i);
      for (const secret of [KEY_LINE, WEBHOOK_SECRET, MODEL_KEY])
        expect(log.includes(secret)).toBe(false);
      expect(log).not.toMatch(/ghs_|eyJ[\w-]{10}/);
    },
    JOB_MS,
  );

  it(
    "doors-18 an event fails inside, and its payload is told with the error",
    async () => {
      const own = await openStage({ env: { LOG_LEVEL: "trace" } });
      try {
        // Nothing can be stored any more: the handler throws, and Octokit hangs the event on the error.
        const body = await aCommand(own, "/codex canary-in-a-payload");
        const file = path.join(own.world.dataDir, "draftsmith.db");
        const database = new DatabaseSync(file, { timeout: 10_000 });
        database.exec("drop table deliveries");
        database.close();
        const headers = headersFor(body);
        const { status, text } = await ask(portOf(own), HOOK, { method: "POST", headers, body });
        expect([status, text]).toEqual([503, "not taken; deliver it again\n"]);
        await expect.poll(() => own.world.log(), polled).toContain("a webhook could not be taken");
        expect(own.world.log()).not.toMatch(/canary-in-a-payload|sender|"payload"/);
      } finally {
        await own.end();
      }
    },
    JOB_MS,
  );

  it(
    "doors-19 the server crashes with a secret on its lips",
    async () => {
      const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-crash-"));
      const file = path.join(dir, "crash.mjs");
      const boom = `const boom = () => { throw Object.assign(new Error("boom ${WEBHOOK_SECRET} ghs_${"a1".repeat(20)}"), { request: { body: "canary-of-a-crash" } }); };
process.on("SIGUSR2", () => { for (let n = 0; n < 3; n += 1) setImmediate(boom); Promise.reject(new Error("boom again")); });`;
      writeFileSync(file, boom);
      const own = await openStage({
        env: { NODE_OPTIONS: `--import ${file}`, LOG_LEVEL: "trace" },
      });
      try {
        const asked = Promise.withResolvers<void>();
        const hang = () => {
          asked.resolve();
          return { fault: "hang" } as const;
        };
        own.rehearse("never end", { replies: [hang], report: "" });
        await own.world.say("/codex never end");
        await asked.promise;
        const pid = pidOf(own);
        process.kill(pid, "SIGUSR2");
        await expect.poll(() => existsSync(`/proc/${pid}`), polled).toBe(false);
        const told = own.world
          .log()
          .split("\n")
          .filter((line) => line.includes("boom"));
        expect(told).toHaveLength(1);
        expect(told[0]).toContain("the server crashed");
        expect(told[0]).not.toContain(WEBHOOK_SECRET);
        expect(told[0]).not.toMatch(/ghs_|canary-of-a-crash/);
        const alive = [...own.world.github.state.tokens.values()].filter(
          (token) => token.expiresAt > Date.now(),
        );
        expect(alive).toEqual([]);
        // And it can be started again at once.
        await own.world.start();
        expect(await aWebhook(own)).toBe(200);
      } finally {
        await own.end();
        rmSync(dir, { recursive: true, force: true });
      }
    },
    2 * JOB_MS,
  );
});

/** The server in set-up mode, and a GitHub that gives credentials for any code. */
async function setUpMode(env: Record<string, string> = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-setup-"));
  const converted: string[] = [];
  const github = createServer((request, response) => {
    converted.push(request.url ?? "");
    response.writeHead(201, { "content-type": "application/json" }).end(
      JSON.stringify({
        id: 77,
        pem: PRIVATE_KEY,
        webhook_secret: "from-github-0123456789",
        client_secret: "client-secret-of-github",
        html_url: `http://127.0.0.1:${(github.address() as AddressInfo).port}/apps/d`,
      }),
    );
  });
  github.listen(0, "127.0.0.1");
  const probe = createTcpServer().listen(0, "127.0.0.1");
  await Promise.all([once(github, "listening"), once(probe, "listening")]);
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const { port: githubPort } = github.address() as AddressInfo;
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    cwd: dir,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: dir,
      HOST: "127.0.0.1",
      PORT: String(port),
      GHE_HOST: `127.0.0.1:${githubPort}`,
      GHE_PROTOCOL: "http",
      LOG_LEVEL: "trace",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("it opens once")) ready.resolve();
    });
  }
  child.once("exit", (code) => ready.reject(new Error(`it ended with ${code}: ${said}`)));
  onTestFinished(() => {
    child.kill("SIGKILL");
    github.close();
    rmSync(dir, { recursive: true, force: true });
  });
  await ready.promise;
  return { port, dir, converted, said: () => said, env: path.join(dir, ".env") };
}

const cookieOf = (answer: Answer) => answer.headers["set-cookie"]?.[0]?.split(";", 1)[0] ?? "";

const FORM = {
  app_id: "666",
  webhook_secret: "evil-secret-0123",
  private_key: PRIVATE_KEY,
};

describe("the set-up page", () => {
  it(
    "doors-20 a page on the web sends the operator's browser to it with credentials of its own",
    async () => {
      const { port, env, converted } = await setUpMode();
      const json = JSON.stringify({ appId: 666, pem: PRIVATE_KEY, webhook_secret: "evil-secret" });
      const form = new URLSearchParams(FORM).toString();
      const seen = await ask(port, "/probot");
      const cookie = cookieOf(seen);
      const from = (site: string) => ({
        cookie,
        origin: "http://evil.example",
        "sec-fetch-site": site,
        "content-type": "text/plain",
      });
      const attempts = [
        ask(port, "/probot/import", { method: "POST", headers: from("cross-site"), body: json }),
        ask(port, "/probot/import", { method: "POST", headers: from("cross-site"), body: form }),
        ask(port, "/probot/import", { method: "POST", headers: from("none"), body: form }),
        ask(port, "/probot/import", { method: "POST", headers: { cookie }, body: form }),
        ask(port, "/probot/import", { method: "POST", body: json }),
        ask(port, "/probot/setup?code=evilcode", { headers: { cookie } }),
        ask(port, `/probot/setup?code=evilcode&state=${"0".repeat(64)}`, { headers: { cookie } }),
        ask(port, "/probot/setup?code=evilcode&state="),
        ask(port, "/probot/import", { method: "OPTIONS", headers: from("cross-site") }),
      ];
      for (const { status, headers } of await Promise.all(attempts)) {
        expect([403, 405]).toContain(status);
        expect(headers["access-control-allow-origin"]).toBeUndefined();
      }
      expect([existsSync(env), converted]).toEqual([false, []]);
    },
    JOB_MS,
  );

  it(
    "doors-21 a name of the attacker's leads to this machine, or a proxy hands strangers on",
    async () => {
      const { port, env } = await setUpMode();
      const strangers: Record<string, string>[] = [
        { host: "evil.example" },
        { host: `evil.example:${port}` },
        { host: "localhost.evil.example" },
        { host: "127.0.0.1.evil.example" },
        { host: "localhost@evil.example" },
        { host: `127.0.0.1:${port}`, "x-forwarded-for": "203.0.113.5" },
        { host: "localhost", "x-forwarded-host": "draftsmith.example.com" },
        { host: "localhost", forwarded: "for=203.0.113.5" },
        { host: "localhost", via: "1.1 proxy" },
        { host: "localhost", "x-real-ip": "203.0.113.5" },
      ];
      for (const headers of strangers) {
        for (const to of [
          "/",
          "/probot",
          "/probot/import",
          "/probot?token=0",
          "/probot/setup?code=a",
        ]) {
          const answer = await ask(port, to, { headers });
          expect(answer.status, `${JSON.stringify(headers)} ${to}`).toBe(403);
          expect(answer.headers["set-cookie"]).toBeUndefined();
          expect(answer.text).not.toMatch(/state=|proof/);
        }
      }
      // As nginx does where nobody told it to say more.
      const nginx = `GET /probot HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`;
      expect(await exchange(port, nginx)).toMatch(/^HTTP\/1\.1 403 /);
      expect(existsSync(env)).toBe(false);
      const behind = await setUpMode({ DRAFTSMITH_TRUST_PROXY: "1" });
      expect((await ask(behind.port, "/probot")).status).toBe(403);
      expect(behind.said()).not.toContain("on this machine");
    },
    JOB_MS,
  );

  it(
    "doors-22 it listens on every address, and strangers guess",
    async () => {
      const { port, env, said } = await setUpMode({ HOST: "0.0.0.0" });
      const token = /token=([0-9a-f]{32})/.exec(said())?.[1] ?? "";
      const guesses = ["", "0".repeat(32), token.slice(0, -1), token.toUpperCase(), `${token}0`];
      for (const guess of guesses.filter((each) => each !== token)) {
        expect((await ask(port, `/probot?token=${guess}`)).status).toBe(403);
      }
      const stolen = await ask(port, "/probot/import", {
        method: "POST",
        body: new URLSearchParams(FORM).toString(),
      });
      expect([stolen.status, existsSync(env)]).toEqual([403, false]);
      const opened = await ask(port, `/probot?token=${token}`);
      expect([opened.status, cookieOf(opened) !== ""]).toEqual([303, true]);
      // Whoever finds it in a history or a log comes too late.
      expect((await ask(port, `/probot?token=${token}`)).status).toBe(403);
      expect((await ask(port, "/probot", { headers: { cookie: cookieOf(opened) } })).status).toBe(
        200,
      );
    },
    JOB_MS,
  );

  it(
    "doors-23 it is used a second time after the App was registered",
    async () => {
      const { port, env, converted, said, dir } = await setUpMode();
      const first = await ask(port, "/probot");
      const cookie = cookieOf(first);
      const state = /state=([0-9a-f]{64})/.exec(first.text)?.[1];
      const proof = /name="proof" value="([0-9a-f]+)"/.exec(
        (await ask(port, "/probot/import", { headers: { cookie } })).text,
      )?.[1];
      const done = await ask(port, `/probot/setup?code=goodcode&state=${state}`, {
        headers: { cookie },
      });
      expect(done.status).toBe(302);
      const written = readFileSync(env, "utf8");
      expect(written).toContain("APP_ID=77");
      expect(statSync(env).mode & 0o777).toBe(0o600);
      expect(readdirSync(dir)).toEqual([".env"]);
      const form = new URLSearchParams({ ...FORM, proof: proof ?? "" }).toString();
      const again = [
        ask(port, "/probot", { headers: { cookie } }),
        ask(port, `/probot/setup?code=goodcode&state=${state}`, { headers: { cookie } }),
        ask(port, "/probot/import", { headers: { cookie } }),
        ask(port, "/probot/import", { method: "POST", headers: { cookie }, body: form }),
      ];
      expect((await Promise.all(again)).map(({ status }) => status)).toEqual([404, 404, 404, 404]);
      expect(readFileSync(env, "utf8")).toBe(written);
      expect(converted).toHaveLength(1);
      for (const secret of ["goodcode", "from-github-0123456789", "client-secret", KEY_LINE]) {
        expect(said().includes(secret), secret).toBe(false);
      }
      expect((await ask(port, "/healthz")).text).toBe('{"status":"setup"}');
    },
    JOB_MS,
  );

  it(
    "doors-24 credentials come by another way while it is open",
    async () => {
      const { port, env } = await setUpMode();
      expect((await ask(port, "/probot")).status).toBe(200);
      writeFileSync(env, "APP_ID=1\nPRIVATE_KEY=x\n");
      for (const to of ["/", "/probot", "/probot/import"])
        expect((await ask(port, to)).status).toBe(404);
      expect(readFileSync(env, "utf8")).toBe("APP_ID=1\nPRIVATE_KEY=x\n");
    },
    JOB_MS,
  );
});
