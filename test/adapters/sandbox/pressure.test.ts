import { describe, expect, it } from "vitest";
import type { Account } from "../../../src/adapters/sandbox/accounts.ts";
import type { Observer } from "../../../src/adapters/sandbox/observer.ts";
import { relieve } from "../../../src/adapters/sandbox/pressure.ts";
import type { Case } from "../../../src/adapters/sandbox/watchdog.ts";
import type { Limits } from "../../../src/core/limits.ts";

const GB = 1024 ** 3;
const BEGUN = { used: 10 * GB, usedFiles: 0, free: 20 * GB, freeFiles: null };

/** A command that began with an empty disk: what a look finds of it now, and what it has written. */
interface Writer {
  jobId: string;
  found: number;
  written: number;
}

/** Who is stopped by one look at a disk that is nearly full, of which `used` more is in use. */
async function stoppedBy(writers: Writer[], used: number, free = 1.5 * GB): Promise<string[]> {
  const stopped: string[] = [];
  const cases = writers.map(({ jobId, found }, pid): Case => {
    const use = { bytes: found, files: 1, whole: true, closed: false };
    const account: Account = {
      cpuMs: 0,
      disk: { use, begun: BEGUN, endedAt: 0, tookMs: 0 },
      ceiling: { bytes: 10 * GB, files: 1000 },
      strikes: 0,
      refused: null,
    };
    const before = { bytesBefore: 0, counted: null, seenCpuMs: 0, broken: null, measuring: null };
    const watched = { jobId, tree: "", pid, dirs: [], group: null, stop: () => undefined };
    return { ...watched, ...before, account, begun: BEGUN };
  });
  const observer: Observer = {
    trees: async () => [],
    ownMemory: async () => 0,
    hidden: async () => ({ disk: 0, memory: 0, files: 0 }),
    written: async (pid) => writers[pid]?.written ?? 0,
    close: () => undefined,
  };
  const limits: Limits = {
    ...{ memory: GB, allMemory: GB, disk: 10 * GB, files: 1000, cpuMs: 1, processes: 1, jobs: 2 },
    ...{ freeDisk: 2 * GB, freeMemory: 0 },
  };
  await relieve({
    cases,
    now: { ...BEGUN, used: BEGUN.used + used, free },
    limits,
    observer,
    device: 0,
    measure: async () => undefined,
    end: ({ jobId }) => stopped.push(jobId),
  });
  return stopped;
}

describe("on a disk that is nearly full", () => {
  const honest = { jobId: "honest", found: 2 * GB, written: 2 * GB };
  const tidy = { jobId: "tidy", found: 0, written: 9 * GB };

  it("the command that has written most is stopped", async () => {
    const small = { jobId: "small", found: GB, written: GB };
    expect(await stoppedBy([small, honest], 3 * GB)).toEqual(["honest"]);
  });

  it("a command that holds files no look finds does not get others stopped", async () => {
    const hiding = { jobId: "hiding", found: 0, written: 6 * GB };
    expect(await stoppedBy([honest, hiding], 8 * GB)).toEqual(["hiding"]);
    expect(await stoppedBy([hiding], 6 * GB, 0.5 * GB)).toEqual(["hiding"]);
  });

  it("what was written and removed is nobody's burden", async () => {
    expect(await stoppedBy([tidy, honest], 2 * GB)).toEqual(["honest"]);
    expect(await stoppedBy([tidy], 0)).toEqual([]);
  });
});
