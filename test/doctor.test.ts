import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { startGitHub } from "../demo/github/start.ts";

const DOCTOR = fileURLToPath(new URL("../src/doctor.ts", import.meta.url));
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const SECRET = "a-webhook-secret-that-nobody-may-see";
const KEY = "sk-a-model-key-that-nobody-may-see-0123456789";
const LIFE = { timeout: 60_000 };

function directory(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-doctor-test-"));
  chmodSync(dir, 0o777);
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Calls the doctor as a process of its own, in an empty directory unless given. */
async function call(env: Record<string, string>, options: { cwd?: string; uid?: number } = {}) {
  const cwd = options.cwd ?? directory();
  const child = spawn(process.execPath, [DOCTOR], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: cwd, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  const [code] = await once(child, "close");
  for (const secret of [SECRET, KEY, privateKey.split("\n")[3] ?? ""]) {
    expect(text).not.toContain(secret);
  }
  /** The line about something, and what is said to do about it. */
  const about = (name: string) =>
    new RegExp(`^(\\w+) +${name.replace(/[()]/g, "\\$&")} {2,}(.*(?:\\n +.*)*)`, "m")
      .exec(text)
      ?.slice(1)
      .map((part) => part.replace(/\s+/g, " "))
      .join(": ");
  return { code, text, about, left: readdirSync(cwd) };
}

/** A server of GitHub's API or of a model, which answers as it is told. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json = (response: ServerResponse, status: number, body: object, date?: Date) => {
  if (date) response.setHeader("date", date.toUTCString());
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};
const models = (...ids: string[]) =>
  serve((_, response) => json(response, 200, { data: ids.map((id) => ({ id })) }));

const given = (github: string, model: string) => ({
  APP_ID: "4242",
  PRIVATE_KEY: privateKey,
  WEBHOOK_SECRET: SECRET,
  OPENAI_API_KEY: KEY,
  OPENAI_BASE_URL: `http://${model}/v1`,
  DRAFTSMITH_MODEL: "gpt-5-mini",
  GHE_HOST: github,
  GHE_PROTOCOL: "http",
});

describe("npm run doctor", () => {
  it(
    "looks at the machine without credentials, says that they are missing, and leaves nothing",
    LIFE,
    async () => {
      const { code, text, about, left } = await call({});
      expect(code).toBe(0);
      expect(about("runtime")).toMatch(/^ok: Node 24\.\d+\.\d+ on /);
      expect(about("git")).toMatch(/^ok: 2\.\d+/);
      expect(about("sandbox")).toMatch(/^ok: holds/);
      for (const bound of ["memory", "processes", "CPU time", "disk"]) {
        expect(about(`bound of ${bound}`)).toMatch(
          /^(ok|warn): .*(control groups|limit|nice|watchdog)/,
        );
      }
      expect(about("DATA_DIR")).toMatch(/^ok: .*\/data will be made$/);
      expect(about("credentials")).toMatch(/^warn: there are none .* → npm start/);
      expect(text).toMatch(/\n\d+ ok, \d+ to look at, 0 failed\n$/);
      expect(left).toEqual([]);
    },
  );

  it("does so for an ordinary user", LIFE, async () => {
    const root = process.getuid?.() === 0;
    const { code, about } = await call({}, root ? { uid: 60_999 } : {});
    expect(code).toBe(0);
    expect(about("sandbox")).toMatch(/^ok/);
    expect(about("bound of memory")).toMatch(/^(ok|warn): .*watchdog/);
  });

  it(
    "names every setting that is wrong, with what to write, and examines the rest",
    LIFE,
    async () => {
      const { code, about } = await call({
        APP_ID: "four",
        PRIVATE_KEY: `-----BEGIN RSA PRIVATE KEY-----\n${KEY}\n-----END RSA PRIVATE KEY-----`,
        WEBHOOK_SECRET: SECRET,
        DRAFTSMITH_MEMORY_MB: "lots",
        DRAFTSMITH_MEMROY_MB: "512",
        SKILLS_DIR: "/nowhere/at/all",
      });
      expect(code).toBe(1);
      expect(about("APP_ID")).toMatch(/^fail: must be the number/);
      expect(about("PRIVATE_KEY")).toMatch(/^fail: cannot be read .*copy the whole \.pem file/);
      expect(about("DRAFTSMITH_MEMORY_MB")).toMatch(/^fail: must be a whole number of megabytes/);
      expect(about("DRAFTSMITH_MEMROY_MB")).toMatch(/^fail: is not a setting; there are/);
      expect(about("SKILLS_DIR")).toMatch(/^fail: \/nowhere\/at\/all is no folder; make it/);
      expect(about("sandbox")).toMatch(/^ok/);
      expect(about("credentials")).toBeUndefined();
    },
  );

  it("reads draftsmith.yml, and examines the rest when it is wrong", LIFE, async () => {
    const cwd = directory();
    const env = { ...given("127.0.0.1:1", await models("other-model")), OPENAI_BASE_URL: "" };
    // A gateway that lets nobody in without the operator's header.
    const gate = await serve(({ headers }, response) =>
      headers["x-team"] === "shop"
        ? json(response, 200, { data: [{ id: "coder" }] })
        : json(response, 403, {}),
    );
    const provider = `providers: [{id: house, base_url: "http://${gate}/v1", headers: {X-Team: shop}}]`;
    writeFileSync(
      path.join(cwd, "draftsmith.yml"),
      `${provider}\nmodels: [{name: coder, unpriced: true}, {name: dear}]\ndefault: {model: coder}\n`,
    );
    const read = await call(env, { cwd });
    expect(read.about("models")).toMatch(
      /^fail: draftsmith\.yml:2: nobody knows what .*`house\/dear`/,
    );
    expect(read.about("model server")).toMatch(/^ok: house \(127\.0\.0\.1:\d+\) offers coder/);
    writeFileSync(
      path.join(cwd, "draftsmith.yml"),
      `${provider.replace("providers", "providders")}\n`,
    );
    const wrong = await call(env, { cwd });
    expect(wrong.about("settings")).toMatch(/^fail: draftsmith\.yml:1: unknown key `providders`/);
    expect(wrong.about("model server")).toBeUndefined();
    expect(wrong.about("sandbox")).toMatch(/^ok/);
    expect(wrong.text).not.toContain("OPENAI_API_KEY: is missing");
  });

  it("asks every provider of draftsmith.yml, and names its own settings", LIFE, async () => {
    const cwd = directory();
    const host = await serve(({ url }, response) => {
      if (url?.startsWith("/key/")) return json(response, 401, {});
      if (url?.startsWith("/page/")) return response.end("<!doctype html><title>Log in</title>");
      return json(response, 200, { data: [{ id: "m1" }] });
    });
    const at = (id: string) => `  - {id: ${id}, base_url: "http://${host}/${id}/v1", key: K_KEY}`;
    const model = (provider: string) =>
      `  - {name: of-${provider}, provider: ${provider}, unpriced: true}`;
    const file = [
      ...["providers:", ...["key", "page", "lacks", "idle"].map(at)],
      ...["models:", ...["key", "page", "lacks"].map(model)],
      "default: {model: of-key}",
      "routes:",
      "  - {match: {skill: [docs, none]}, use: {model: of-page}}",
      "  - {match: {skill: refactr}, use: {model: of-page}}",
    ];
    writeFileSync(path.join(cwd, "draftsmith.yml"), `${file.join("\n")}\n`);
    const { OPENAI_API_KEY, OPENAI_BASE_URL, DRAFTSMITH_MODEL, ...env } = given(
      "127.0.0.1:1",
      host,
    );
    const { code, text } = await call({ ...env, K_KEY: KEY }, { cwd });
    const told = text.replace(/\s+/g, " ");
    expect(code).toBe(1);
    expect(told).toMatch(
      /fail model server key \([\d.:]+\) answered 401 [^→]*→ See that K_KEY is right/,
    );
    expect(told).toMatch(
      /model server page \([^→]* an HTML page[^→]*→ See that `base_url` of page in/,
    );
    expect(told).toMatch(
      /model server lacks \([^→]* does not list of-lacks → [^→]*`models` in draftsmith\.yml, such as m1/,
    );
    expect(told).toMatch(/ok model server idle \([\d.:]+\) answers/);
    expect(told).toMatch(
      /warn rules draftsmith\.yml:13: rule 2 is for the skill `refactr`, and there is none here \(did you mean `refactor`\?\); it holds only in repositories that bring/,
    );
    expect(text).not.toMatch(/`docs`|`none`/);
    expect(text).not.toMatch(/OPENAI_|DRAFTSMITH_MODEL/);
  });

  it("says what stands in the way, and never where in the code", LIFE, async () => {
    const cwd = directory();
    mkdirSync(path.join(cwd, "data", "paused"), { recursive: true });
    const paused = await call({}, { cwd });
    expect(paused.about("paused")).toMatch(/^warn: no reason can be read → To go on remove /);
    symlinkSync("/nowhere/at/all", path.join(cwd, "link"));
    const linked = await call({ DATA_DIR: "link" }, { cwd });
    expect(linked.about("DATA_DIR")).toMatch(/^fail: .* is a link that leads nowhere → Choose/);
    mkdirSync(path.join(cwd, ".env"));
    const { code, text } = await call({}, { cwd });
    expect(code).toBe(2);
    expect(text).toMatch(/\n {2}\.env: cannot be read \(EISDIR.*it has to be a file/);
    expect(text).not.toMatch(/\n\s+at /);
  });

  it("finds nothing wrong with an App that is as app.yml wants it", LIFE, async () => {
    const github = await startGitHub({
      app: { id: 4242, slug: "draftsmith", privateKey },
      webhookSecret: SECRET,
      repositories: [],
    });
    onTestFinished(() => github.close());
    const { code, text, about } = await call(given(github.host, await models("gpt-5-mini")));
    expect(text).not.toMatch(/^(warn|fail) {2,}(App|clock|model|credentials)/m);
    expect(about("App")).toBe("ok: draftsmith: GitHub takes its key");
    expect(about("clock")).toMatch(/^ok: within \d+ s of GitHub's$/);
    expect(about("model server")).toMatch(/^ok: 127\.0\.0\.1:\d+ offers gpt-5-mini$/);
    expect(code).toBe(0);
    expect(github.requests.map(({ method, path: to }) => `${method} ${to}`)).toEqual(["GET /app"]);
  });

  it(
    "tells what an App lacks, what it has beyond need, and a clock that is wrong",
    LIFE,
    async () => {
      const permissions = {
        contents: "read",
        issues: "write",
        metadata: "read",
        workflows: "write",
      };
      const github = await serve((request, response) => {
        const known = request.url === "/api/v3/app" && request.headers.authorization;
        const past = new Date(Date.now() - 10 * 60_000);
        json(response, known ? 200 : 404, { slug: "smith", permissions, events: ["push"] }, past);
      });
      const model = await models("other-model");
      const { code, about } = await call(given(github, model));
      expect(code).toBe(1);
      expect(about("App's permissions")).toMatch(
        /^fail: lacking contents: write, pull_requests: write.* → Grant them on the App's settings page/,
      );
      expect(about("App's events")).toMatch(
        /^fail: not subscribed: issue_comment, issues, pull_request, pull_request_review, pull_request_review_comment → Subscribe/,
      );
      expect(about("clock")).toMatch(/^fail: 60\d s ahead of GitHub's → Set it/);
      expect(about("model server")).toMatch(/^warn: .* does not list gpt-5-mini → .*other-model/);
    },
  );

  it("tells a key that GitHub does not take from a GitHub that does not answer", LIFE, async () => {
    const github = await serve((_, response) =>
      json(response, 401, { message: "A JSON web token could not be decoded" }),
    );
    const refused = await call(given(github, "127.0.0.1:1"));
    expect(refused.code).toBe(1);
    expect(refused.about("App")).toMatch(
      /^fail: GitHub answered 401: A JSON web token could not be decoded → See that APP_ID and PRIVATE_KEY belong/,
    );
    expect(refused.about("model server")).toMatch(/^warn: 127\.0\.0\.1:1 does not answer: /);

    const silent = await call(given("127.0.0.1:1", "127.0.0.1:1"));
    expect(silent.code).toBe(1);
    expect(silent.about("GitHub")).toMatch(/^fail: .* does not answer: .* → See that this machine/);
    expect(silent.about("sandbox")).toMatch(/^ok/);
  });

  it(
    "tells of a data directory that cannot be used, and of a server that is paused",
    LIFE,
    async () => {
      const cwd = directory();
      writeFileSync(path.join(cwd, "file"), "");
      const taken = await call({ DATA_DIR: "file" }, { cwd });
      expect(taken.code).toBe(1);
      expect(taken.about("DATA_DIR")).toMatch(/^fail: .*file is no directory → Choose/);

      mkdirSync(path.join(cwd, "data"));
      writeFileSync(path.join(cwd, "data/paused"), "the disks are swapped\n");
      const paused = await call({}, { cwd });
      expect(paused.about("DATA_DIR")).toMatch(/^ok/);
      expect(paused.about("paused")).toMatch(/^warn: the disks are swapped → To go on remove/);
      expect(paused.left.sort()).toEqual(["data", "file"]);
    },
  );

  it("tells that a job has no room, and how much there is to be", LIFE, async () => {
    const { code, about } = await call({ DRAFTSMITH_FREE_MB: "999999999" });
    expect(code).toBe(1);
    expect(about("room")).toMatch(/^fail: [\d,]+ MB of the disk are free; a job begins when .* →/);
  });
});
