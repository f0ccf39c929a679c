import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";

const logs = `
  import { createLog } from ${JSON.stringify(new URL("../src/log.ts", import.meta.url).href)};
  const log = createLog("info", (text) => text);
  for (let line = 0; line < 3; line += 1) {
    log.info("one more");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  log.fatal("the last one");
  await new Promise((resolve) => setTimeout(resolve, 20));
  console.error("still here");
`;

test("a log on a full disk ends nothing", async () => {
  const full = openSync("/dev/full", "w");
  const child = spawn(process.execPath, ["--input-type=module", "-e", logs], {
    stdio: ["ignore", full, "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
    closeSync(full);
  });
  const [said, [code]] = await Promise.all([
    child.stderr && text(child.stderr),
    once(child, "exit"),
  ]);
  expect([said, code]).toEqual(["still here\n", 0]);
});
