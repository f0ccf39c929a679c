import { spawn } from "node:child_process";
import { once } from "node:events";
import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { measureDisk } from "../../../src/adapters/sandbox/measure-disk.ts";
import { createObserver } from "../../../src/adapters/sandbox/observer.ts";
import {
  measureHidden,
  measureOwnMemory,
  measureTrees,
  measureWritten,
} from "../../../src/adapters/sandbox/processes.ts";

const MB = 1024 * 1024;

function directory(parent = tmpdir()): string {
  const dir = mkdtempSync(path.join(parent, "draftsmith-measure-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Runs a script until the test ends; its pid once it has said that it is ready. */
async function running(script: string, cwd = "/"): Promise<number> {
  const child = spawn("bash", ["-c", script], { cwd, stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child.pid ?? 0;
}

const ready = `$| = 1; print "ready\\n"; <STDIN>`;

describe("what a tree of processes uses", () => {
  it("is summed up over all that descend from one", async () => {
    const pid = await running(
      `perl -e 'for (1..3) { fork or do { $x = "a" x (20 * 1048576); sleep 60; exit } } sleep 1; 1 while $n++ < 3e6; ${ready}'; true`,
    );
    const [tree] = measureTrees([pid]);
    expect(tree?.processes).toBe(5);
    expect(tree?.memory).toBeGreaterThan(60 * MB);
    expect(tree?.cpuMs).toBeGreaterThan(0);
    expect(measureTrees([pid, 2 ** 30])[1]).toEqual({ processes: 0, memory: 0, cpuMs: 0 });
  });

  it("is the same by ps, where there is no /proc", async () => {
    const pid = await running(`perl -e '$x = "a" x (30 * 1048576); ${ready}'; true`);
    const [known] = measureTrees([pid]);
    const platform = vi.spyOn(process, "platform", "get").mockReturnValue("darwin");
    const [tree] = measureTrees([pid]);
    platform.mockRestore();
    expect(tree?.processes).toBe(known?.processes);
    expect(Math.abs((tree?.memory ?? 0) - (known?.memory ?? 0))).toBeLessThan(5 * MB);
  });

  it("counts pages that processes share once, when it matters", async () => {
    const pid = await running(
      `perl -e '$x = "a" x (40 * 1048576); for (1..5) { fork or do { sleep 60; exit } } sleep 1; ${ready}'; true`,
    );
    const [tree] = measureTrees([pid]);
    expect(tree?.memory).toBeGreaterThan(200 * MB);
    expect(measureOwnMemory(pid)).toBeLessThan(100 * MB);
    expect(measureOwnMemory(pid)).toBeGreaterThan(40 * MB);
  });

  it("includes files that are deleted and still open, on disk and in memory", async () => {
    const dir = directory();
    const pid = await running(
      `exec 7>gone; head -c 5M /dev/zero >&7; rm gone; perl -e 'exit' ; exec perl -e '${ready}'`,
      dir,
    );
    const hidden = measureHidden(pid, statSync(dir).dev);
    expect(hidden.disk).toBeGreaterThanOrEqual(5 * MB);
    expect(hidden.memory).toBe(0);
    expect(hidden.files).toBeGreaterThan(3);
  });

  it("tells what was written, by processes that ended and to files that are gone, too", async () => {
    // Below /tmp it may be memory.
    const dir = directory("/var/tmp");
    const pid = await running(
      `head -c 5M /dev/zero >gone; (head -c 5M /dev/zero >kept); rm gone; exec perl -e '${ready}'`,
      dir,
    );
    expect(measureWritten(pid)).toBeGreaterThanOrEqual(5 * MB);
    expect(measureWritten(pid)).toBeLessThan(20 * MB);
  });

  it("can be asked from another thread, again after that was closed", async () => {
    const observer = createObserver();
    onTestFinished(() => observer.close());
    const pid = await running(`perl -e '${ready}'; true`);
    const [tree] = await observer.trees([pid]);
    expect(tree?.processes).toBe(2);
    observer.close();
    expect((await observer.hidden(pid, 0)).files).toBeGreaterThan(0);
  });
});

describe("what directories take of the disk", () => {
  const plenty = { bytes: Number.POSITIVE_INFINITY, files: Number.POSITIVE_INFINITY };

  it("is blocks and names: holes take nothing, bytes under two names count once", async () => {
    const dir = directory();
    mkdirSync(path.join(dir, "sub"));
    writeFileSync(path.join(dir, "sub/one"), Buffer.alloc(MB, 1));
    linkSync(path.join(dir, "sub/one"), path.join(dir, "two"));
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0x0a, 0x20])]), "x");
    const use = await measureDisk([dir], plenty);
    expect(use).toMatchObject({ files: 5, whole: true, closed: false });
    expect(use.bytes).toBeGreaterThanOrEqual(MB);
    expect(use.bytes).toBeLessThan(1.1 * MB);
  });

  it("is not counted any further than needed", async () => {
    const dir = directory();
    for (let at = 0; at < 3000; at += 1) writeFileSync(path.join(dir, String(at)), "");
    const use = await measureDisk([dir], { bytes: 1e12, files: 100 });
    expect(use.whole).toBe(false);
    expect(use.files).toBeGreaterThan(100);
  });

  it("is nothing where nothing is", async () => {
    expect(await measureDisk([path.join(directory(), "gone")], plenty)).toMatchObject({
      bytes: 0,
      files: 0,
    });
  });
});
