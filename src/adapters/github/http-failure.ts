import { TransientError, toError } from "../../core/errors.ts";

/** What GitHub says when a rate limit was hit; the status alone (403) may also mean a missing permission. */
const RATE_LIMIT = /secondary rate limit|rate limit exceeded|abuse detection|abuse mechanism/i;
const SECRET = /\b(?:gh[a-z]_|github_pat_|eyJ)[\w.-]+/g;
const DEFAULT_WAIT_MS = 60_000;
/** No limit that GitHub documents lasts longer; a header that says so is not believed. */
const LONGEST_WAIT_MS = 60 * 60_000;
const REASON_CHARS = 300;

/** A definite answer of GitHub other than success: trying the same again gives the same. */
export class HttpFailure extends Error {
  override name = "HttpFailure";
  readonly status: number;
  /** GitHub's own words, on one line and without secrets. */
  readonly reason: string;
  /** Permissions the endpoint asks for, such as "issues=write; pull_requests=write", when GitHub tells. */
  readonly accepted: string | null;

  constructor(route: string, status: number, reason: string, accepted: string | null = null) {
    super(`GitHub answered ${status} to ${route}: ${reason}`);
    this.status = status;
    this.reason = reason;
    this.accepted = accepted;
  }
}

/** GitHub wants the installation to make no call before `retryAt`. */
export class RateLimited extends TransientError {
  override name = "RateLimited";
  /** Whether GitHub itself named the time. */
  readonly stated: boolean;

  constructor(message: string, retryAt: number, stated: boolean) {
    super(message, { retryAt });
    this.stated = stated;
  }
}

/** Whether `error` is a definite answer with one of these statuses. */
export function failedWith(error: unknown, ...statuses: number[]): error is HttpFailure {
  return error instanceof HttpFailure && statuses.includes(error.status);
}

/** Whether GitHub does not know an object that was named; shortly after a push it may not know it yet. */
export function lacksObject(failure: HttpFailure): boolean {
  return failure.status === 422 && /does not exist|not a commit object/i.test(failure.reason);
}

/**
 * Sorts what Octokit threw: TransientError for lost connections, timeouts, server errors and rate
 * limits, HttpFailure for every other answer, the error itself when it is a bug of ours.
 * Nothing of the request is kept, because its headers and body may hold secrets.
 */
export function classify(thrown: unknown, route: string, now: number): Error {
  if (thrown instanceof HttpFailure || thrown instanceof TransientError) return thrown;
  const error = toError(thrown);
  const response = field(error, "response");
  if (response === undefined) {
    const unanswered = ["HttpError", "AbortError", "TimeoutError"].includes(error.name);
    return unanswered
      ? new TransientError(`no answer from GitHub to ${route}: ${error.message}`, {
          cause: error.cause,
        })
      : error;
  }

  const status = Number(field(error, "status"));
  const headers = field(response, "headers");
  const reason = reasonOf(field(response, "data"));
  const limited =
    status === 429 ||
    (status === 403 &&
      (field(headers, "retry-after") !== undefined ||
        String(field(headers, "x-ratelimit-remaining")) === "0" ||
        RATE_LIMIT.test(reason)));
  if (limited) {
    const stated = retryAfter(headers, now) ?? rateLimitReset(headers, now);
    const retryAt = Math.min(stated ?? now + DEFAULT_WAIT_MS, now + LONGEST_WAIT_MS);
    const message = `GitHub's rate limit was reached at ${route}: ${reason}`;
    return new RateLimited(message, retryAt, stated !== undefined);
  }
  // 501 is no outage: the host says that it will never do this.
  if (status === 408 || (status >= 500 && status !== 501)) {
    const retryAt = retryAfter(headers, now);
    const id = field(headers, "x-github-request-id");
    return new TransientError(
      `GitHub answered ${status} to ${route}${typeof id === "string" ? ` (request ${id})` : ""}`,
      retryAt === undefined ? {} : { retryAt: Math.min(retryAt, now + LONGEST_WAIT_MS) },
    );
  }
  const accepted = field(headers, "x-accepted-github-permissions");
  return new HttpFailure(route, status, reason, typeof accepted === "string" ? accepted : null);
}

function retryAfter(headers: unknown, now: number): number | undefined {
  const value = field(headers, "retry-after");
  if (value === undefined) return undefined;
  const seconds = Number(value);
  const at = Number.isFinite(seconds) ? now + seconds * 1000 : fromTheirs(headers, value, now);
  return Number.isNaN(at) ? undefined : Math.max(at, now);
}

/** When calls are allowed again by the answer's headers; undefined while some are left. */
export function rateLimitReset(headers: unknown, now: number): number | undefined {
  if (String(field(headers, "x-ratelimit-remaining")) !== "0") return undefined;
  const reset = Number(field(headers, "x-ratelimit-reset"));
  if (!(reset > 0)) return undefined;
  const at = fromTheirs(headers, reset * 1000, now);
  // A clock that runs ahead of GitHub's must not make us ask again at once.
  return Math.min(Math.max(at, now + 1000), now + LONGEST_WAIT_MS);
}

/** A time by GitHub's clock as one by ours: its answer carries both. */
function fromTheirs(headers: unknown, time: unknown, now: number): number {
  const theirs = Date.parse(String(field(headers, "date")));
  const at = typeof time === "number" ? time : Date.parse(String(time));
  return Number.isNaN(theirs) ? at : now + at - theirs;
}

function reasonOf(data: unknown): string {
  const message = field(data, "message");
  const errors = field(data, "errors");
  const details = Array.isArray(errors) ? errors.map(detailOf) : [];
  const words = typeof message === "string" ? [message, ...details] : ["no reason given"];
  return words.join("; ").replace(/\s+/g, " ").replace(SECRET, "[secret]").slice(0, REASON_CHARS);
}

function detailOf(error: unknown): string {
  if (typeof error === "string") return error;
  const message = field(error, "message");
  return typeof message === "string" ? message : `${field(error, "field")} ${field(error, "code")}`;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
