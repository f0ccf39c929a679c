import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { git } from "../../demo/github/bare.ts";
import type { Dozing, Fault } from "./failpoints.ts";
import { sqlOn } from "./open-test-store.ts";
import { openWorld, type World, type WorldOptions } from "./world.ts";
import { PATIENCE } from "./world-repository.ts";

/** A world whose server has failpoints, and what is counted over all its deaths. */
export interface FaultWorld {
  world: World;
  /** Arms faults in the running server. */
  arm(faults: Fault[]): Promise<void>;
  /** Failpoints as they were passed, oldest first, by all processes. */
  passed(): { pid: number; name: string }[];
  /** Resolves when the server that runs now is dead. */
  death(): Promise<void>;
  /** What is wrong that was not when this was last asked; an empty list when nothing is. */
  wrongs(): Promise<string[]>;
  end(): Promise<void>;
}

/** Arms faults in a process that has failpoints. */
export async function armFaults(child: ChildProcess, faults: Fault[]): Promise<void> {
  const armed = Promise.withResolvers<void>();
  const hear = (message: unknown) => message === "armed" && armed.resolve();
  child.on("message", hear);
  child.send(faults);
  await armed.promise;
  child.off("message", hear);
}

/** Resolves when so many calls of a process doze (test/support/failpoints.ts). */
export async function dozing(child: ChildProcess, count: number): Promise<void> {
  const all = Promise.withResolvers<void>();
  const there: string[] = [];
  const hear = (message: Partial<Dozing>) => {
    if (message.dozes === undefined) return;
    there.push(`${message.about} ${message.dozes}`);
    if (there.length === count) all.resolve();
  };
  child.on("message", hear);
  const limit = setTimeout(
    () => all.reject(new Error(`only these doze:\n${there.join("\n")}`)),
    (60_000 + count * 10_000) * PATIENCE,
  );
  try {
    await all.promise;
  } finally {
    clearTimeout(limit);
    child.off("message", hear);
  }
}

/** Opens a world with failpoints; call `end` after the tests. */
export async function openFaultWorld(options: WorldOptions): Promise<FaultWorld> {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-faults-"));
  const record = path.join(dir, "passed");
  const { world, end } = await openWorld({
    ...options,
    failpoints: true,
    env: { FAULTS_RECORD: record, ...options.env },
  });

  const told = new Set<string>();

  function passed(): { pid: number; name: string }[] {
    if (!existsSync(record)) return [];
    return readFileSync(record, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => ({ pid: Number.parseInt(line, 10), name: line.replace(/^\d+ /, "") }));
  }

  return {
    world,
    passed,
    async arm(faults) {
      const child = world.child();
      await armFaults(child, faults);
    },
    async death() {
      const child = world.child();
      if (child.signalCode === null && child.exitCode === null) await once(child, "exit");
    },
    async wrongs() {
      const found = [
        ...doubled(boardsOf(world)).map((board) => `two boards: ${board}`),
        ...(await notEndedOnce(world)),
        ...doubled(world.pulls().map(({ head }) => head)).map((head) => `two pulls: ${head}`),
        ...paidTwice(world, passed()),
        ...(await settled(() => leftoversOf(world))),
      ];
      const fresh = found.filter((each) => !told.has(each));
      for (const each of fresh) told.add(each);
      return fresh;
    },
    async end() {
      await end();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Of each board its command's marker. */
function boardsOf(world: World): string[] {
  return [...world.github.repository("shop").comments.values()].flatMap(({ body }) =>
    [...body.matchAll(/<!-- (draftsmith:board:[^ ]*) -->/g)].map(([, marker = ""]) => marker),
  );
}

async function notEndedOnce(world: World): Promise<string[]> {
  const jobs = await sqlOn(world.place, "select id, state from jobs");
  const events = await sqlOn(
    world.place,
    "select job_id, payload from events order by job_id, seq",
  );
  return jobs.flatMap(({ id, state }) => {
    const endings = events
      .filter((event) => event.job_id === id)
      .map(({ payload }) => JSON.parse(String(payload)))
      .filter((event) => event.type === "state" && ENDINGS.has(event.to))
      .map((event) => event.to);
    // What was held ends a second time once it is let out.
    const once = endings.filter((to, at) => to !== "blocked" || at === endings.length - 1);
    return once.length === 1 && once[0] === state ? [] : [`${id}: ${state} after ${endings}`];
  });
}

const ENDINGS = new Set(["done", "no_change", "blocked", "over_budget", "failed", "cancelled"]);

/** Model calls beyond one for each reply and one for each that was under way when a process died. */
function paidTwice(world: World, passed: { pid: number; name: string }[]): string[] {
  const asked = world.model.requests.map(({ body }) => JSON.stringify(body.messages));
  const twice = asked.length - new Set(asked).size;
  const open = new Map<number, number>();
  for (const { pid, name } of passed) {
    const change =
      name === "model.tryOnce:before" ? 1 : /^store\.write:.*reply.*:after$/.test(name) ? -1 : 0;
    open.set(pid, (open.get(pid) ?? 0) + change);
  }
  open.delete(world.child().pid ?? 0);
  const underWay = [...open.values()].reduce((sum, count) => sum + count, 0);
  return twice > underWay ? [`${twice} replies asked for twice, ${underWay} were under way`] : [];
}

async function leftoversOf(world: World): Promise<string[]> {
  const refs = await git(world.bare, ["for-each-ref", "--format=%(refname)", "refs/draftsmith"]);
  const workspaces = path.join(world.dataDir, "work", "workspaces");
  const left = existsSync(workspaces) ? readdirSync(workspaces) : [];
  return [...refs.split("\n").filter((ref) => ref !== ""), ...left, ...strayProcesses(world)];
}

/** Processes that work below the world's directory and are not its server. */
function strayProcesses(world: World): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== world.child().pid)
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        const cwd = readlinkSync(`/proc/${pid}/cwd`);
        const ours = words.includes(world.dataDir) || cwd.startsWith(world.dataDir);
        return ours ? [`process ${pid}: ${words.slice(0, 200)}`] : [];
      } catch {
        return []; // It ended meanwhile.
      }
    });
}

/** What is still there when what takes a moment has had it. */
async function settled(look: () => Promise<string[]>): Promise<string[]> {
  const until = performance.now() + 15_000 * PATIENCE;
  let left = await look();
  while (left.length > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = await look();
  }
  return left;
}

function doubled(names: string[]): string[] {
  return names.filter((name, at) => names.indexOf(name) !== at);
}
