import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createResponsesApi } from "./responses-api.ts";

/** What a client sent, as far as scripts look at it; of a Responses request the same in these terms. */
export interface ChatRequest {
  model: string;
  messages: {
    role: string;
    content: string | null;
    tool_call_id?: string;
    tool_calls?: { id: string; function: { name: string; arguments: string } }[];
  }[];
  tools?: { function: { name: string; description: string; parameters: unknown } }[];
  stream?: boolean;
  stream_options?: { include_usage: boolean };
  max_completion_tokens?: number;
  reasoning_effort?: string;
}

interface ScriptedCall {
  name: string;
  /** An object is sent as JSON text; a string is sent as it stands. */
  arguments: unknown;
  id?: string;
}

/** One answer of the scripted model. */
export type ScriptedReply =
  | {
      content?: string;
      toolCalls?: ScriptedCall[];
      refusal?: string;
      /** "stop", or "tool_calls" with calls, unless given. */
      finish?: string;
      /** 100 in (40 of them cached), 10 out, unless given; null leaves it out. */
      usage?: object | null;
      /** Answers one JSON completion, whatever the client asked for. */
      plain?: boolean;
    }
  /**
   * The JSON chunks of a stream exactly as given, `gapMs` apart; then `[DONE]`, the end without it,
   * a connection that breaks, or silence.
   */
  | { chunks: unknown[]; gapMs?: number; ending?: "done" | "end" | "reset" | "hang" }
  /** A response of any kind. */
  | { status: number; headers?: Record<string, string>; body?: string | object }
  /** The beginning of a reply, and then: silence, the end of the body, a connection that breaks. */
  | { fault: "hang" | "end" | "reset" };

/** A request as it came. */
export interface RecordedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: ChatRequest;
  /** The body as it came. */
  raw: Record<string, unknown>;
  /** Ids of calls that came back without the reasoning they were made with (Responses). */
  lostReasoning: string[];
}

export interface ModelServer {
  /** Base URL for an OpenAI client, with `/v1`. */
  url: string;
  requests: RecordedRequest[];
  close(): Promise<void>;
}

/**
 * Real HTTP on 127.0.0.1, speaking Chat Completions and Responses; `script` turns each request into its
 * answer. What the Responses API would refuse is refused in its words, and no request to the script.
 */
