import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Outcome } from "./outcome.ts";

const CASES = path.join(import.meta.dirname, "cases");

/** Text files by their path. */
export type Files = Record<string, string>;

/** One act of a solution, which a scripted model does by a tool and which can be done to files in memory. */
export type Step =
  | { do: "write"; path: string; content: string }
  | { do: "edit"; path: string; old: string; new: string }
  | { do: "remove"; path: string }
  /** Only for solutions that a whole job plays. */
  | { do: "run"; command: string };

/** What an agent may have made of the task. */
export interface Solution {
  steps: Step[];
  report: string;
}

/** Null when it is met, else why it is not, for a person. */
export type Criterion = (outcome: Outcome) => string | null | Promise<string | null>;

/** A task that shows what a skill is worth: a repository, what a person typed, and how to judge what came out. */
export interface SkillCase {
  skill: string;
  /** What stands on the issue or, with `pull/`, on the pull request. */
  subject: { title: string; body: string };
  /** As it is typed behind `/codex`. */
  task: string;
  /** What the controller runs; has to pass, too. */
  checks: string[];
  /** On top of the first commit, which holds `repo/`. */
  commits?: { message: string; files: Files; tag?: string }[];
  /** How the job has to end. */
  ends: "done" | "no_change";
  criteria: Record<string, Criterion>;
  good: Solution;
  /** The traps, by name; `fails` are the criteria that have to catch one, and no other may. */
  bad: Record<string, Solution & { fails: string[]; ends?: "done" | "no_change" }>;
}

/** A case with its files. */
export interface LoadedCase extends SkillCase {
  /** The repository at the start. */
  repo: Files;
  /** What the pull request changes; null where the task stands on an issue. */
  pull: Files | null;
  /** What the judge lays over the result; no agent sees it. */
  hidden: Files;
}

/** All cases, by the name of their folder. */
export async function loadCases(): Promise<LoadedCase[]> {
  const names = readdirSync(CASES).sort();
  return Promise.all(
    names.map(async (name) => {
      const dir = path.join(CASES, name);
      const { skillCase } = (await import(path.join(dir, "case.ts"))) as { skillCase: SkillCase };
      const pull = filesBelow(path.join(dir, "pull"));
      return {
        ...skillCase,
        repo: filesBelow(path.join(dir, "repo")),
        pull: Object.keys(pull).length > 0 ? pull : null,
        hidden: filesBelow(path.join(dir, "hidden")),
      };
    }),
  );
}

/** The files as the task meets them. */
export function filesAtStart({ repo, commits = [], pull }: LoadedCase): Files {
  return Object.assign({}, repo, ...commits.map((commit) => commit.files), pull);
}

/** The files after these steps. */
export function applySteps(files: Files, steps: Step[]): Files {
  const after = { ...files };
  for (const step of steps) {
    switch (step.do) {
      case "write":
        after[step.path] = step.content;
        break;
      case "edit": {
        const parts = (after[step.path] ?? "").split(step.old);
        if (parts.length !== 2)
          throw new Error(`${step.path} holds ${JSON.stringify(step.old)} not once`);
        after[step.path] = parts.join(step.new);
        break;
      }
      case "remove":
        delete after[step.path];
        break;
      case "run":
        throw new Error("a command needs a whole job");
    }
  }
  return after;
}

export const write = (path: string, content: string): Step => ({ do: "write", path, content });

export const edit = (path: string, from: string, to: string): Step => ({
  do: "edit",
  path,
  old: from,
  new: to,
});

function filesBelow(dir: string): Files {
  let names: string[];
  try {
    names = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  return Object.fromEntries(
    names.sort().map((name) => [name, readFileSync(path.join(dir, name), "utf8")]),
  );
}
