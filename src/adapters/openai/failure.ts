import { APIConnectionError, APIError } from "openai";
import { toError, UserError } from "../../core/errors.ts";
import type { Tried } from "../../core/model.ts";
import { type Complaint, isBadLimit, isUnknownLimit, refusesStore } from "./adaptation.ts";
import type { SettingNames } from "./client.ts";
import { isOverflow } from "./overflow.ts";
import { WebPage } from "./response-body.ts";

/** Why one try gave no reply. */
export type Failure = Exclude<Tried, { kind: "reply" }>;

/** What was asked of whom, for messages. */
export interface Destination {
  /** Host of the server, without credentials. */
  host: string;
  model: string;
  effort: string | null;
  api: "chat" | "responses";
  settings: SettingNames;
}

/** How far a request came: what has begun may cost something. */
export interface Reached {
  /** The server answered with status 200. */
  accepted: boolean;
  /** Something of a reply was seen. */
  begun: boolean;
  /** The server itself told the failure, in an event of a stream. */
  failed: boolean;
  /** The usage that came with the failure, as the server wrote it; empty without one. */
  usage: Record<string, unknown>;
}

/** What servers write as code or type of an error that comes inside a stream with status 200. */
const STATUS_OF: Record<string, number> = {
  invalid_api_key: 401,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  model_not_found: 404,
  not_found_error: 404,
  request_too_large: 413,
  invalid_request_error: 400,
  invalid_prompt: 400,
  rate_limit_exceeded: 429,
  rate_limit_error: 429,
  overloaded_error: 529,
  // DashScope
  Throttling: 429,
  "Throttling.RateQuota": 429,
  "Throttling.BurstRate": 429,
  "Throttling.AllocationQuota": 429,
};

const NO_MONEY = [
  "insufficient_quota",
  "billing_hard_limit_reached",
  "billing_not_active",
  "exceeded_current_quota_error",
  "insufficient_balance",
];
const NO_MONEY_WORDS = /credit balance is too low|insufficient balance|billing hard limit/i;

const FILTERED = [
  "content_filter",
  "content_policy_violation",
  "bio_policy",
  "misalignment_policy_violation",
  "data_inspection_failed",
];

/** What a connection fails with before a request is sent. */
const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT)$/;
/** Certificates and protocols that do not agree: no time mends that. */
const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|EPROTO$)/;

/** Statuses of a gateway that gave up waiting: the model may be at work behind it. */
const GAVE_UP_WAITING = [504, 524];

/** What a server complains of; null when it was not the server that spoke. */
export function complaintOf(thrown: unknown): Complaint | null {
  if (!(thrown instanceof APIError) || thrown instanceof APIConnectionError) return null;
  const code = `${thrown.code ?? ""}`;
  const type = `${thrown.type ?? ""}`;
  const status = thrown.status ?? inlineStatus(code, type);
  return { status, code, type, param: thrown.param ?? "", message: thrown.message };
}

