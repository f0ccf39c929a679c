import { chmodSync, mkdtempSync, rmSync } from "node:fs";
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

function assessed(result: Partial<CommandResult>) {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-assess-"));
  chmodSync(dir, 0o755);
  onTestFinished(() => rmSync(dir, { recursive: true }));
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
