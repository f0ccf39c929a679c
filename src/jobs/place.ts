import type { ParsedTask } from "../core/command.ts";
import type { Job, Target } from "../core/job.ts";
import { codeSpan } from "../core/markdown.ts";
import { branchName } from "../core/plan.ts";
import type { GitHub, PullFacts } from "../core/ports.ts";
import type { Request } from "../core/request.ts";
import { isReadOnly } from "../core/verbs.ts";

/** Where the work of a task starts and where its change will go. */
type Place =
  | { kind: "place"; baseSha: string; target: Target }
  | { kind: "refused"; reason: string };

/** Finds the place of each task of one command. */
export type PlaceOf = (task: ParsedTask, jobId: string) => Promise<Place>;

/** On an issue: a new branch from the base branch, whose commit is asked for once per branch. */
export function branchPlaces(
  request: Request,
  bases: { configured: string | undefined; default: string },
  github: GitHub,
): PlaceOf {
  const shas = new Map<string, Promise<string | null>>();
  return async (task, jobId) => {
    const base = task.flags.base ?? bases.configured ?? bases.default;
    const asked = shas.get(base) ?? github.branchSha(request.repo, base);
    shas.set(base, asked);
    const baseSha = await asked;
    if (baseSha !== null) {
      return { kind: "place", baseSha, target: targetOf(request, task, jobId, base) };
    }
    if (base === bases.default) return refused("this repository is empty; push a first commit");
    return refused(`there is no branch ${codeSpan(base)}; name one that exists with \`--base\``);
  };
}

/** On a pull request: a commit on its branch when it is `ours`, else a draft onto its branch. */
export function pullPlaces(request: Request, pull: PullFacts, ours: Job | null): PlaceOf {
  return async (task, jobId) => {
    if (task.flags.base !== undefined) {
      return refused("`--base` has no meaning on a pull request: work starts from its branch");
    }
    if (pull.state !== "open" && !isReadOnly(task.work)) {
      return refused("this pull request is closed");
    }
    const adds = ours && !isReadOnly(task.work);
    const target: Target = adds
      ? { kind: "follow_up", branch: pull.headRef, base: pull.baseRef, pull: pull.number }
      : targetOf(request, task, jobId, pull.headRef);
    return { kind: "place", baseSha: pull.headSha, target };
  };
}

function targetOf(request: Request, task: ParsedTask, jobId: string, base: string): Target {
  if (isReadOnly(task.work)) {
    return { kind: "answer", base, pull: request.issue.isPull ? request.issue.number : null };
  }
  const branch = branchName(request.issue.number, task.text, jobId);
  return { kind: "new_pull", branch, base, draft: task.flags.draft ?? true };
}

function refused(reason: string): Place {
  return { kind: "refused", reason };
}
