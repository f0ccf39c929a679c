import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeDirectories } from "../../src/adapters/work-dir.ts";
import { needRoot } from "../support/need-root.ts";

const user = { uid: 60801, gid: 60801 };

function parent(mode: number): string {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-dirs-"));
  chmodSync(dir, mode);
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Whether the sandbox's user may list, or at least pass through, a directory. */
function may(what: "-r" | "-x", dir: string): boolean {
  const id = `--reuid=${user.uid} --regid=${user.gid} --clear-groups`.split(" ");
  try {
    execFileSync("setpriv", [...id, "test", what, dir]);
    return true;
  } catch {
    return false; // test(1) says no by its exit code
  }
}

test.each(["/proc/draftsmith/data", "/dev/null/data", "/dev/null"])(
  "a data directory that cannot be made (%s) is named with what to do",
  (dataDir) => {
    expect(() => makeDirectories(dataDir, null)).toThrow(/DATA_DIR: .* choose a directory/);
  },
);

test("an ordinary user keeps everything below a private data directory", () => {
  const dataDir = path.join(parent(0o755), "data");
  expect(makeDirectories(dataDir, null)).toEqual({ dataDir, workDir: path.join(dataDir, "work") });
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
});

test("the sandbox's user may pass through the data directory, and not look into it", () => {
  needRoot();
  const { dataDir, workDir } = makeDirectories(path.join(parent(0o755), "data"), user);
  expect(workDir.startsWith(dataDir)).toBe(true);
  expect([may("-x", workDir), may("-r", workDir), may("-r", dataDir)]).toEqual([
    true,
    false,
    false,
  ]);
});

test("a data directory whose owner cannot be set is named with what to do", () => {
  needRoot();
  // No group has such a number: it stands for a disk that takes no change.
  expect(() =>
    makeDirectories(path.join(parent(0o755), "data"), { ...user, gid: 2 ** 33 }),
  ).toThrow(/DATA_DIR: .* cannot be changed .* look at the disk, or choose a directory/);
});

test("a data directory in somebody's home is not widened; the work is done elsewhere", () => {
  needRoot();
  const home = parent(0o700);
  const { workDir } = makeDirectories(path.join(home, "data"), user);
  onTestFinished(() => rmSync(workDir, { recursive: true, force: true }));
  expect(statSync(home).mode & 0o777).toBe(0o700);
  expect(workDir.startsWith(home)).toBe(false);
  expect(may("-x", workDir)).toBe(true);
  expect(makeDirectories(path.join(home, "data"), user).workDir).toBe(workDir);
});
