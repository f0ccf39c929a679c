import { APIConnectionError, APIError } from "openai";
import { toError, UserError } from "../../core/errors.ts";

/** Why one try gave no reply, and what is to be done about it. */
export type Failure =
  /**
   * May pass: try again, not before `afterMs` when the server said so. Where it does not pass and
   * `operator` is set, a setting is wrong.
   */
  | { kind: "passing"; message: string; afterMs: number | null; operator: boolean }
  /** Will not pass: `message` tells the operator what to do. */
  | { kind: "final"; message: string }
  /** The host's content filter declined the request itself. */
  | { kind: "refused"; message: string }
  /** The server does not know `stream_options`: the same request can be made without. */
  | { kind: "no_stream_options" };

/** Whom the request went to, for messages. */
export interface Destination {
  /** Host of the server, without credentials. */
  host: string;
  model: string;
}

const OVERFLOW =
  /context[ _](length|window|size)|maximum context|prompt (is )?too long|too many (input )?tokens|input (is )?too long|reduce the length of the/i;

/** What servers write as code or type of an error that comes inside a stream with status 200. */
const STATUS_OF: Record<string, number> = {
  invalid_api_key: 401,
  authentication_error: 401,
  permission_error: 403,
  model_not_found: 404,
  invalid_request_error: 400,
  rate_limit_exceeded: 429,
  rate_limit_error: 429,
};

/** Sorts whatever a request to a Chat Completions server threw. */
export function classify(thrown: unknown, to: Destination, now: number): Failure {
  const error = toError(thrown);
  if (error instanceof UserError) return passing(error.message, true);
  if (!(error instanceof APIError) || error instanceof APIConnectionError) {
    return passing(`${to.host} did not answer in full: ${rootMessage(error)}`);
  }
  const status = error.status ?? inlineStatus(error);
  const code = `${error.code ?? ""}`;
  if (code === "content_filter")
    return { kind: "refused", message: "The model's host withheld it." };
  if (/stream_options/.test(error.message) && (status === 400 || status === 422)) {
    return { kind: "no_stream_options" };
  }
  if (status === 402 || code === "insufficient_quota") {
    return final(`the account at ${to.host} has no quota left: check its plan and billing`);
  }
  if (
    status === 413 ||
    (status !== 429 && (code === "context_length_exceeded" || OVERFLOW.test(error.message)))
  ) {
    return final(
      `the conversation no longer fits the context of model ${to.model}: give a smaller task or a model with a larger context`,
    );
  }
  switch (status) {
    case 401:
      return final(`the model server ${to.host} refused the key: check OPENAI_API_KEY`);
    case 403:
      return final(
        `the model server ${to.host} refused access: check OPENAI_API_KEY and what it may use (model ${to.model})`,
      );
    case 404:
      return final(
        `model ${to.model} is not known at ${to.host}: check DRAFTSMITH_MODEL and OPENAI_BASE_URL`,
      );
  }
  if (status !== undefined && status >= 300 && status < 400) {
    return final(
      `the model server ${to.host} sends requests to another address (status ${status}): set OPENAI_BASE_URL to that one`,
    );
  }
  const message = `${to.host} answered ${oneLine(error.message)}`;
  if (status === undefined || status >= 500 || [408, 409, 425, 429].includes(status)) {
    return { kind: "passing", message, afterMs: retryAfterMs(error.headers, now), operator: false };
  }
  return final(message);
}

/** A failure that may pass. */
export function passing(message: string, operator = false): Failure {
  return { kind: "passing", message, afterMs: null, operator };
}

function final(message: string): Failure {
  return { kind: "final", message };
}

/** The HTTP status an error inside a stream stands for, if it tells. */
function inlineStatus(error: APIError): number | undefined {
  const code = Number(error.code);
  if (Number.isInteger(code) && code >= 400 && code <= 599) return code;
  return STATUS_OF[`${error.code ?? ""}`] ?? STATUS_OF[`${error.type ?? ""}`];
}

/** The wait a server asks for, by `retry-after-ms` or `retry-after` in seconds or as a date. */
function retryAfterMs(headers: Headers | undefined, now: number): number | null {
  const ms = Number.parseFloat(headers?.get("retry-after-ms") ?? "");
  if (ms >= 0) return ms;
  const after = headers?.get("retry-after") ?? "";
  const wait = /^\s*\d+(\.\d+)?\s*$/.test(after) ? Number(after) * 1000 : Date.parse(after) - now;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** The innermost cause says what happened; fetch itself only says "fetch failed". */
function rootMessage(error: Error): string {
  let root = error;
  for (let depth = 0; depth < 5 && root.cause instanceof Error; depth++) root = root.cause;
  return oneLine(root.message || root.name);
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
