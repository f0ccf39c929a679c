/** Reads `continue [JOB] [more words]`; null for any other line. `job` is null for the last one that stopped here. */
export function parseContinue(line: string): { job: string | null; words: string } | null {
  const [verb = "", rest] = /^continue[.!]*(?:\s+([\s\S]+))?$/i.exec(line) ?? [];
  if (verb === "") return null;
  const [, quoted, plain, words] =
    /^(?:`+([0-9a-f]{8})`+|([0-9a-f]{8}))(?:\s+([\s\S]+))?$/i.exec(rest ?? "") ?? [];
  const job = quoted ?? plain;
  if (job === undefined) return { job: null, words: (rest ?? "").trim() };
  return { job: job.toLowerCase(), words: (words ?? "").trim() };
}
