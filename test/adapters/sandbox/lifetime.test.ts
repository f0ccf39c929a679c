import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { makeRoot, makeSandbox, makeWorkspace } from "../../support/workspace.ts";

/** Whether a process whose command line holds `text` runs on the host. */
function runs(text: string): boolean {
  return readdirSync("/proc").some((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(text);
    } catch {
      // It ended while we looked.
      return false;
    }
  });
}

it("ends what runs when it is stopped, and starts nothing after that", async () => {
  const { root, remove } = await makeRoot();
  onTestFinished(remove);
  const sandbox = makeSandbox(root);
  const workspace = await makeWorkspace(root);
  const limits = { workspace, timeoutMs: 60_000, maxOutputBytes: 1000 };
  const running = sandbox.run({ ...limits, script: "setsid sleep 41.5 & wait" });
  await vi.waitFor(() => expect(runs("sleep\u000041.5")).toBe(true), 20_000);
  await sandbox.stop();
  expect(await running).toMatchObject({ exitCode: null, stopped: "cancelled" });
  expect(runs("sleep\u000041.5")).toBe(false);
  expect(await sandbox.run({ ...limits, script: "true" })).toMatchObject({ stopped: "cancelled" });
});

it("takes its commands with it when the server is killed", async () => {
  const support = path.resolve(import.meta.dirname, "../../support/workspace.ts");
  const server = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { makeRoot, makeSandbox, makeWorkspace } from ${JSON.stringify(support)};
       const { root } = await makeRoot();
       console.log(root);
       await makeSandbox(root).run({
         workspace: await makeWorkspace(root), script: "setsid sleep 42.5 & wait", timeoutMs: 60000, maxOutputBytes: 1000,
       });`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [root] = await once(server.stdout, "data");
  onTestFinished(async () => {
    const { rm } = await import("node:fs/promises");
    await rm(String(root).trim(), { recursive: true, force: true });
  });
  await vi.waitFor(() => expect(runs("sleep\u000042.5")).toBe(true), 20_000);
  server.kill("SIGKILL");
  await vi.waitFor(() => expect(runs("sleep\u000042.5")).toBe(false), 20_000);
});

it("keeps a job's /tmp for its next command where the workspace lies elsewhere", async () => {
  const { root, remove } = await makeRoot("/var/tmp");
  onTestFinished(remove);
  const sandbox = makeSandbox(root);
  onTestFinished(() => sandbox.stop());
  const [one, two] = [await makeWorkspace(root, "one"), await makeWorkspace(root, "two")];
  const limits = { timeoutMs: 20_000, maxOutputBytes: 10_000 };
  await sandbox.run({ ...limits, workspace: one, script: "echo mine >/tmp/note" });
  expect(await readFile(path.join(one.tmp, "note"), "utf8")).toBe("mine\n");
  expect((await sandbox.run({ ...limits, workspace: one, script: "cat /tmp/note" })).output).toBe(
    "mine\n",
  );
  expect((await sandbox.run({ ...limits, workspace: two, script: "ls -A /tmp" })).output).toBe("");
  const outside = await sandbox.run({
    ...limits,
    workspace: one,
    script: 'ls -A /var/tmp "$1"',
    args: [root],
  });
  expect(outside.output).not.toContain("two");
});
