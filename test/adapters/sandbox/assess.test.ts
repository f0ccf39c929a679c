import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { assess } from "../../../src/adapters/sandbox/assess.ts";
import type { CommandResult } from "../../../src/core/ports.ts";

const TIMEOUT: CommandResult = {
  exitCode: null,
  stopped: "timeout",
  output: "uid=60800\n",
  durationMs: 20_000,
  deniedHosts: [],
};

function place(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-assess-"));
  chmodSync(dir, 0o755);
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

function assessed(result: Partial<CommandResult>, dir = place()) {
  const programs = { bash: "/bin/bash", env: "/usr/bin/env", bwrap: "b", socat: "s", which: "w" };
  return assess({
    user: process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null,
    runtimeDir: path.join(dir, "runtime"),
    programs,
    run: async () => ({ ...TIMEOUT, ...result }),
  });
}

it("does not say that a machine is unfit when it was only too busy to tell", async () => {
  expect(await assessed({})).toMatchObject({ ok: false, passing: true });
});

it("says what got out, however the command ended", async () => {
  const said = await assessed({ output: "uid=60800\nnetwork\n" });
  expect(said).toMatchObject({ ok: false, remedy: expect.stringContaining("reach the network") });
  expect(said).not.toHaveProperty("passing");
});

it("takes away what servers left that were killed while they tried, and nothing of one that tries now", async () => {
  const dir = place();
  const left = (name: string) => path.join(dir, "runtime", name);
  const names = ["probe-999999999-x", `probe-${process.pid}-old`, `probe-${process.pid}-now`];
  for (const name of names) mkdirSync(path.join(left(name), "tree"), { recursive: true });
  utimesSync(left(names[1] ?? ""), 1, 1);
  await assessed({}, dir);
  expect(readdirSync(path.join(dir, "runtime"))).toEqual([names[2]]);
});
