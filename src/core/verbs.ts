import { didYouMean } from "./did-you-mean.ts";

/** What kind of result a job makes. Those that only read leave no branch and push nothing. */
export type Work = "change" | "fix" | "rebase" | "undo" | "review" | "ask" | "plan";

/** Whether work only reads: its workspace is thrown away, and its result is words. */
export function isReadOnly(work: Work): boolean {
  return work === "review" || work === "ask" || work === "plan";
}

/** What a person asks that starts no job by itself. */
export type Control =
  | { verb: "status" }
  | { verb: "ready" }
  /** The job of that short id; null: those that failed here last. */
  | { verb: "retry"; job: string | null }
  /** Which of several attempts at one task is kept. */
  | { verb: "pick"; job: string };

/** What a command line asks by its first word. A problem is a sentence without its full stop. */
type VerbLine =
  | { kind: "work"; work: Exclude<Work, "change">; words: string }
  | { kind: "control"; control: Control }
  | { kind: "near"; problem: string }
  /** Free text: a task. */
  | { kind: "other" };

/** Verbs that take words, and so are meant whatever follows: a review request never starts a write job. */
const WITH_WORDS = ["review", "ask", "plan"] as const;
/** Verbs that stand alone: with words behind it each may begin a task. */
const ALONE = ["status", "ready", "fix", "rebase", "undo", "retry", "pick"] as const;

const HOW: Record<(typeof WITH_WORDS)[number] | (typeof ALONE)[number], string> = {
  review: "`/codex review`, on a pull request, reviews it",
  ask: "`/codex ask QUESTION` answers a question",
  plan: "`/codex plan TASK` plans a task and starts nothing",
  status: "`/codex status`, alone, tells what is under way here",
  ready: "`/codex ready`, alone, marks the pull request ready for review",
  fix: "`/codex fix`, alone on a pull request, mends its failing checks",
  rebase: "`/codex rebase`, alone, brings the pull request up to its base branch",
  undo: "`/codex undo`, alone, reverts the last commit of Draftsmith on the pull request",
  retry: "`/codex retry JOB` starts a job anew, by the 8 digits that the board shows",
  pick: "`/codex pick JOB` keeps one of several attempts, by the 8 digits that the board shows",
};

/** Words beside a verb that name no work: with only such words it is nearly the verb. */
const NO_WORK =
  /^(?:an?|the|this|that|it|its|all|everything|last|latest|commit|commits|change|changes|job|jobs|run|task|pr|pull|request|branch|mr|now|please|again|for|of|on|to|as|me|up|main|master|checks?|ci|build|tests?|failing|failed|broken|review|#?\d+|[0-9a-f]{4,64})$/i;

/** Reads the verb of a command line; `more`: whether something hangs on the line below it. */
export function parseVerb(line: string, more: boolean): VerbLine {
  const [first = "", ...words] = line.trim().split(/\s+/);
  const verb = bare(first)
    .replace(/[.!?:,]+$/, "")
    .toLowerCase();
  const withWords = WITH_WORDS.find((each) => each === verb);
  if (withWords !== undefined) {
    const said = line.trim().slice(first.length).trim();
    if (said !== "" || more || withWords === "review") {
      return { kind: "work", work: withWords, words: said };
    }
    return near(withWords === "ask" ? "ask" : "plan");
  }
  const plain = words.map((word) => bare(word).replace(/[.!?]+$/, ""));
  const alone = ALONE.find((each) => each === verb);
  if (alone !== undefined && !more) {
    const exact = exactly(alone, plain);
    if (exact !== null) return exact;
    // "Fix the tests" says what is to be done.
    const says = alone === "fix" || !plain.every((word) => NO_WORK.test(word));
    return says ? { kind: "other" } : near(alone);
  }
  const meant = didYouMean(verb, [...WITH_WORDS, ...ALONE]);
  const typed = [...WITH_WORDS, ...ALONE].find((each) => each === meant);
  if (typed === undefined || verb === typed) return { kind: "other" };
  // A task may begin with a word that is only like a verb: "preview the mails".
  const swapped = [...verb].sort().join("") === [...typed].sort().join("");
  const slip = swapped || (!more && plain.every((word) => NO_WORK.test(word)));
  return slip ? near(typed) : { kind: "other" };
}

function exactly(verb: (typeof ALONE)[number], words: string[]): VerbLine | null {
  const [what, ...rest] = words;
  const job = what !== undefined && isJob(what) && rest.length === 0 ? what.toLowerCase() : null;
  switch (verb) {
    case "status":
    case "ready":
      return words.length === 0 ? { kind: "control", control: { verb } } : null;
    case "fix":
    case "rebase":
    case "undo":
      return words.length === 0 ? { kind: "work", work: verb, words: "" } : null;
    case "retry":
      if (words.length > 0 && job === null) return null;
      return { kind: "control", control: { verb, job } };
    case "pick":
      return job === null ? null : { kind: "control", control: { verb, job } };
  }
}

function near(verb: keyof typeof HOW): VerbLine {
  return { kind: "near", problem: HOW[verb] };
}

function isJob(word: string): boolean {
  return /^[0-9a-f]{8}$/i.test(word);
}

function bare(word: string): string {
  return /^`+([^`]*)`+$/.exec(word)?.[1] ?? word;
}
