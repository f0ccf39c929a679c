import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  askedLimits,
  broken,
  limitSettings,
  limitsOf,
  type Machine,
  MB,
} from "../../src/core/limits.ts";

const GB = 1024 * MB;
const machine: Machine = { memory: 24 * GB, cores: 2, processes: 32_768, disk: 250 * GB };
const nothing = askedLimits({});

describe("what jobs may use of a machine", () => {
  it("is a fair part of it where nothing is asked", () => {
    expect(limitsOf(nothing, machine, 4)).toEqual({
      memory: 5.5 * GB,
      allMemory: 22 * GB,
      disk: 10 * GB,
      files: 1_048_576,
      cpuMs: 120 * 60_000,
      processes: 2048,
      jobs: 4,
      freeDisk: 2 * GB,
      freeMemory: 768 * MB,
    });
  });

  it("leaves something for the server on a small machine", () => {
    const small = limitsOf(nothing, { ...machine, memory: 2 * GB, disk: 10 * GB }, 4);
    expect(small).toMatchObject({ memory: GB, allMemory: 1792 * MB, disk: 1.25 * GB });
    expect(small.freeDisk).toBe(512 * MB);
    const tiny = limitsOf(nothing, { ...machine, memory: GB }, 1);
    expect(tiny.memory).toBeLessThanOrEqual(768 * MB);
    expect(tiny.allMemory).toBeLessThan(GB);
  });

  it("is less for each where many run, and together never all processes there may be", () => {
    const many = limitsOf(nothing, machine, 64);
    expect(many.memory).toBe(GB);
    expect(many.processes).toBe(256);
    expect(many.processes * many.jobs).toBeLessThan(machine.processes);
  });

  it("is what was asked for", () => {
    const asked = { memoryMb: 300, diskMb: 64, cpuMinutes: 5, freeMb: 100 };
    expect(limitsOf(asked, machine, 2)).toMatchObject({
      memory: 300 * MB,
      disk: 64 * MB,
      files: 20_000,
      cpuMs: 300_000,
      freeDisk: 100 * MB,
    });
    const greedy = limitsOf({ ...asked, memoryMb: 100_000 }, machine, 2);
    expect(greedy.allMemory).toBe(100_000 * MB);
  });
});

describe("the settings of an operator", () => {
  const settings = z.object(limitSettings);
  const read = (given: Record<string, string>) => askedLimits(settings.parse(given));

  it("are read as numbers, and leave the rest to the machine", () => {
    expect(read({})).toEqual({ memoryMb: null, diskMb: null, cpuMinutes: null, freeMb: null });
    expect(read({ DRAFTSMITH_MEMORY_MB: "4096", DRAFTSMITH_FREE_MB: "0" })).toMatchObject({
      memoryMb: 4096,
      freeMb: 0,
    });
  });

  it.each([
    ["DRAFTSMITH_MEMORY_MB", "255"],
    ["DRAFTSMITH_MEMORY_MB", "4G"],
    ["DRAFTSMITH_MEMORY_MB", "-1"],
    ["DRAFTSMITH_MEMORY_MB", "1e9"],
    ["DRAFTSMITH_DISK_MB", "63"],
    ["DRAFTSMITH_DISK_MB", "9999999999"],
    ["DRAFTSMITH_CPU_MINUTES", "0"],
    ["DRAFTSMITH_CPU_MINUTES", "1.5"],
    ["DRAFTSMITH_FREE_MB", "much"],
  ])("refuse %s=%s with what to write instead", (name, value) => {
    const said = settings.safeParse({ [name]: value }).error?.issues.map((each) => each.message);
    expect(said?.[0]).toMatch(
      /^must be a whole number of (megabytes|minutes) from \d+; leave it out for /,
    );
  });
});

it("says which bound was broken, with its number", () => {
  const limits = limitsOf(
    { memoryMb: 4096, diskMb: 10_240, cpuMinutes: 90, freeMb: 1 },
    machine,
    1,
  );
  expect(broken.memory(limits).words).toBe(
    "it used more than 4,096 MB of memory; the server's DRAFTSMITH_MEMORY_MB allows more",
  );
  expect(broken.disk(limits).words).toBe("it used more than 10,240 MB of disk");
  expect(broken.files(limits).words).toBe("it made more than 1,048,576 files");
  expect(broken.cpu(limits).words).toBe("it used more than 90 minutes of CPU time");
  expect(broken.cpu({ ...limits, cpuMs: 4000 }).words).toBe("it used more than 4 s of CPU time");
});
