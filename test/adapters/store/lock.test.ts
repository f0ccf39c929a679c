import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { lockDataDir } from "../../../src/adapters/store/lock.ts";
import { UserError } from "../../../src/core/errors.ts";
import { storeDirectory } from "../../support/open-test-store.ts";

const HOLDER = fileURLToPath(new URL("../../support/lock-holder.ts", import.meta.url));

test("a second server in the same directory is refused, one in another is not", () => {
  const dir = storeDirectory();
  const lock = lockDataDir(dir);
  expect(() => lockDataDir(dir)).toThrow(UserError);
  expect(() => lockDataDir(dir)).toThrow(
    `another Draftsmith server is using DATA_DIR ${dir}; stop it or set another DATA_DIR`,
  );
  lockDataDir(storeDirectory()).release();
  lock.release();
  lockDataDir(dir).release();
});

test("a server that is killed frees the directory at once", async () => {
  const dir = join(storeDirectory(), "data");
  const holder = spawn(process.execPath, [HOLDER, dir], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  expect(() => lockDataDir(dir)).toThrow(UserError);

  holder.kill("SIGKILL");
  await once(holder, "exit");

  lockDataDir(dir).release();
  expect(statSync(join(dir, "server.lock")).mode & 0o777).toBe(0o600);
});

test("a refused try in this process does not open the directory to another process", async () => {
  const dir = storeDirectory();
  const lock = lockDataDir(dir);
  expect(() => lockDataDir(dir)).toThrow(UserError);

  const rival = spawn(process.execPath, [HOLDER, dir], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void rival.kill("SIGKILL"));

  expect(await once(rival, "exit")).toEqual([1, null]);
  lock.release();
});

test("what is no file is named, with what to do", () => {
  const dir = storeDirectory();
  mkdirSync(join(dir, "server.lock"));
  expect(() => lockDataDir(dir)).toThrow(/server\.lock cannot be used \(.*\); remove it/);
  expect(() => lockDataDir(dir)).toThrow(UserError);
});
