import { didYouMean } from "./did-you-mean.ts";

/** Whether a command line lets a held change out: so, no such thing, or nearly and what to write. */
type AllowLine =
  | { kind: "allow"; job: string; sha: string }
  | { kind: "other" }
  | { kind: "near"; problem: string };

const HOW =
  "`/codex allow JOB SHA` takes the 8 digits of the job and at least 7 of the commit, as the board shows them, alone in a comment";

/** Digits of a job or a commit, as they are copied from somewhere; "added" and "facade" are words. */
const ID = /^(?:(?=.*\d)[0-9a-f-]{4,64}|[0-9a-f]{16,64})$/i;

/**
 * Reads `allow JOB SHA`. It opens what was held back, so it is taken letter by letter; a task may begin
 * with the same word ("allow users to log in"), and what is neither gets a hint.
 */
export function parseAllow(line: string): AllowLine {
  const [verb = "", ...words] = line.split(/\s+/).map(unquoted);
  const [job = "", sha = "", ...more] = words;
  if (verb === "allow" && more.length === 0 && isJob(job) && isSha(sha)) {
    return { kind: "allow", job: job.toLowerCase(), sha: sha.toLowerCase() };
  }
  const meant = verb.toLowerCase() === "allow" || didYouMean(verb, ["allow"]) !== null;
  const near = words.every(isAboutChange) || (isJob(job) && isSha(sha));
  return meant && near ? { kind: "near", problem: HOW } : { kind: "other" };
}

/** What is wrong when something stands beside an `allow`. */
export const ALLOW_ALONE = `something else stands beside \`/codex allow\`; ${HOW}`;

function isJob(word: string): boolean {
  return /^[0-9a-f]{8}$/i.test(word);
}

function isSha(word: string): boolean {
  return /^[0-9a-f]{7,64}$/i.test(word);
}

function isAboutChange(word: string): boolean {
  return ID.test(word) || /^<?(?:job|sha)>?$/i.test(word) || word.startsWith("--");
}

function unquoted(word: string): string {
  return /^`+([^`]*)`+$/.exec(word)?.[1] ?? word;
}
