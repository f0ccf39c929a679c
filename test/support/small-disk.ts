import { execFileSync } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { needRoot } from "./need-root.ts";

/** A file system of its own that is full when a test wants it to be. */
export interface SmallDisk {
  dir: string;
  /** Fills it to the last byte. */
  fill(): void;
  /** Makes room again. */
  free(): void;
  /** Lets nobody write to it, or everybody again. */
  readOnly(yes: boolean): void;
}

/** Mounts a small file system, which needs root; it goes when the test ends. */
export function smallDisk(megabytes: number): SmallDisk {
  needRoot();
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-disk-"));
  const options = `size=${megabytes}m,mode=0755`;
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", dir]);
  chmodSync(dir, 0o755);
  onTestFinished(() => {
    // Lazily: what still runs in there ends with the test, too.
    execFileSync("umount", ["-l", dir]);
    rmSync(dir, { recursive: true, force: true });
  });
  const balloon = path.join(dir, "balloon");
  return {
    dir,
    fill() {
      const file = openSync(balloon, "a");
      try {
        for (let size = 1024 * 1024; size >= 1; ) {
          try {
            writeSync(file, Buffer.alloc(size));
          } catch {
            size = Math.floor(size / 2);
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(balloon, { force: true }),
    readOnly: (yes) => void execFileSync("mount", ["-o", `remount,${yes ? "ro" : "rw"}`, dir]),
  };
}