export async function startModelServer(
  script: (request: ChatRequest, number: number) => ScriptedReply | Promise<ScriptedReply>,
): Promise<ModelServer> {
  const requests: RecordedRequest[] = [];
  const responses = createResponsesApi();
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const raw = JSON.parse(text) as Record<string, unknown>;
    const { method = "", url = "", headers } = request;
    const lostReasoning: string[] = [];
    const known = ["/v1/chat/completions", "/v1/responses"].includes(url);
    const body =
      url === "/v1/responses"
        ? responses.read(raw, lostReasoning)
        : (raw as unknown as ChatRequest);
    if ("status" in body) {
      const unread = { model: "", messages: [] };
      requests.push({ method, path: url, headers, body: unread, raw, lostReasoning });
      await answer(response, body, unread);
      return;
    }
    requests.push({ method, path: url, headers, body, raw, lostReasoning });
    if (method !== "POST" || !known) {
      await answer(
        response,
        { status: 404, body: { error: { message: `Unknown path ${url}` } } },
        body,
      );
      return;
    }
    const tell = (reply: Spoken) => responses.tell(raw, reply);
    await answer(
      response,
      await script(body, requests.length),
      body,
      url === "/v1/responses" ? tell : undefined,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Spoken = Parameters<ReturnType<typeof createResponsesApi>["tell"]>[1];

/** `tell` makes the events of the Responses API of a reply. */
async function answer(
  response: ServerResponse,
  reply: ScriptedReply,
  request: ChatRequest,
  tell?: (reply: Spoken) => Record<string, unknown>[],
): Promise<void> {
  if ("status" in reply) {
    const body = reply.body ?? "";
    const json = typeof body === "object";
    response.writeHead(reply.status, {
      "content-type": json ? "application/json" : "text/html",
      ...reply.headers,
    });
    response.end(json ? JSON.stringify(body) : body);
    return;
  }
  if ("fault" in reply) {
    const [created, ...events] = tell?.({ ...NOTHING, content: "Let me" }) ?? [];
    const opening = created
      ? [created, ...events.slice(0, 4)]
      : [chunk(request, { delta: { role: "assistant", content: "Let me" } })];
    return answer(response, { chunks: opening, ending: reply.fault }, request);
  }
  if ("chunks" in reply) {
    startStream(response);
    for (const each of reply.chunks) {
      send(response, each);
      if (reply.gapMs) await delay(reply.gapMs);
    }
    switch (reply.ending ?? "done") {
      case "done":
        response.end("data: [DONE]\n\n");
        break;
      case "end":
        response.end();
        break;
      case "reset":
        response.socket?.resetAndDestroy();
    }
    return;
  }
  const { content = "", toolCalls = [], refusal = null } = reply;
  const usage = reply.usage === undefined ? USAGE : reply.usage;
  const finish = reply.finish ?? (toolCalls.length > 0 ? "tool_calls" : "stop");
  const calls = toolCalls.map((call, index) => ({
    index,
    id: call.id ?? `call_${request.messages.length}_${index}`,
    type: "function",
    function: {
      name: call.name,
      arguments:
        typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments),
    },
  }));
  if (tell) {
    const told = { content, refusal, finish, usage: usage as Record<string, unknown> | null };
    const events = tell({ ...told, calls: calls.map(({ id, function: fn }) => ({ id, ...fn })) });
    if (reply.plain || request.stream !== true) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(events.at(-1)?.response));
      return;
    }
    startStream(response);
    for (const event of events) {
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
    return;
  }
  if (reply.plain || request.stream !== true) {
    const tool_calls = calls.length > 0 ? calls.map(({ index: _, ...call }) => call) : undefined;
    const message = { role: "assistant", content: content || null, refusal, tool_calls };
    const completion = { ...HEAD, object: "chat.completion", model: request.model, usage };
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ ...completion, choices: [{ index: 0, message, finish_reason: finish }] }),
    );
    return;
  }
  startStream(response);
  send(response, chunk(request, { delta: { role: "assistant", content: "" } }));
  for (const part of content.match(/[\s\S]{1,16}/g) ?? []) {
    send(response, chunk(request, { delta: { content: part } }));
  }
  if (refusal !== null) send(response, chunk(request, { delta: { refusal } }));
  for (const call of calls) {
    const opening = { ...call, function: { name: call.function.name, arguments: "" } };
    send(response, chunk(request, { delta: { tool_calls: [opening] } }));
    for (const part of call.function.arguments.match(/[\s\S]{1,16}/g) ?? []) {
      const delta = { tool_calls: [{ index: call.index, function: { arguments: part } }] };
      send(response, chunk(request, { delta }));
    }
  }
  send(response, chunk(request, { delta: {}, finish_reason: finish }));
  if (usage !== null && request.stream_options?.include_usage) {
    send(response, { ...HEAD, model: request.model, choices: [], usage });
  }
  response.end("data: [DONE]\n\n");
}

const NOTHING: Spoken = { content: "", calls: [], refusal: null, finish: "stop", usage: null };

const HEAD = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_700_000_000 };

const USAGE = {
  prompt_tokens: 100,
  completion_tokens: 10,
  total_tokens: 110,
  prompt_tokens_details: { cached_tokens: 40 },
};

function chunk(request: ChatRequest, choice: { delta: object; finish_reason?: string }): object {
  const { delta, finish_reason = null } = choice;
  return { ...HEAD, model: request.model, choices: [{ index: 0, delta, finish_reason }] };
}

function startStream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
}

function send(response: ServerResponse, data: unknown): void {
  response.write(`data: ${JSON.stringify(data)}\n\n`);
}
