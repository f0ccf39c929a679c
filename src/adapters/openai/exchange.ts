import type OpenAI from "openai";
import { APIError } from "openai";
import { Stream } from "openai/streaming";
import type { ReplyAssembly } from "./assembly.ts";
import { createChatAssembly } from "./chat-reply.ts";
import { REQUEST_ID } from "./client.ts";
import { errorIn } from "./error-body.ts";
import type { Reached } from "./failure.ts";
import type { IdleWatch } from "./idle-watch.ts";
import { record, text } from "./json.ts";
import { openBody } from "./response-body.ts";
import { createResponsesAssembly } from "./responses-reply.ts";

/** Where servers write the id by which they find a request again. */
const ID_HEADERS = [
  "x-request-id",
  "request-id",
  "apim-request-id",
  "x-ms-request-id",
  "x-amzn-requestid",
  "x-goog-request-id",
];

/** One request and its answer. */
export interface Exchange {
  client: OpenAI;
  api: "chat" | "responses";
  body: Record<string, unknown>;
  callId: string;
  /** Of the caller. */
  signal: AbortSignal;
  watch: IdleWatch;
  /** How far it came, filled in on the way. */
  reached: Reached;
  /** What an operator set the address with. */
  baseURLName: string;
}

/** Sends a request and reads its reply to the end. Throws whatever goes wrong. */
export async function exchange(
  made: Exchange,
): Promise<{ assembly: ReplyAssembly; requestId: string | null }> {
  const { client, api, body, watch, reached } = made;
  const signal = AbortSignal.any([made.signal, watch.signal]);
  const response = await client
    .post(api === "chat" ? "/chat/completions" : "/responses", {
      body,
      signal,
      headers: { [REQUEST_ID]: made.callId },
    })
    .asResponse();
  watch.touch();
  reached.accepted = true;
  const assembly = api === "chat" ? createChatAssembly() : createResponsesAssembly();

  function take(event: unknown): void {
    const error = errorIn(event);
    if (error) {
      // What comes after the end of a reply does not undo it.
      if (assembly.ended) return;
      const { type, status, response: end, usage } = record(event);
      reached.failed = type === "error" || type === "response.failed" || status === "failed";
      reached.usage = record(record(end).usage ?? usage);
      throw new APIError(undefined, error, undefined, response.headers);
    }
    if (assembly.add(event)) watch.progress();
    reached.begun ||= assembly.begun;
    if (assembly.ended) watch.ended(assembly.counted);
  }

  const opened = await openBody(response, watch.touch, made.baseURLName);
  if (opened.kind === "json") {
    take(opened.value);
  } else {
    const controller = new AbortController();
    signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
    const stream = Stream.fromSSEResponse<{ event: string | null; data: unknown }>(
      opened.response,
      controller,
      client,
      true,
      "events",
    );
    try {
      for await (const { event, data } of stream) {
        take(named(event, data));
        if (assembly.complete) break;
      }
      // The SDK ends an aborted stream as if it were complete.
      signal.throwIfAborted();
    } catch (error) {
      // A reply that came to its end stays one, whatever happens to the connection then.
      if (!assembly.ended || made.signal.aborted) throw error;
    }
  }
  // Many servers tell the end by [DONE] alone; those that fail without a word do too.
  const done = opened.kind === "events" && opened.done() && assembly.usable;
  if (!assembly.ended && !assembly.full && !done) {
    throw new Error("the reply stopped before its end");
  }
  return { assembly, requestId: requestIdOf(response.headers) ?? printable(assembly.id) };
}

/** Some servers leave the type of an event to the name that stands before it. */
function named(name: string | null, data: unknown): unknown {
  const event = record(data);
  return name && !text(event.type) && data === event ? { ...event, type: name } : data;
}

function requestIdOf(headers: Headers): string | null {
  const told = ID_HEADERS.map((name) => headers.get(name)).find((each) => each);
  return printable(told ?? "");
}

function printable(id: string): string | null {
  return /^[\x21-\x7e]{1,200}$/.test(id) ? id : null;
}
