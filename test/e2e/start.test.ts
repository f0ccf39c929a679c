import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { PRIVATE_KEY } from "../support/world.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const APP_YML = fileURLToPath(new URL("../../app.yml", import.meta.url));

interface Started {
  child: ChildProcess;
  output: () => string;
  /** Resolves once a line was printed; rejects when the process ends first. */
  says: (text: string) => Promise<void>;
}

function start(env: Record<string, string>, cwd: string): Started {
  const child = spawn(process.execPath, [MAIN], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: cwd, HOST: "127.0.0.1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const lookers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const look of lookers) look();
    });
  }
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    child,
    output: () => output,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => output.includes(text) && resolve();
        lookers.add(look);
        child.once("close", (code) => reject(new Error(`ended with ${code}: ${output}`)));
        look();
      }),
  };
}

function directory(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-start-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return String(typeof address === "object" ? address?.port : "");
}

test("without credentials it shows the page that registers the App from app.yml", {
  timeout: 30_000,
}, async () => {
  const dir = directory();
  const port = await freePort();
  copyFileSync(APP_YML, path.join(dir, "app.yml"));
  writeFileSync(path.join(dir, "package.json"), "{}");
  const { says } = start({ PORT: port, LOG_LEVEL: "info" }, dir);
  await says("Listening on");
  const page = await (await fetch(`http://127.0.0.1:${port}/probot`)).text();
  expect(page).toContain("https://github.com/settings/apps/new");
  for (const part of ["issue_comment", "pull_requests", "contents"]) expect(page).toContain(part);
  expect(page).not.toContain("workflows&quot;");
  expect(await (await fetch(`http://127.0.0.1:${port}/ping`)).text()).toBe("PONG");
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
});

test("on an address that others reach, the set-up page wants the token of the console", {
  timeout: 30_000,
}, async () => {
  const port = await freePort();
  const { says, output } = start({ PORT: port, HOST: "0.0.0.0" }, directory());
  await says("token=");
  const token = /token=([0-9a-f]{32})/.exec(output())?.[1];
  const at = `http://127.0.0.1:${port}/probot`;
  expect((await fetch(at)).status).toBe(403);
  const opened = await fetch(`${at}?token=${token}`, { redirect: "manual" });
  expect(opened.status).toBe(303);
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  const page = await (await fetch(at, { headers: { cookie } })).text();
  // Without an app.yml of its own, the directory gets ours.
  expect(page).toContain("issue_comment");
});

test("wrong settings stop it with all remedies at once, and no stack", {
  timeout: 30_000,
}, async () => {
  const { child, output } = start({ APP_ID: "x", PORT: "http", PRIVATE_KEY }, directory());
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  for (const name of ["APP_ID", "PORT", "WEBHOOK_SECRET", "OPENAI_API_KEY"]) {
    expect(output()).toMatch(new RegExp(`^ {2}${name}: `, "m"));
  }
  expect(output()).not.toContain("    at ");
});

test("the keys that draftsmith.yml names are in nobody's environment, and in no log", async () => {
  const dir = directory();
  const keys = { HOUSE_KEY: "house-key-0123456789", HOUSE_HEADER: "house-header-0123456789" };
  writeFileSync(
    path.join(dir, "draftsmith.yml"),
    `providers:
  - {id: house, base_url: "http://127.0.0.1:9/v1", key: HOUSE_KEY, headers: {x-key: {env: HOUSE_HEADER}}}
models: [{name: coder, unpriced: true}]
default: {model: coder}
`,
  );
  const env = { APP_ID: "1", PRIVATE_KEY, WEBHOOK_SECRET: "s".repeat(40), ...keys };
  const started = start({ ...env, PORT: await freePort(), DATA_DIR: "data" }, dir);
  await started.says("Draftsmith listens");
  if (process.platform === "linux") {
    const environment = readFileSync(`/proc/${started.child.pid}/environ`, "latin1");
    for (const key of Object.values(keys)) expect(environment).not.toContain(key);
  }
  for (const key of Object.values(keys)) expect(started.output()).not.toContain(key);
});

test("models that could not be used stop the start before anything is made", async () => {
  const dir = directory();
  writeFileSync(
    path.join(dir, "draftsmith.yml"),
    "models: [{name: gpt-5-mini}, {name: my-model}]\ndefault: {model: gpt-5-mni}\n",
  );
  const env = { APP_ID: "1", PRIVATE_KEY, WEBHOOK_SECRET: "s".repeat(40), OPENAI_API_KEY: "k" };
  const started = start({ ...env, PORT: await freePort(), DATA_DIR: "data" }, dir);
  await once(started.child, "close");
  expect(started.child.exitCode).toBe(1);
  expect(started.output()).toMatch(
    /Draftsmith cannot start:\n {2}draftsmith\.yml:1: nobody knows what the model .*\n {2}draftsmith\.yml:2: there is no model `gpt-5-mni`; did you mean `gpt-5-mini`\?/,
  );
  expect(readdirSync(dir)).toEqual(["draftsmith.yml"]);
});
