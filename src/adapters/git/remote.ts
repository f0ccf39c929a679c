import { Readable } from "node:stream";
import { RateLimited, TransientError, UserError } from "../../core/errors.ts";
import type { RepoRef } from "../../core/job.ts";
import { limitOf } from "../../core/rate-limit.ts";
import { followHeaders, type LastAnswer, TELLS_HEADERS } from "./answer-headers.ts";
import { DISK_FULL, isDiskFull } from "./disk-full.ts";
import type { GitContext } from "./layout.ts";
import { nameOf } from "./mirror.ts";
import { GitFailure, type RunningGit, startGit } from "./run-git.ts";

const HOUR_MS = 60 * 60_000;
const REASON_CHARS = 300;
/** Standard output that is kept: the answers of push and ls-remote are short. */
const STDOUT_KEPT = 1024 * 1024;

const SETTINGS = [
  // While GitHub prepares a large pack it sends a few bytes every five seconds, and no more.
  ...["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=120"],
  // Git would take the token along, to whatever host an answer names.
  ...["-c", "http.followRedirects=false"],
];
/** What git says and ends with where an answer sends it elsewhere. */
const MOVED = /returned error: 30[1278]/;
const FATAL = 128;
/** How long GitHub may take to say where a repository went. */
const MOVED_MS = 20_000;

/** What git and GitHub say when trying again may help. */
const PASSING = [
  /The requested URL returned error: (408|5\d\d)/,
  /Could not resolve (host|proxy)/,
  /Failed to connect|Couldn't connect to server|Connection (refused|reset|timed out)/i,
  /Operation (too slow|timed out)|timed out|stopped: the time limit/i,
  /early EOF|unexpected disconnect|the remote end hung up|RPC failed|Empty reply from server/i,
  /(SSL|TLS|GnuTLS).*(error|reset|closed)/i,
  /invalid index-pack output|expected flush after|bad line length character/,
  /Internal Server Error|cannot lock ref|failed to (update|lock)|try again/i,
];

/** How a call to GitHub ended; the token is taken out of its words. */
export interface RemoteAnswer {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs git against GitHub; `args` gets the address. Throws RateLimited when GitHub wants to be left alone,
 * another TransientError for what may pass, UserError for what GitHub refuses, GitFailure for the rest; an
 * exit code named in `codes` is an answer.
 */
export async function callRemote(
  context: GitContext,
  repo: RepoRef,
  gitDir: string,
  args: (url: string) => string[],
  token: string,
  codes = [0],
  started: (running: RunningGit) => void = () => undefined,
): Promise<RemoteAnswer> {
  const url = new URL(context.remoteUrl(repo));
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new UserError(`GitHub is reached by https or http, not by ${url.protocol}//`);
  }
  const call = async (at: URL) => {
    const running = startGit(gitDir, [...SETTINGS, ...args(at.href)], {
      env: { ...access(at, token), ...TELLS_HEADERS },
      aside: true,
      timeoutMs: HOUR_MS,
    });
    started(running);
    const aside = running.child.stdio[3];
    const last = aside instanceof Readable ? followHeaders(aside) : null;
    let stdout = "";
    running.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout = (stdout + text).slice(-STDOUT_KEPT);
    });
    const { code, stderr: raw } = await running.ended;
    const stderr = raw.replaceAll(token, "[token]").replaceAll(credentials(token), "[token]");
    return { code, stdout, stderr, last };
  };
  let answer = await call(url);
  if (answer.code === FATAL && MOVED.test(answer.stderr)) {
    const next = await movedTo(url, token);
    if (next !== null) answer = await call(next);
  }
  const { code, stdout, stderr, last } = answer;
  if (code !== 0) refuseLimit(repo, stderr, last);
  if (code !== null && codes.includes(code)) return { code, stdout, stderr };
  throw failureOf(repo, code, stderr);
}

