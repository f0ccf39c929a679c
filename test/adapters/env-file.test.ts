import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseEnv } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { createEnvFile } from "../../src/adapters/env-file.ts";

function directory(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-env-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const key = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\nAgEA\n-----END RSA PRIVATE KEY-----";

test("credentials are added to what is there, for their owner's eyes only", () => {
  const dir = directory();
  const file = path.join(dir, ".env");
  writeFileSync(file, "# mine\nOPENAI_API_KEY=sk-1\nWEBHOOK_SECRET=\nAPP_ID=\n", { mode: 0o644 });
  const env = createEnvFile(dir);
  expect(env.configured()).toBe(false);
  env.save({ appId: 7, privateKey: key, webhookSecret: "it's $HOME#\\n" });
  expect(parseEnv(readFileSync(file, "utf8"))).toEqual({
    OPENAI_API_KEY: "sk-1",
    APP_ID: "7",
    PRIVATE_KEY: key,
    WEBHOOK_SECRET: "it's $HOME#\\n",
  });
  expect(readFileSync(file, "utf8")).toMatch(/^# mine$/m);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual([".env"]);
  expect(env.configured()).toBe(true);
});

test("an App without a webhook gets a secret for the one it will have", () => {
  const dir = directory();
  createEnvFile(dir).save({ appId: 7, privateKey: key, webhookSecret: null });
  const { WEBHOOK_SECRET } = parseEnv(readFileSync(path.join(dir, ".env"), "utf8"));
  expect(WEBHOOK_SECRET).toMatch(/^[0-9a-f]{64}$/);
});

test.each(["APP_ID=1", "PRIVATE_KEY='x'", " APP_ID = 5"])("%s is not overwritten", (line) => {
  const dir = directory();
  writeFileSync(path.join(dir, ".env"), `${line}\n`);
  const env = createEnvFile(dir);
  expect(env.configured()).toBe(true);
  const save = () => env.save({ appId: 7, privateKey: key, webhookSecret: "x" });
  expect(save).toThrow("There are credentials in .env already.");
  expect(readFileSync(path.join(dir, ".env"), "utf8")).toBe(`${line}\n`);
});
