import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BOMB,
  countOf,
  expectOthersUnhurt,
  FILES_IN_MEMORY,
  FILL,
  HERD,
  HOG,
  LOW,
  type Pressed,
  perl,
  press,
} from "./pressed.ts";

let side: Pressed;

/** Plays something on a machine with other bounds, once nothing else runs. */
async function pressed<T>(
  options: Parameters<typeof press>[0],
  play: (own: Pressed) => Promise<T>,
): Promise<T> {
  const own = await press(options);
  try {
    return await play(own);
  } finally {
    await own.end();
  }
}

describe("a hostile command under other bounds", () => {
  it("resources-14 burns the processors in as many processes as it can", () =>
    pressed({ limits: { cpuMs: 2000 } }, async (own) => {
      const job = await own.workspace();
      const result = await own.attack(
        "for i in $(seq 60); do (setsid sh -c 'while :; do :; done' &) ; done; sleep 15; echo survived",
        { at: job },
      );
      expect(result).toMatchObject({ exitCode: null, stopped: "cpu" });
      expect(result.output).toContain("[stopped: it used more than 2 s of CPU time]");
      expectOthersUnhurt(result);
      await expect(own.run(job, "echo more")).rejects.toThrow("it used more than 2 s of CPU time");
    }));

  it("resources-20 makes the machine short of memory: the command that holds most of it goes", () =>
    pressed({ limits: { freeMemory: Number.MAX_SAFE_INTEGER } }, async (own) => {
      const result = await own.attack(
        perl(`$x = "a" x (120 * 1024 * 1024); sleep 10; print "survived\\n"`),
      );
      expect(result).toMatchObject({ exitCode: null, stopped: "memory" });
      expect(result.output).toBe("[stopped: the server ran low on memory]\n");
      expectOthersUnhurt(result);
      expect(await own.sandbox.room()).toMatch(/of memory are free; a job begins when/);
    }));

  it("resources-21 makes the machine short of disk: the command that writes most goes, no job begins", () =>
    pressed({ limits: { freeDisk: 2 ** 50, disk: 2 ** 40 } }, async (own) => {
      expect(await own.sandbox.room()).toMatch(/of the disk are free; a job begins when/);
      const result = await own.run(await own.workspace(), `${FILL}; sleep 10; echo survived`);
      expect(result).toMatchObject({ exitCode: null, stopped: "disk" });
      expect(result.output).toContain("[stopped: the disk of the server is nearly full]");
    }));
});

describe("a hostile command where the kernel has no control groups for us", () => {
  beforeAll(async () => {
    side = await press({ controlGroups: false });
    await side.sandbox.check();
  });
  afterAll(() => side.end());

  it("resources-22 is a fork bomb", async () => {
    const result = await side.attack(BOMB);
    expect(countOf(result.output)).toBeLessThan(LOW.processes ?? 0);
    expectOthersUnhurt(result);
  });

  it("resources-23 takes 2 GB of memory in one process", async () => {
    const result = await side.attack(HOG);
    expect(result.output).not.toContain("survived");
    expect(result.exitCode).not.toBe(0);
    expectOthersUnhurt(result);
  });

  it("resources-24 takes memory in many processes, each of them small", async () => {
    const result = await side.attack(HERD);
    expect(result).toMatchObject({ exitCode: null, stopped: "memory" });
    expect(result.output).toContain(
      "[stopped: it used more than 300 MB of memory; the server's DRAFTSMITH_MEMORY_MB",
    );
    expectOthersUnhurt(result);
  });

  it("resources-25 fills files that exist in memory only", async () => {
    const result = await side.attack(FILES_IN_MEMORY);
    expect(result.stopped).toBe("memory");
    expect(result.output).not.toContain("survived");
    expectOthersUnhurt(result);
  });

  it("resources-26 shares its pages, and is no hog", async () => {
    const result = await side.attack(
      perl(
        `$x = "a" x (100 * 1024 * 1024); for (1..10) { fork or do { sleep 2; exit } } wait for 1..10; print "honest\\n"`,
      ),
    );
    expect(result).toMatchObject({ exitCode: 0, stopped: null, output: "honest\n" });
  });
});
