import { isRecord, list, record, text } from "./json.ts";

/** An error in the form of OpenAI's. */
export interface ErrorBody {
  message: string;
  code: string | null;
  type: string | null;
  param: string | null;
}

/**
 * Reads an error as servers write it: OpenAI's and Anthropic's `error` object, one in a list (Gemini), a
 * bare text, `detail` (FastAPI), `message` at the top (vLLM), what a gateway got from the server behind it.
 */
export function readError(body: unknown): ErrorBody {
  const top = Array.isArray(body) ? body[0] : body;
  const outer = record(top);
  const told = outer.error ?? top;
  const error = record(told);
  const words = [
    typeof told === "string" ? told : (worded(error.message) ?? worded(outer.message)),
    worded(outer.detail),
    worded(record(error.metadata).raw),
  ].filter((each) => each !== undefined && each !== "");
  const code = error.code ?? outer.code;
  return {
    message: words.join(": ") || (isRecord(told) ? JSON.stringify(told) : ""),
    code: typeof code === "number" ? `${code}` : text(code) || null,
    type: text(error.type) || (outer.type === "error" ? null : text(outer.type)) || null,
    param: text(error.param) || null,
  };
}

/** The error that an event or a whole reply with status 200 brings; null when it brings none. */
export function errorIn(event: unknown): ErrorBody | null {
  if (list(event).some((each) => record(each).error)) return readError(event);
  const { type, error, response } = record(event);
  // Some servers send an empty one with every chunk.
  if (error && (!isRecord(error) || Object.keys(error).length > 0)) return readError(event);
  if (isBareError(record(event))) return readError(event);
  if (type === "error") return readError({ error: { ...record(event), type: null } });
  if (type === "response.failed") {
    const { message, ...rest } = readError({ error: record(response).error ?? {} });
    return { ...rest, message: message === "{}" ? "the response failed" : message };
  }
  return null;
}

/**
 * An error without an `error` around it: `object: "error"` (vLLM, SGLang, Mistral), `code` and `message`
 * (DashScope, https://www.alibabacloud.com/help/en/model-studio/error-code).
 */
function isBareError(event: Record<string, unknown>): boolean {
  if (event.object === "error") return true;
  const { type, code, message } = event;
  const coded = (typeof code === "string" && code !== "") || typeof code === "number";
  const good = code === 0 || code === 200 || code === "0" || code === "200";
  const ofReply = ["choices", "output", "response", "item", "delta"].some((key) => key in event);
  return typeof message === "string" && coded && !good && !ofReply && type === undefined;
}

function worded(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
