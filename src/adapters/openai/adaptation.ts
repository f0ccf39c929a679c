/** How a request is changed for a server that does not take it as it is. */
export type Adaptation =
  | "no stream_options"
  | "no max_tokens"
  | "no max_completion_tokens"
  | "no parallel_tool_calls"
  | "no include"
  /** The server has no such field, and so nothing to store. */
  | "no store"
  /** Reasoning is not sent back in messages. */
  | "no reasoning"
  /** What a provider gave in its own form is not sent back: it does not know it any more. */
  | "no native"
  /** Nothing goes back in the provider's own form: it gives what it does not take. */
  | "never native"
  /** Ids of calls are nine letters and digits, as Mistral demands and every server takes. */
  | "short ids"
  /** An assistant's word stands between the result of a tool and the user's next. */
  | "bridge tool to user"
  /** Every message with calls has `reasoning_content`, as DeepSeek and Kimi demand. */
  | "fill reasoning_content"
  /** Every call has a thought signature, as Gemini demands. */
  | "fill thought_signature";

/** What a server says is wrong with a request. */
export interface Complaint {
  /** Of the response, or what an error inside a stream stands for; absent when nothing tells. */
  status: number | undefined;
  code: string;
  type: string;
  /** The field it is about; empty when it does not say. */
  param: string;
  message: string;
}

/** Of a complaint about a value, not about the field: DeepSeek's "the valid range of max_tokens is [1, 8192]". */
const BAD_VALUE =
  /too (large|small|high|low|big|many)|at (least|most)(?! one\b)|(greater|less|larger|more) than|\babove\b|\bup to\b|minimum|maximum|must be (a |an )?(positive|integer|between|[<>])|exceed|\brange\b|should be (?!used|set|given|omitted|removed|replaced)|invalid( \S+)? value|max_\w*tokens\W*(of |value )?\d|unsupported value/i;

/** How servers say that they do not take a field at all, or not beside another. */
const UNKNOWN_FIELD =
  /unsupported|not support|n't support|unrecognized|not recognized|unknown|unexpected|\bextra\b|extra_forbidden|not (permitted|allowed)|additional propert|deprecated|\binstead\b|\bboth\b|\bone of\b|same time|mutually exclusive/i;