/** Throws RateLimited when that is what the last answer, or git of it, said. */
function refuseLimit(repo: RepoRef, stderr: string, last: LastAnswer | null): void {
  const [, told] = /(?:returned error:|HTTP) (\d{3})\b/.exec(stderr) ?? [];
  if (told === undefined) return;
  const status = Number(told);
  const headerOf = last?.status === status ? last.headerOf : () => undefined;
  const limit = limitOf({ status, headerOf, words: remoteWords(stderr) ?? "" }, Date.now());
  if (limit === null) return;
  const said = remoteWords(stderr) ?? `it answered ${told}`;
  throw new RateLimited(`GitHub's rate limit was reached by git for ${nameOf(repo)}: ${said}`, {
    ...limit,
    // Of the API's writes nothing is known by it.
    secondary: false,
  });
}

/** What the other side said in words; null when it said nothing. */
function remoteWords(stderr: string): string | null {
  return /^remote: (?:error: )?(.*\S)/im.exec(stderr)?.[1]?.slice(0, REASON_CHARS) ?? null;
}

/** Where GitHub keeps a repository that was renamed; null unless that is the same host. */
async function movedTo(url: URL, token: string): Promise<URL | null> {
  const refs = "/info/refs";
  try {
    const asked = await fetch(`${url.href}${refs}?service=git-upload-pack`, {
      headers: { authorization: `Basic ${credentials(token)}`, "user-agent": "git/draftsmith" },
      redirect: "manual",
      signal: AbortSignal.timeout(MOVED_MS),
    });
    await asked.body?.cancel();
    const next = URL.parse(asked.headers.get("location") ?? "", url.href);
    if (next?.origin !== url.origin || !next.pathname.endsWith(refs)) return null;
    return new URL(next.pathname.slice(0, -refs.length), url);
  } catch {
    return null;
  }
}

/** GitHub did not take the token: a fresh one may do. */
export class Unauthorized extends UserError {
  override name = "Unauthorized";
}

/** What a failed call means. */
export function failureOf(repo: RepoRef, code: number | null, stderr: string): Error {
  const failure = new GitFailure("to GitHub", code, stderr);
  const name = nameOf(repo);
  if (/returned error: 401|could not read (Username|Password)|Authentication failed/.test(stderr)) {
    return new Unauthorized(
      `GitHub did not accept the App's token for ${name}; check that the App is still installed there.`,
      { cause: failure },
    );
  }
  if (/returned error: 404|repository '.*' not found|Repository not found/i.test(stderr)) {
    return new UserError(
      `GitHub does not find ${name}, or the App has no access to it (any more).`,
      { cause: failure },
    );
  }
  if (/returned error: 403|Permission to .* denied|not granted|archived/.test(stderr)) {
    const said = remoteWords(stderr) ?? "no access";
    return new UserError(`GitHub refused git access to ${name}: ${said}`, {
      cause: failure,
    });
  }
  if (MOVED.test(stderr)) {
    return new UserError(
      `GitHub sends git for ${name} to another address, where no token is taken; if the repository was moved, ask again there.`,
      { cause: failure },
    );
  }
  if (isDiskFull(failure)) return new TransientError(DISK_FULL, { cause: failure });
  if (PASSING.some((pattern) => pattern.test(stderr))) {
    return new TransientError(`the connection to GitHub failed: ${lastLine(stderr)}`, {
      cause: failure,
    });
  }
  const status = /returned error: (4\d\d)/.exec(stderr)?.[1];
  if (status !== undefined) {
    return new UserError(`GitHub answered ${status} to git for ${name}.`, { cause: failure });
  }
  return failure;
}

/**
 * The token travels in the environment of git and of the transfer helper it starts, bound to this one
 * address. It is in no argument and in no file, and the sandbox cannot read that environment: it has
 * another uid or, without one, a process table of its own. (An askpass helper would need an executable
 * file and a descriptor that every child inherits, and could be read by the same processes.)
 */
function access(url: URL, token: string): Record<string, string> {
  return {
    GIT_ALLOW_PROTOCOL: url.protocol.slice(0, -1),
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `http.${url.href}.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${credentials(token)}`,
  };
}

function credentials(token: string): string {
  return Buffer.from(`x-access-token:${token}`).toString("base64");
}

function lastLine(stderr: string): string {
  return stderr.trim().split("\n").at(-1) ?? "";
}
