import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { operatorsModel } from "./operators-model.ts";

function directory(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-eval-test-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

it("hands on what the operator set of models", () => {
  const env = {
    OPENAI_BASE_URL: "http://models.internal/v1",
    OPENAI_API: "responses",
    DRAFTSMITH_MODEL: "qwen",
    DRAFTSMITH_PRICES: "unpriced",
    DRAFTSMITH_CONCURRENCY: "2",
  };
  const { concurrency, ...told } = operatorsModel(env, directory(), undefined);
  const { DRAFTSMITH_CONCURRENCY, ...models } = env;
  expect(told).toEqual({ model: "qwen", env: { ...models, OPENAI_API_KEY: "" } });
  expect(concurrency).toBe(2);
});

it("hands on draftsmith.yml and the keys it names", () => {
  const cwd = directory();
  const file = path.join(cwd, "mine.yml");
  const header = "headers: {X-Gate: {env: GATE_VALUE}}";
  const lines = [
    `providers: [{id: house, base_url: "http://models.internal/v1", key: HOUSE_KEY, ${header}}]`,
    "models: [{name: coder, unpriced: true}, {name: other, unpriced: true}]",
    "default: {model: coder}",
  ];
  writeFileSync(file, lines.join("\n"));
  const env = { DRAFTSMITH_CONFIG: "mine.yml", HOUSE_KEY: "sk-of-the-house", GATE_VALUE: "open" };
  expect(operatorsModel(env, cwd, undefined)).toMatchObject({
    model: "coder",
    env: { ...env, DRAFTSMITH_CONFIG: file, OPENAI_BASE_URL: "", DRAFTSMITH_MODEL: "" },
  });
  expect(operatorsModel(env, cwd, "other").model).toBe("other");
  expect(() => operatorsModel({ ...env, GATE_VALUE: "" }, cwd, undefined)).toThrow(/GATE_VALUE/);
  expect(() => operatorsModel(env, cwd, "nope")).toThrow(/there is no model `nope`.*`coder`/);
});

it("says in words what is missing, not where in the code", async () => {
  const started = promisify(execFile)(
    process.execPath,
    [path.join(import.meta.dirname, "eval.ts"), "fix"],
    {
      cwd: directory(),
      env: { PATH: process.env.PATH ?? "" },
    },
  );
  const error = await started.then(
    () => null,
    (thrown: { code: number; stderr: string }) => thrown,
  );
  expect(error?.code).toBe(2);
  expect(error?.stderr).toContain("OPENAI_API_KEY: is missing; set it, or set OPENAI_BASE_URL");
  expect(error?.stderr).not.toMatch(/\n\s+at /);
}, 30_000);
