import { didYouMean } from "./did-you-mean.ts";

/** What kind of result a job makes. */
export type Work = "change" | "ask" | "plan";

/** Whether work only reads: its workspace is thrown away, and its result is words. */
export function isReadOnly(work: Work | undefined): work is "ask" | "plan" {
  return work === "ask" || work === "plan";
}

/** What a person asks that starts no job. */
export interface Control {
  verb: "status" | "ready";
}

/** What a command line asks by its first word. A problem is a sentence without its full stop. */
type VerbLine =
  | { kind: "work"; work: Exclude<Work, "change"> }
  | { kind: "control"; control: Control }
  /** To begin a job anew, by its 8 digits; null: those that failed. */
  | { kind: "retry"; job: string | null }
  | { kind: "near"; problem: string }
  /** Free text: a task. */
  | { kind: "other" };

/** Verbs that take words, and so are meant whatever follows: a question never starts work that writes. */
const WITH_WORDS = ["ask", "plan"] as const;
/** Verbs that stand alone: with words behind it each may begin a task. */
const ALONE = ["status", "ready", "retry"] as const;

const HOW: Record<(typeof WITH_WORDS)[number] | (typeof ALONE)[number], string> = {
  ask: "`/codex ask QUESTION` answers a question and changes nothing",
  plan: "`/codex plan TASK` plans a task and changes nothing",
  ready:
    "`/codex ready`, alone in a comment on a pull request of Draftsmith's, marks it ready for review",
  retry:
    "`/codex retry`, alone, begins what failed here anew, and `/codex retry JOB` the one job with these 8 digits",
  status: "`/codex status`, alone in a comment, tells what was asked for here and how it stands",
};

/** Words beside a verb that name no work: with only such words it is nearly the verb. */
const NO_WORK =
  /^(?:an?|the|this|that|it|all|everything|last|latest|jobs?|run|task|tasks|pr|pull|request|now|please|again|for|of|on|to|me|#?\d+|[0-9a-f]{8})$/i;

/** Reads the verb of a command line; `more`: whether something hangs on the line below it. */
export function parseVerb(line: string, more: boolean): VerbLine {
  const [first = "", ...words] = line.trim().split(/\s+/);
  const verb = bare(first).toLowerCase();
  const said = words.length > 0 || more;
  const withWords = WITH_WORDS.find((each) => each === verb);
  if (withWords !== undefined) return said ? { kind: "work", work: withWords } : near(withWords);
  const plain = words.map(bare);
  const idle = !more && plain.every((word) => NO_WORK.test(word));
  const alone = ALONE.find((each) => each === verb);
  if (
    alone === "retry" &&
    plain.length <= 1 &&
    plain.every((word) => /^[0-9a-f]{8}$/i.test(word))
  ) {
    return { kind: "retry", job: plain[0]?.toLowerCase() ?? null };
  }
  if (alone !== undefined && alone !== "retry" && !said) {
    return { kind: "control", control: { verb: alone } };
  }
  if (alone !== undefined) return idle ? near(alone) : { kind: "other" };
  const meant = didYouMean(verb, [...WITH_WORDS, ...ALONE]);
  const typed = [...WITH_WORDS, ...ALONE].find((each) => each === meant);
  // A task may begin with a word that is only like a verb: "plant a hint".
  return typed !== undefined && idle ? near(typed) : { kind: "other" };
}

function near(verb: keyof typeof HOW): VerbLine {
  return { kind: "near", problem: HOW[verb] };
}

/** A word without the marks around it. */
function bare(word: string): string {
  const plain = word.replace(/[.!?:,]+$/, "");
  return /^`+([^`]*)`+$/.exec(plain)?.[1] ?? plain;
}
