import { RateLimited, TransientError, toError } from "../../core/errors.ts";
import { type HeaderOf, limitOf, retryAfter } from "../../core/rate-limit.ts";

const SECRET = /\b(?:gh[a-z]_|github_pat_|eyJ)[\w.-]+/g;
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
  const headerOf = headersOf(response);
  const reason = reasonOf(field(response, "data"));
  const limit = limitOf({ status, headerOf, words: reason }, now);
  if (limit !== null) {
    return new RateLimited(`GitHub's rate limit was reached at ${route}: ${reason}`, limit);
  }
  // 501 is no outage: the host says that it will never do this.
  if (status === 408 || (status >= 500 && status !== 501)) {
    const retryAt = retryAfter(headerOf, now);
    const id = headerOf("x-github-request-id");
    return new TransientError(
      `GitHub answered ${status} to ${route}${typeof id === "string" ? ` (request ${id})` : ""}`,
      retryAt === undefined ? {} : { retryAt },
    );
  }
  const accepted = headerOf("x-accepted-github-permissions");
  return new HttpFailure(route, status, reason, typeof accepted === "string" ? accepted : null);
}

/** The headers of an answer of Octokit's, which has their names in lower case. */
export function headersOf(answer: unknown): HeaderOf {
  const headers = field(answer, "headers");
  return (name) => field(headers, name);
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
