import { didYouMean } from "./did-you-mean.ts";

/** Whether a command line stops work: so, no such thing, or nearly and what to write. */
type StopLine =
  | { kind: "stop"; job: string | null }
  | { kind: "other" }
  | { kind: "near"; problem: string };

const HOW =
  "`/codex stop`, alone in a comment, stops everything that is under way here, and `/codex stop JOB` the one job with these 8 digits, as the board shows them";

/** Other words for it: alone, or with nothing behind them that says what to work on, they are no task. */
const OTHER_VERBS = ["stop", "cancel", "abort", "halt", "kill"];
const NO_WORK =
  /^(?:<?job>?|jobs|task|tasks|run|runs|work|the|this|that|these|it|all|everything|now|please|immediately|again|#?\d+|--\S*)$/i;

/**
 * Reads `stop [JOB|all]`; `job` is null for all. A task may begin with the same word ("stop using eval"),
 * and what is neither gets a hint.
 */
export function parseStop(line: string): StopLine {
  const [verb = "", ...words] = line
    .replace(/[.!?]+$/, "")
    .split(/\s+/)
    .map(unquoted);
  const [what = "all", ...more] = words;
  if (/^stop$/i.test(verb) && more.length === 0) {
    if (/^all$/i.test(what)) return { kind: "stop", job: null };
    if (isJob(what)) return { kind: "stop", job: what.toLowerCase() };
  }
  const meant =
    OTHER_VERBS.includes(verb.toLowerCase()) ||
    didYouMean(verb, ["stop", "cancel", "abort"]) !== null;
  const near = words.every((word) => NO_WORK.test(word) || isId(word));
  return meant && near ? { kind: "near", problem: HOW } : { kind: "other" };
}

/** What is wrong when something stands beside a `stop`. */
export const STOP_ALONE = `something else stands beside \`/codex stop\`; ${HOW}`;

function isJob(word: string): boolean {
  return /^[0-9a-f]{8}$/i.test(word);
}

/** Digits of a job as they are copied from somewhere; "added" and "facade" are words. */
function isId(word: string): boolean {
  return /^(?=.*\d)[0-9a-f-]{4,64}$/i.test(word) || isJob(word);
}

function unquoted(word: string): string {
  return /^`+([^`]*)`+$/.exec(word)?.[1] ?? word;
}