/** What leaves no doubt that it is the field, whatever else is said. */
const SURELY_FIELD =
  /(unsupported|unknown|unrecognized|unexpected)( request| keyword)? (parameter|argument|field|property)|extra_forbidden|max_\w*tokens\W* ?(is|are)(n't| not| un)? ?supported(?! at| with a)/i;

/** What a server says of a field that it has never heard of, rather than of one that it has and does not take. */
const KNOWS_NOT =
  /unknown_parameter|(unknown|unrecognized|unexpected)( request| keyword)? (parameter|argument|field|property|key)|unrecognized .{0,20}supplied|extra_forbidden|extra inputs/i;

/** The field that a server wants instead of the one it got. */
const REMEDY =
  /(?<!not )\buse\W+(max_(?:completion_)?tokens)\b|\b(max_(?:completion_)?tokens)\W+(?:should|must|has to|needs to) be used/i;

/**
 * Mistral, vLLM with its models, NIM (https://github.com/mistralai/mistral-vibe/issues/578); llama.cpp and LM
 * Studio by the model's template (https://github.com/charmbracelet/crush/issues/279).
 */
const ROLE_ORDER = /unexpected role .?user.? after role .?tool|roles must alternate user/i;

/** Mistral (https://github.com/anomalyco/opencode/issues/1680); Anthropic and Bedrock behind a gateway. */
const BAD_ID =
  /tool.call.id was .*length of|tool_use(_id|\.id|\.tool_use_id)\b.*(match|pattern|length)|toolUseId.*(length|pattern|constraint)/i;

/** How the same request can be made so that the server takes it; null where that is not what it complains of. */
export function adaptationTo(complaint: Complaint): Adaptation | null {
  const { status, code, message, param } = complaint;
  if (
    code === "invalid_encrypted_content" ||
    /encrypted content.*could not be|item with id .* not found|without its required|(invalid|corrupted) thought.signature/i.test(
      message,
    )
  ) {
    return "no native";
  }
  // Servers that hand on what a template or a model's own checks say do it with 500 too.
  if (ROLE_ORDER.test(message)) return "bridge tool to user";
  if (BAD_ID.test(message) || isLongId(complaint)) return "short ids";
  if (status !== 400 && status !== 422) return null;
  if (isAbout(complaint, "stream_options")) return "no stream_options";
  if (/reasoning_content/.test(message) && /must be|missing|require/i.test(message)) {
    return "fill reasoning_content";
  }
  if (/thought.?signature/i.test(message) && /missing/i.test(message)) {
    return "fill thought_signature";
  }
  if (
    /reasoning_content|reasoning_details|thinking_blocks|messages\b.*\breasoning\b/.test(message)
  ) {
    return "no reasoning";
  }
  if (
    param === "include" ||
    /['"`]include['"`]|encrypted.content is not supported/i.test(message)
  ) {
    return "no include";
  }
  if (refusesStore(complaint) && KNOWS_NOT.test(`${code} ${message}`)) return "no store";
  if (isAbout(complaint, "parallel_tool_calls")) return "no parallel_tool_calls";
  // A limit that is left out where the value alone was wrong is a cap that nobody keeps.
  const limit = limitNamed(complaint);
  return limit !== null && isUnknownField(complaint) ? `no ${limit}` : null;
}

/** Whether a model does not give replies of the length that was asked for. */
export function isBadLimit(complaint: Complaint): boolean {
  const fields = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
  return !isUnknownField(complaint) && fields.some((field) => isAbout(complaint, field));
}

/** Whether a server has no limit of a reply in the Responses API. */
export function isUnknownLimit(complaint: Complaint): boolean {
  return isUnknownField(complaint) && isAbout(complaint, "max_output_tokens");
}

/** Whether a server does not take a request that it is not to store. */
export function refusesStore({ param, message }: Complaint): boolean {
  return param === "store" || /['"`]store['"`]/.test(message);
}

/** Whether it is an id of a call that is too long: no compaction of the conversation mends that. */
export function isLongId({ param, code, message }: Complaint): boolean {
  const long = code === "string_above_max_length" || /string too long/i.test(message);
  const field = param || (/'([^'\s]*)'/.exec(message)?.[1] ?? "");
  return long && /(^|\.)(id|call_id|tool_call_id)$/.test(field);
}

function isUnknownField({ code, message }: Complaint): boolean {
  if (code === "unsupported_parameter" || code === "unknown_parameter") return true;
  if (code === "unsupported_value") return false;
  if (SURELY_FIELD.test(message)) return true;
  return (UNKNOWN_FIELD.test(message) || REMEDY.test(message)) && !BAD_VALUE.test(message);
}

/** Whether a complaint names a field of the request. */
function isAbout({ param, message }: Complaint, field: string): boolean {
  return param === field || new RegExp(`\\b${field}\\b`).test(message);
}

/** The field it is about; of two that it names, the first is the one that is not taken, unless it is the remedy. */
function limitNamed(complaint: Complaint): "max_tokens" | "max_completion_tokens" | null {
  const first = /\bmax_(completion_)?tokens\b/;
  const remedy = REMEDY.exec(complaint.message);
  const wanted = (remedy?.[1] ?? remedy?.[2])?.toLowerCase();
  const named =
    first.exec(complaint.param)?.[0] ?? otherThan(wanted) ?? first.exec(complaint.message)?.[0];
  return named === "max_tokens" || named === "max_completion_tokens" ? named : null;
}

function otherThan(limit: string | undefined): string | undefined {
  if (limit === undefined) return undefined;
  return limit === "max_tokens" ? "max_completion_tokens" : "max_tokens";
}
