import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");

/** Runs the audit against a registry that answers the question for advisories in this way. */
async function audit(status: number, advisories: object): Promise<{ code: number; said: string }> {
  const registry = createServer((request, response) => {
    request.resume();
    const bulk = request.url?.endsWith("/security/advisories/bulk");
    response.writeHead(bulk ? status : 404, { "content-type": "application/json" });
    response.end(bulk ? JSON.stringify(advisories) : "{}");
  });
  registry.listen(0, "127.0.0.1");
  await once(registry, "listening");
  onTestFinished(() => void registry.close());
  const { port } = registry.address() as AddressInfo;
  const child = spawn(process.execPath, ["src/audit.ts"], {
    cwd: ROOT,
    env: {
      ...process.env,
      npm_config_registry: `http://127.0.0.1:${port}/`,
      npm_config_fetch_retries: "0",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const [code] = await once(child, "close");
  return { code, said };
}

test("a known vulnerability is named and fails", { timeout: 60_000 }, async () => {
  const advisory = {
    id: 1,
    url: "https://example.com/advisory-1",
    title: "Diff runs what it reads",
    severity: "high",
    vulnerable_versions: "<100",
  };
  const { code, said } = await audit(200, { diff: [advisory] });
  expect(said).toMatch(
    /diff .*\(high\): Diff runs what it reads https:\/\/example\.com\/advisory-1/,
  );
  expect(code).toBe(1);
});

test("a registry that offers no audit is told of and fails nothing", {
  timeout: 60_000,
}, async () => {
  const { code, said } = await audit(405, {});
  expect(said).toContain("Known vulnerabilities: NOT CHECKED. This registry does not offer it");
  expect(code).toBe(0);
});
