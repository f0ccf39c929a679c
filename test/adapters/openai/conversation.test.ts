import { afterEach, describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../src/core/model.ts";
import { askAt, HELLO, replyOf } from "../../support/ask-provider.ts";
import {
  type ModelServer,
  type ScriptedReply,
  startModelServer,
} from "../../support/model-server.ts";

let server: ModelServer;

afterEach(() => server.close());

const TURNS: ScriptedReply[] = [
  {
    content: "I look first.",
    toolCalls: [
      { id: "a", name: "shell", arguments: { command: "ls" } },
      { id: "b", name: "shell", arguments: { command: "cat package.json" } },
    ],
  },
  { toolCalls: [{ id: "c", name: "shell", arguments: '{"command":"npm te' }], finish: "length" },
  { toolCalls: [{ id: "a", name: "shell", arguments: {} }] },
  { content: "All tests pass." },
];

/** Plays all turns through one API; every call is answered with its name. */
async function play(api: "chat" | "responses", plain = false) {
  server = await startModelServer(({ messages }) => {
    const said = messages.filter(({ role }) => role === "assistant").length;
    const turn = TURNS[said];
    if (!turn || !("toolCalls" in turn || "content" in turn)) throw new Error("no more turns");
    return { ...turn, plain };
  });
  const { ask } = askAt(server.url, { api });
  const messages: ChatMessage[] = [...HELLO];
  const bytes: string[] = [];
  for (let turn = 0; turn < TURNS.length; turn++) {
    const { content, toolCalls, native } = replyOf(await ask({ messages }));
    messages.push({ role: "assistant", content, toolCalls, ...(native && { native }) });
    for (const { id, name } of toolCalls) {
      messages.push({ role: "tool", callId: id, content: `${name} ran` });
    }
    bytes.push(JSON.stringify(server.requests.at(-1)?.raw));
  }
  return { messages, bytes, requests: server.requests };
}

const plainly = (messages: ChatMessage[]) =>
  messages.map((message) => {
    const { native: _, ...rest } = { native: undefined, ...message };
    return rest;
  });

describe("a conversation with tools", () => {
  test("is the same through both APIs, streamed and not", async () => {
    const chat = await play("chat");
    await server.close();
    const responses = await play("responses");
    await server.close();
    const whole = await play("responses", true);
    expect(plainly(responses.messages)).toEqual(plainly(chat.messages));
    expect(plainly(whole.messages)).toEqual(plainly(chat.messages));
    expect(chat.messages.at(-1)?.content).toBe("All tests pass.");
    // Nothing was refused on the way, and the model was told the same.
    expect(responses.requests).toHaveLength(TURNS.length);
    expect(responses.requests.map(({ body }) => body.messages)).toEqual(
      chat.requests.map(({ body }) =>
        body.messages.map((message) =>
          "tool_calls" in message
            ? {
                ...message,
                tool_calls: message.tool_calls?.map(({ id, function: fn }) => ({
                  id,
                  function: fn,
                })),
              }
            : message,
        ),
      ),
    );
  });

  test("through Responses stores nothing and carries the reasoning, encrypted", async () => {
    const { requests } = await play("responses");
    const last = requests.at(-1)?.raw;
    expect(last).toMatchObject({
      store: false,
      stream: true,
      include: ["reasoning.encrypted_content"],
      instructions: "You help.",
    });
    const input = last?.input as { type: string; id?: string; phase?: string }[];
    expect(input.map(({ type }) => type)).toEqual([
      "message",
      ...["reasoning", "message", "function_call", "function_call"],
      ...["function_call_output", "function_call_output"],
      ...["reasoning", "function_call", "function_call_output"],
      ...["reasoning", "function_call", "function_call_output"],
    ]);
    expect(input.some(({ id }) => id !== undefined)).toBe(false);
    expect(input[2]?.phase).toBe("commentary");
    expect(requests.flatMap(({ lostReasoning }) => lostReasoning)).toEqual([]);
    expect(last).not.toHaveProperty("previous_response_id");
  });

  test.each(["chat", "responses"] as const)(
    "of %s: a request begins with all the bytes of the one before",
    async (api) => {
      const { bytes } = await play(api);
      for (const [turn, later] of bytes.entries()) {
        const earlier = bytes[turn - 1];
        if (earlier) expect(later.startsWith(earlier.replace(/\]\}$/, ""))).toBe(true);
      }
    },
  );

  test("of another provider is told in plain words", async () => {
    const { messages } = await play("responses");
    const { ask } = askAt(server.url, { api: "responses", id: "other" });
    server.requests.length = 0;
    await ask({ messages: messages.slice(0, -1) });
    const input = server.requests[0]?.raw.input as { type: string }[];
    expect(input.filter(({ type }) => type === "reasoning")).toEqual([]);
    expect(input.filter(({ type }) => type === "function_call")).toHaveLength(4);
  });
});