/** Sorts whatever a request threw. */
export function classify(thrown: unknown, to: Destination, reached: Reached, now: number): Failure {
  const error = toError(thrown);
  if (error instanceof UserError) {
    return { ...passing(error.message), billed: !(error instanceof WebPage), operator: true };
  }
  const complaint = complaintOf(error);
  if (complaint === null) return unanswered(error, to, reached);
  const { status, code, type } = complaint;
  const words = oneLine(complaint.message);
  const { host, model, settings } = to;
  // Where a reply had begun, the request was in order.
  if (reached.begun) return { ...passing(`${host} broke off: ${words}`), billed: true };
  if (FILTERED.includes(code) || FILTERED.includes(type)) {
    return { kind: "refused", message: "The model's host withheld it." };
  }
  const poor = NO_MONEY.includes(code) || NO_MONEY.includes(type);
  if (status === 402 || poor || NO_MONEY_WORDS.test(words)) {
    return final(`the account at ${host} has no quota left: check its plan and billing`);
  }
  if (isOverflow(complaint)) {
    return {
      kind: "too_long",
      message: `the conversation no longer fits the context of model ${model}: give a smaller task or a model with a larger context`,
    };
  }
  switch (status) {
    case 401:
      return final(`the model server ${host} refused the key: check ${settings.key}`);
    case 403:
      return final(
        `the model server ${host} refused access: check ${settings.key} and what it may use (model ${model}): ${words}`,
      );
    case 404:
    case 405:
      return final(unknownAt(to, words));
  }
  if (status !== undefined && status >= 300 && status < 400) {
    return final(
      `the model server ${host} sends requests to another address (status ${status}): set ${settings.baseURL} to that one`,
    );
  }
  const message = `${host} answered ${words}`;
  if (status === undefined || status >= 500 || [408, 409, 425, 429].includes(status)) {
    const headers = error instanceof APIError ? error.headers : undefined;
    const untold = reached.accepted && !reached.failed;
    const unclear = untold && (status === undefined || (status >= 500 && status !== 529));
    const billed = unclear || GAVE_UP_WAITING.includes(status ?? 0);
    return {
      ...passing(message),
      afterMs: retryAfterMs(headers, now) ?? spokenWaitMs(words),
      billed,
    };
  }
  if (to.effort !== null && /effort/.test(complaint.param + words)) {
    return final(
      `model ${model} at ${host} does not take the reasoning effort ${to.effort}: ask for another or none (\`effort\` of a rule, --effort), or list those it takes (\`efforts\` in draftsmith.yml): ${words}`,
    );
  }
  if (isBadLimit(complaint)) {
    return final(
      `model ${model} at ${host} does not give replies of the length that was asked for: lower its \`max_output\` in draftsmith.yml: ${words}`,
    );
  }
  if (to.api === "responses" && isUnknownLimit(complaint)) {
    return final(
      `${host} takes no limit on what model ${model} writes (max_output_tokens), so that no budget would hold: use \`api: chat\` if it has it, or let the model be \`unpriced\`: ${words}`,
    );
  }
  if (to.api === "responses" && refusesStore(complaint)) {
    return final(
      `${host} does not take \`store: false\`, and would keep what it is sent: use \`api: chat\` if it has it: ${words}`,
    );
  }
  return final(`${message} (model ${model})`);
}

/** A failure that may pass; nothing was generated. */
export function passing(message: string): Extract<Failure, { kind: "passing" }> {
  return { kind: "passing", message, afterMs: null, billed: false, operator: false };
}

function final(message: string): Failure {
  return { kind: "final", message };
}

function unknownAt({ host, model, api, settings }: Destination, words: string): string {
  const hint =
    api === "responses"
      ? ", and whether the server has the Responses API at all (else api: chat)"
      : /responses/i.test(words)
        ? ", and whether it needs api: responses"
        : "";
  return `model ${model} is not known at ${host}: check ${settings.model} and ${settings.baseURL}${hint} (${words})`;
}

function unanswered(error: Error, { host, settings }: Destination, reached: Reached): Failure {
  const root = rootOf(error);
  const code = "code" in root ? `${root.code}` : "";
  const message = `${host} did not answer in full: ${oneLine(root.message || code || root.name)}`;
  if (!reached.accepted && TLS.test(code)) {
    return { ...passing(`${message} (check ${settings.baseURL})`), operator: true };
  }
  return { ...passing(message), billed: reached.accepted || !NOT_SENT.test(code) };
}

/** The HTTP status an error inside a stream stands for, if it tells. */
function inlineStatus(code: string, type: string): number | undefined {
  const number = Number(code);
  if (Number.isInteger(number) && number >= 400 && number <= 599) return number;
  return STATUS_OF[code] ?? STATUS_OF[type];
}

/** The wait a server asks for, by `retry-after-ms` or `retry-after` in seconds or as a date. */
function retryAfterMs(headers: Headers | undefined, now: number): number | null {
  const ms = Number.parseFloat(headers?.get("retry-after-ms") ?? "");
  if (ms >= 0) return ms;
  const after = headers?.get("retry-after") ?? "";
  const wait = /^\s*\d+(\.\d+)?\s*$/.test(after) ? Number(after) * 1000 : Date.parse(after) - now;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** The wait that stands in the words alone, as in "Please try again in 1m2.5s": a stream has no headers left. */
function spokenWaitMs(words: string): number | null {
  const spoken = /try again in (?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)(m?s))?/i.exec(words);
  if (!spoken) return null;
  const [hours, minutes, rest] = [spoken[1], spoken[2], spoken[3]].map((each) => Number(each ?? 0));
  const ms = Number(rest) * (spoken[4] === "ms" ? 1 : 1000);
  return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + ms || null;
}

/** The innermost cause says what happened; fetch itself only says "fetch failed". */
function rootOf(error: Error): Error {
  let root = error;
  for (let depth = 0; depth < 5 && root.cause instanceof Error; depth++) root = root.cause;
  return root;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
