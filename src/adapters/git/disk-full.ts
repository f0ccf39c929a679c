import { GitFailure } from "./run-git.ts";

/** What people are told of a job that found no room on the server's disk. */
export const DISK_FULL = "this server's disk is full, or cannot be written";

const CODES = ["ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EIO"];
const SAID = /No space left on device|Disk quota exceeded|File too large|Read-only file system/;

/** Whether something failed because the server's disk takes no more: nothing is wrong with the job. */
export function isDiskFull(error: unknown): boolean {
  if (error instanceof GitFailure) return saysDiskFull(error.stderr.replace(/^remote:.*$/gm, ""));
  return error instanceof Error && "code" in error && CODES.includes(String(error.code));
}

/** Whether a program ended with these words because of that. */
export function saysDiskFull(words: string): boolean {
  return SAID.test(words);
}
