import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { createKillSwitch } from "../../src/adapters/kill-switch.ts";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "draftsmith-switch-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

const paused = () => createKillSwitch(dir).paused();

test("without the file work goes on", async () => {
  expect(await paused()).toBeNull();
});

test("the file stops work from one moment to the next, and lets it go on", async () => {
  const killSwitch = createKillSwitch(dir);
  writeFileSync(path.join(dir, "paused"), "moving house\n\nback at 9\u001b[31m\n");
  expect(await killSwitch.paused()).toBe("moving house back at 9 [31m");
  rmSync(path.join(dir, "paused"));
  expect(await killSwitch.paused()).toBeNull();
});

test("an empty file is a pause without a reason", async () => {
  writeFileSync(path.join(dir, "paused"), "");
  expect(await paused()).toBe("no reason is given");
});

test("something that cannot be read is a pause, too", async () => {
  mkdirSync(path.join(dir, "paused"));
  expect(await paused()).toBe("no reason can be read");
});

test("a long reason is cut", async () => {
  writeFileSync(path.join(dir, "paused"), "x".repeat(10_000));
  expect((await paused())?.length).toBe(300);
});
