/** How a request is changed for a server that does not take it as it is. */
export type Adaptation =
  | "no stream_options"
  | "no max_tokens"
  | "no max_completion_tokens"
  | "no parallel_tool_calls"
  | "no include"
  /** Reasoning is not sent back in messages. */
  | "no reasoning"
  /** What a provider gave in its own form is not sent back: it does not know it any more. */
  | "no native"
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

/** A complaint about a value, not about the field. */
const BAD_VALUE =
  /too (large|small|high|low|big|many)|at (least|most)|(greater|less) than|minimum|maximum|must be (a |an )?(positive|integer|between|[<>])|exceed|out of range/i;

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
  if (isAbout(complaint, "parallel_tool_calls")) return "no parallel_tool_calls";
  const limit = limitNamed(complaint);
  return limit === null || BAD_VALUE.test(message) ? null : `no ${limit}`;
}

/** Whether a model does not give replies of the length that was asked for. */
export function isBadLimit(complaint: Complaint): boolean {
  const fields = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
  return BAD_VALUE.test(complaint.message) && fields.some((field) => isAbout(complaint, field));
}

/** Whether a complaint names a field of the request. */
function isAbout({ param, message }: Complaint, field: string): boolean {
  return param === field || new RegExp(`\\b${field}\\b`).test(message);
}

/** The field it is about; of two that it names, the first is the one that is not taken. */
function limitNamed(complaint: Complaint): "max_tokens" | "max_completion_tokens" | null {
  const first = /\bmax_(completion_)?tokens\b/;
  const named = first.exec(complaint.param)?.[0] ?? first.exec(complaint.message)?.[0];
  return named === "max_tokens" || named === "max_completion_tokens" ? named : null;
}
