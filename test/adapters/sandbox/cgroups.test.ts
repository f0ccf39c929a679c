import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { findOwnGroups } from "../../../src/adapters/sandbox/cgroup-place.ts";
import { openUnified } from "../../../src/adapters/sandbox/cgroup-v2.ts";
import { openGroups } from "../../../src/adapters/sandbox/cgroups.ts";
import { type Limits, limitsOf, MB } from "../../../src/core/limits.ts";

const limits: Limits = {
  ...limitsOf(
    { memoryMb: null, diskMb: null, cpuMinutes: null, freeMb: null },
    { memory: 8 * 1024 * MB, cores: 2, processes: 32_768, disk: 2 ** 37 },
    2,
  ),
  memory: 100 * MB,
  processes: 50,
};

function directory(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-groups-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** What `/proc/self` would say of a process, with mounts below `dir`. */
function self(dir: string, mounts: string[], groups: string[]): string {
  const proc = path.join(dir, "self");
  mkdirSync(proc);
  const lines = mounts.map((mount, at) => `${30 + at} 1 0:${at} ${mount}`);
  writeFileSync(path.join(proc, "mountinfo"), `${lines.join("\n")}\n`);
  writeFileSync(path.join(proc, "cgroup"), `${groups.join("\n")}\n`);
  return proc;
}

describe("where the server stands among control groups", () => {
  it("is below the mount of the unified hierarchy", () => {
    const dir = directory();
    mkdirSync(path.join(dir, "fs/system.slice/draftsmith.service"), { recursive: true });
    const proc = self(
      dir,
      [`/ ${dir}/fs rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate`],
      ["0::/system.slice/draftsmith.service"],
    );
    expect(findOwnGroups(proc)).toEqual({
      unified: `${dir}/fs/system.slice/draftsmith.service`,
      legacy: new Map(),
    });
  });

  it("is the mount itself in a container, whatever the path is called outside", () => {
    const dir = directory();
    mkdirSync(path.join(dir, "memory"));
    const proc = self(
      dir,
      [
        `/docker/abc ${dir}/memory ro - cgroup cgroup rw,memory`,
        `/ ${dir}/v2 ro - cgroup2 cgroup rw`,
        `/../other ${dir}/pids ro - cgroup cgroup rw,pids`,
      ],
      ["4:memory:/docker/abc", "5:pids:/docker/xyz", "0::/"],
    );
    expect(findOwnGroups(proc)).toEqual({
      unified: `${dir}/v2`,
      legacy: new Map([
        ["memory", `${dir}/memory`],
        ["pids", `${dir}/pids`],
      ]),
    });
  });

  it("is told apart for controllers that share a hierarchy, with spaces in a path", () => {
    const dir = directory();
    mkdirSync(path.join(dir, "c g/slice"), { recursive: true });
    const proc = self(
      dir,
      [`/ ${dir}/c\\040g rw - cgroup cgroup rw,cpu,cpuacct`],
      ["3:cpu,cpuacct:/slice"],
    );
    const own = findOwnGroups(proc).legacy;
    expect([own.get("cpu"), own.get("cpuacct")]).toEqual([`${dir}/c g/slice`, `${dir}/c g/slice`]);
  });

  it("is nowhere where none are mounted, and the reason is said", async () => {
    const proc = self(directory(), [], []);
    expect(findOwnGroups(proc)).toEqual({ unified: null, legacy: new Map() });
    const opened = await openGroups(limits, proc);
    expect(opened.groups).toBeNull();
    expect(opened.reason).toBe(
      "control groups (v2) are not mounted; control groups (v1) are not mounted",
    );
  });
});

describe("control groups of v2", () => {
  it("bound all jobs together and each of them, and go with the last command", async () => {
    const base = directory();
    writeFileSync(path.join(base, "cgroup.controllers"), "cpuset cpu io memory pids\n");
    writeFileSync(path.join(base, "cgroup.subtree_control"), "cpu memory pids\n");
    const { groups } = await openUnified(base, limits);
    expect(groups).toMatchObject({ version: "v2", bounds: ["memory", "processes", "cpu"] });
    if (groups === null) return;
    const [name = ""] = readdirSync(base).filter((each) => each.startsWith("draftsmith-"));
    const text = (...parts: string[]) => readFileSync(path.join(base, name, ...parts), "utf8");
    expect(text("memory.max")).toBe(String(limits.allMemory));
    expect(text("memory.swap.max")).toBe("0");
    expect(text("cgroup.subtree_control")).toBe("+memory +pids +cpu");
    const [one, other] = await Promise.all([groups.join("job-1"), groups.join("job-1")]);
    await one.add(4321);
    expect(text("job-1", "cgroup.procs")).toBe("4321");
    expect(text("job-1", "memory.max")).toBe(String(100 * MB));
    expect(text("job-1", "memory.oom.group")).toBe("1");
    expect(Number(text("job-1", "pids.max"))).toBeGreaterThanOrEqual(50);
    writeFileSync(
      path.join(base, name, "job-1", "memory.events"),
      "low 0\nmax 9\noom 3\noom_kill 2\n",
    );
    writeFileSync(path.join(base, name, "job-1", "memory.current"), "1234\n");
    writeFileSync(path.join(base, name, "job-1", "cpu.stat"), "usage_usec 1500000\nuser_usec 1\n");
    expect(await other.read()).toEqual({
      memory: 1234,
      oomKills: 2,
      ownLimit: true,
      cpuMs: 1500,
    });
    // The kernel lets a group go whatever files it shows; here they are real.
    rmSync(path.join(base, name, "job-1"), { recursive: true });
    mkdirSync(path.join(base, name, "job-1"));
    await one.release();
    expect(existsSync(path.join(base, name, "job-1"))).toBe(true);
    await other.release();
    expect(existsSync(path.join(base, name, "job-1"))).toBe(false);
  });

  it.each([
    ["", "cpu io", "do not bound memory here"],
    ["session-7.scope", "cpu memory pids", "login session"],
  ])("are left alone in %j with %j", async (name, controllers, reason) => {
    const base = path.join(directory(), name);
    mkdirSync(base, { recursive: true });
    writeFileSync(path.join(base, "cgroup.controllers"), `${controllers}\n`);
    const opened = await openUnified(base, limits);
    expect(opened.groups).toBeNull();
    expect(opened.reason).toContain(reason);
    expect(readdirSync(base)).toEqual(["cgroup.controllers"]);
  });
});

it("bounds the memory of a job by the kernel of this machine, or says why it cannot", async () => {
  const { groups, reason } = await openGroups(limits);
  if (groups === null) {
    expect(reason).toMatch(/control groups|this system/);
    return;
  }
  onTestFinished(() => groups.close());
  const group = await groups.join("job-1");
  const script = `read -r _; perl -e '$x = "a" x (300 * 1024 * 1024)'; echo "exit code $?"`;
  const child = spawn("bash", ["-c", script], { stdio: ["pipe", "pipe", "ignore"] });
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
  });
  if (child.pid !== undefined) await group.add(child.pid);
  child.stdin.end("\n");
  await once(child, "close");
  const counted = await group.read();
  expect(counted).toMatchObject({ ownLimit: true });
  expect(counted.oomKills).toBeGreaterThan(0);
  expect(counted.cpuMs ?? 1).toBeGreaterThan(0);
  expect(said).not.toContain("exit code 0");
  await group.release();
});
