import { rm } from "node:fs/promises";
import path from "node:path";
import type { JobState } from "../../src/core/job.ts";
import { putFile } from "../support/agent-workspace.ts";
import { makeRoot, makeSandbox, makeWorkspace } from "../support/workspace.ts";
import type { Criterion, Files, LoadedCase } from "./case.ts";

/** How a command ended. */
interface Ran {
  ok: boolean;
  output: string;
}

/** What came out of a task, as the criteria look at it. */
export interface Outcome {
  state: JobState;
  /** All of the agent's report. */
  report: string;
  before: Files;
  after: Files;
  /** Paths that were added, changed or removed. */
  changed: string[];
  /** What lies ready to be laid over the result. */
  hidden: Files;
  /** Runs a command on a copy of these files, in the sandbox: whoever wrote them is not trusted. */
  run(files: Files, command: string): Promise<Ran>;
}

/** Where commands of judges run. */
export interface Bench {
  run: Outcome["run"];
  close(): Promise<void>;
}

/** What a criterion said. */
export interface Verdict {
  criterion: string;
  /** Null when it is met. */
  problem: string | null;
}

/** Opens a place for the commands of judges. */
export async function openBench(): Promise<Bench> {
  const { root, remove } = await makeRoot();
  const sandbox = makeSandbox(root);
  let count = 0;
  /** Several criteria ask for the same. */
  const known = new Map<string, Promise<Ran>>();

  async function runOnce(files: Files, script: string): Promise<Ran> {
    count += 1;
    const workspace = await makeWorkspace(root, `run-${count}`);
    for (const [name, content] of Object.entries(files)) await putFile(workspace, name, content);
    const { exitCode, output } = await sandbox.run({
      workspace,
      script,
      timeoutMs: 60_000,
      maxOutputBytes: 1024 * 1024,
    });
    await rm(path.dirname(workspace.tree), { recursive: true, force: true });
    return { ok: exitCode === 0, output };
  }

  return {
    run(files, script) {
      const key = JSON.stringify([script, Object.entries(files).sort()]);
      const ran = known.get(key) ?? runOnce(files, script);
      known.set(key, ran);
      return ran;
    },
    async close() {
      await sandbox.stop();
      await remove();
    },
  };
}

/** Judges what came out: how it ended, the checks, and what the case asks for. */
export async function judge(
  skillCase: LoadedCase,
  found: Pick<Outcome, "state" | "report" | "before" | "after">,
  bench: Bench,
): Promise<Verdict[]> {
  const { before, after } = found;
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changed = paths.filter((name) => before[name] !== after[name]);
  const outcome: Outcome = { ...found, changed, hidden: skillCase.hidden, run: bench.run };
  const criteria: Record<string, Criterion> = {
    [`ends as ${skillCase.ends}`]: ({ state }) =>
      state === skillCase.ends ? null : `it ended as ${state}`,
    "passes the checks": passes(skillCase.checks),
    ...skillCase.criteria,
  };
  return Promise.all(
    Object.entries(criteria).map(async ([criterion, check]) => ({
      criterion,
      problem: await check(outcome),
    })),
  );
}

/** The result passes these commands, with what `over` picks of the hidden files laid over it. */
export function passes(commands: string[], over: string[] = []): Criterion {
  return async ({ after, hidden, run }) => {
    const files = { ...after, ...pick(hidden, over) };
    for (const command of commands) {
      const { ok, output } = await run(files, command);
      if (!ok) return `${command} fails: ${lastOf(output)}`;
    }
    return null;
  };
}

/** The result passes a hidden test. */
export function passesHidden(name: string): Criterion {
  return passes([`node ${name}`], [name]);
}

/** Nothing but these paths was changed. */
export function onlyChanges(...allowed: RegExp[]): Criterion {
  return ({ changed }) => {
    const others = changed.filter((name) => !allowed.some((each) => each.test(name)));
    return others.length === 0 ? null : `it also changes ${others.join(", ")}`;
  };
}

/** These files are as they were. */
export function keeps(...names: string[]): Criterion {
  return ({ changed }) => {
    const touched = names.filter((name) => changed.includes(name));
    return touched.length === 0 ? null : `it changes ${touched.join(", ")}`;
  };
}

/** Tests that were there pass on the result as they were, and none of them went. */
export function keepsTests(command = "node --test"): Criterion {
  return async ({ before, after, run }) => {
    const old = Object.fromEntries(Object.entries(before).filter(([name]) => isTest(name)));
    const { ok, output } = await run({ ...withoutTests(after), ...old }, command);
    if (!ok) return `a test that was there fails: ${lastOf(output)}`;
    const bent = Object.keys(old).find((name) =>
      assertionsOf(old[name]).some((line) => !assertionsOf(after[name]).includes(line)),
    );
    return bent === undefined ? null : `an assertion of ${bent} went or was bent`;
  };
}

/** The tests of the result fail on the code as it was: they would have noticed. */
export function testsFailedBefore(command = "node --test"): Criterion {
  return async ({ before, after, changed, run }) => {
    const tests = changed.filter((name) => isTest(name) && name in after);
    if (tests.length === 0) return "there is no new test";
    const { ok } = await run({ ...before, ...pick(after, tests) }, command);
    return ok ? "the new tests pass without the change, too" : null;
  };
}

/** The report says something that fits. */
export function reports(...expected: RegExp[]): Criterion {
  return ({ report }) => {
    const missing = expected.filter((each) => !each.test(report));
    return missing.length === 0 ? null : `the report has nothing like ${missing.join(", ")}`;
  };
}

function isTest(name: string): boolean {
  return /^test\//.test(name);
}

/** Some of these files. */
export function pick(files: Files, names: string[]): Files {
  return Object.fromEntries(names.map((name) => [name, files[name] ?? ""]));
}

function withoutTests(files: Files): Files {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !isTest(name)));
}

function assertionsOf(text = ""): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /\bassert\b.*\(/.test(line));
}

/** What of an output tells why it failed: its first errors, else its end. */
function lastOf(output: string): string {
  const lines = output.trim().split("\n");
  const errors = lines.filter((line) => /^\s*(not ok|✖|error:|\w*Error\b)/.test(line));
  const told = errors.length > 0 ? errors.slice(0, 5) : lines.slice(-12);
  return told
    .map((line) => line.trim())
    .join(" / ")
    .slice(0, 600);
}
