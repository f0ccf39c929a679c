import { didYouMean } from "./did-you-mean.ts";
import { codeSpan } from "./markdown.ts";

const MAX_SLUG = 40;
/** Skills that an answer names. */
const MAX_NAMED = 40;

/**
 * The skill of a task: the one its flag names, else the one whose name is the task's first word
 * ("refactor auth"), else none. The problem is a sentence without its full stop.
 */
export function chooseSkill(
  task: string,
  flag: string | undefined,
  names: string[],
): { skill: string | null } | { problem: string } {
  if (flag !== undefined) {
    if (names.includes(flag)) return { skill: flag };
    const meant = didYouMean(flag, names);
    const hint = meant ? `; did you mean ${codeSpan(meant)}?` : ".";
    const list =
      names.length > 0
        ? `The skills here: ${names.slice(0, MAX_NAMED).map(codeSpan).join(", ")}${names.length > MAX_NAMED ? " and more" : ""}`
        : "No skills are installed here";
    return { problem: `there is no skill ${codeSpan(flag)}${hint} ${list}` };
  }
  const first = /^\S+/.exec(task)?.[0].toLowerCase();
  return { skill: names.find((name) => name === first) ?? null };
}

/**
 * Branch of a job: `codex/<issue>-<slug of the task>-<short id>`, ASCII, always a valid branch name.
 */
export function branchName(issue: number, task: string, jobId: string): string {
  const slug = task
    .slice(0, 1000)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "");
  const short = slug.length > MAX_SLUG ? atWord(slug.slice(0, MAX_SLUG + 1)) : slug;
  return `codex/${issue}-${short.replace(/-+$/, "") || "task"}-${shortId(jobId)}`;
}

/** The eight digits by which people name a job: the end of its UUIDv7, its random part. */
export function shortId(jobId: string): string {
  return jobId.replaceAll("-", "").slice(-8).toLowerCase();
}

/** Whether a branch is, by its name, one that an agent wrote. */
export function isAgentBranch(name: string): boolean {
  return /^codex\//i.test(name);
}

/** Cut at the last word that fits whole, unless the first word alone is too long. */
function atWord(slug: string): string {
  const end = slug.lastIndexOf("-");
  return slug.slice(0, end > MAX_SLUG / 2 ? end : MAX_SLUG);
}
