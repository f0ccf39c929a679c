import { afterEach, describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../src/core/model.ts";
import { askAt, HELLO, replyOf } from "../../support/ask-provider.ts";
import {
  type ChatRequest,
  type ModelServer,
  type ScriptedReply,
  startModelServer,
} from "../../support/model-server.ts";

let server: ModelServer;

afterEach(() => server.close());

const called = (...ids: string[]): ChatMessage[] => [
  {
    role: "assistant",
    content: "",
    toolCalls: ids.map((id) => ({ id, name: "shell", arguments: "{}" })),
  },
  ...ids.map((callId): ChatMessage => ({ role: "tool", callId, content: `result of ${callId}` })),
];
const WRAP_UP: ChatMessage[] = [
  ...HELLO,
  ...called("call00001"),
  { role: "user", content: "Say what stands." },
];

describe("a server that wants an order of roles", () => {
  /** Mistral's own API; vLLM, NIM and others with its models say it in their own form. */
  const orders: [string, ScriptedReply][] = [
    [
      "Mistral",
      {
        status: 400,
        body: {
          object: "error",
          message: "Unexpected role 'user' after role 'tool'",
          type: "invalid_request_message_order",
          param: null,
          code: "3230",
        },
      },
    ],
    [
      "vLLM",
      {
        status: 400,
        body: {
          error: {
            message: "Unexpected role 'user' after role 'tool'",
            type: "BadRequestError",
            param: null,
            code: 400,
          },
        },
      },
    ],
    [
      "a template",
      {
        status: 500,
        body: {
          error: {
            code: 500,
            type: "server_error",
            message:
              "After the optional system message, conversation roles must alternate user and assistant roles except for tool calls and results.",
          },
        },
      },
    ],
  ];
  const inOrder = ({ messages }: ChatRequest) =>
    messages.every(({ role }, at) => role !== "user" || messages[at - 1]?.role !== "tool");

  test.each(orders)(
    "%s gets a word between a result and what the user says",
    async (_, refusal) => {
      server = await startModelServer((body) => (inOrder(body) ? { content: "All." } : refusal));
      const { ask, logged } = askAt(server.url);
      expect(replyOf(await ask({ messages: WRAP_UP })).content).toBe("All.");
      const sent = server.requests[1]?.body.messages ?? [];
      expect(sent.map(({ role }) => role)).toEqual([
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
      ]);
      expect(sent.at(-1)?.content).toBe("Say what stands.");
      // Known from then on: one request a call.
      expect(replyOf(await ask({ messages: WRAP_UP })).content).toBe("All.");
      expect(server.requests).toHaveLength(3);
      expect(logged).toHaveLength(1);
    },
  );

  test("also where a reply between the two said nothing, and is not sent", async () => {
    server = await startModelServer((body) =>
      inOrder(body) ? { content: "All." } : (orders[0]?.[1] ?? {}),
    );
    const messages: ChatMessage[] = [
      ...HELLO,
      ...called("call00001"),
      { role: "assistant", content: "", toolCalls: [] },
      { role: "user", content: "Your reply was empty." },
    ];
    expect(replyOf(await askAt(server.url).ask({ messages })).content).toBe("All.");
  });

  test("through Responses too", async () => {
    server = await startModelServer((body) =>
      inOrder(body)
        ? { content: "All." }
        : {
            status: 400,
            body: { error: { message: "Unexpected role 'user' after role 'tool'", code: 400 } },
          },
    );
    const { ask } = askAt(server.url, { api: "responses" });
    expect(replyOf(await ask({ messages: WRAP_UP })).content).toBe("All.");
  });

  test("whose template wants turns gets one between two messages of the user", async () => {
    const message =
      "Conversation roles must alternate user/assistant/user/assistant/... (Jinja template)";
    server = await startModelServer(({ messages }) =>
      messages.some(({ role }, at) => role === "user" && messages[at - 1]?.role === "user")
        ? { status: 400, body: { error: { message } } }
        : { content: "All." },
    );
    const messages: ChatMessage[] = [...HELLO, { role: "user", content: "And mind the tests." }];
    expect(replyOf(await askAt(server.url).ask({ messages })).content).toBe("All.");
    const sent = server.requests[1]?.body.messages ?? [];
    expect(sent.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
  });

  test("is the only one that gets it", async () => {
    server = await startModelServer(() => ({ content: "All." }));
    await askAt(server.url).ask({ messages: WRAP_UP });
    expect(server.requests[0]?.body.messages).toHaveLength(5);
  });
});

test.each(["chat", "responses"] as const)(
  "tools that nobody has are named as OpenAI's %s takes names",
  async (api) => {
    server = await startModelServer(() => ({ content: "Hi" }));
    const names = ["web.search", "multi_tool_use.parallel", "run it", "", `long_${"x".repeat(90)}`];
    const toolCalls = names.map((name, at) => ({ id: `call0000${at}`, name, arguments: "{}" }));
    const messages: ChatMessage[] = [
      ...HELLO,
      { role: "assistant", content: "", toolCalls },
      ...toolCalls.map(({ id }): ChatMessage => ({ role: "tool", callId: id, content: "no tool" })),
    ];
    await askAt(server.url, { api }).ask({ messages });
    const sent = [...JSON.stringify(server.requests[0]?.body).matchAll(/"name":"([^"]*)"/g)];
    const called = sent.map(([, name]) => name).filter((name) => name !== "shell");
    expect(called).toHaveLength(names.length);
    for (const name of called) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(called.slice(0, 2)).toEqual(["web_search", "multi_tool_use_parallel"]);
  },
);

describe("ids of calls that another server gave", () => {
  const LONG = ["chatcmpl-tool-0123456789abcdef0123456789abcdef", "call_7", "functions.read:0"];
  const messages: ChatMessage[] = [...HELLO, ...called(...LONG), ...called("abcDEF123")];

  const mistral = (id: string): ScriptedReply => ({
    status: 400,
    body: {
      object: "error",
      message: `Tool call id was ${id} but must be a-z, A-Z, 0-9, with a length of 9.`,
      type: "invalid_function_call",
      param: null,
      code: "3280",
    },
  });
  const openai = (): ScriptedReply => ({
    status: 400,
    body: {
      error: {
        message:
          "Invalid 'messages[2].tool_calls[0].id': string too long. Expected a string with maximum length 40, but got a string with length 46 instead.",
        type: "invalid_request_error",
        param: "messages[2].tool_calls[0].id",
        code: "string_above_max_length",
      },
    },
  });

  test.each<[string, RegExp, (id: string) => ScriptedReply]>([
    ["Mistral", /^[a-zA-Z0-9]{9}$/, mistral],
    ["OpenAI", /^.{1,40}$/, openai],
  ])("are made ones that %s takes, in calls and results alike", async (_, taken, refuse) => {
    server = await startModelServer(({ messages: sent }) => {
      const ids = sent.flatMap((each) => each.tool_calls?.map(({ id }) => id) ?? []);
      const bad = ids.find((id) => !taken.test(id));
      return bad === undefined ? { content: "Hi" } : refuse(bad);
    });
    const { ask } = askAt(server.url);
    expect(replyOf(await ask({ messages })).content).toBe("Hi");
    const sent = server.requests[1]?.body.messages ?? [];
    const ids = sent.flatMap((each) => each.tool_calls?.map(({ id }) => id) ?? []);
    expect(new Set(ids).size).toBe(4);
    expect(ids).toContain("abcDEF123");
    const results = sent.filter(({ role }) => role === "tool");
    expect(results.map(({ tool_call_id: id }) => id)).toEqual(ids);
    expect(results.map(({ content }) => content)).toEqual(
      [...LONG, "abcDEF123"].map((id) => `result of ${id}`),
    );
    // The same ids the next time, so that the prompt's cache holds.
    const first = JSON.stringify(sent);
    expect(replyOf(await ask({ messages })).content).toBe("Hi");
    expect(server.requests).toHaveLength(3);
    expect(JSON.stringify(server.requests[2]?.body.messages)).toBe(first);
  });

  test("keep the form of the provider that goes back with them through Responses", async () => {
    server = await startModelServer(({ messages: sent }) => {
      const ids = sent.flatMap((each) => each.tool_calls?.map(({ id }) => id) ?? []);
      if (ids.every((id) => id.length <= 40)) return { content: "Hi" };
      const message =
        "Invalid 'input[4].call_id': string too long. Expected a string with maximum length 64.";
      return { status: 400, body: { error: { message, code: "string_above_max_length" } } };
    });
    const said = { type: "message", role: "assistant", phase: "commentary", content: "I look." };
    const own: ChatMessage = {
      role: "assistant",
      content: "I look.",
      toolCalls: [{ id: "call_own", name: "shell", arguments: "{}" }],
      native: {
        origin: "house/m-1",
        items: [
          said,
          { type: "function_call", call_id: "call_own", name: "shell", arguments: "{}" },
        ],
      },
    };
    const { ask } = askAt(server.url, { api: "responses" });
    const told = [...messages, own, { role: "tool" as const, callId: "call_own", content: "ok" }];
    expect(replyOf(await ask({ messages: told })).content).toBe("Hi");
    expect(JSON.stringify(server.requests.at(-1)?.raw)).toContain("commentary");
    expect(JSON.stringify(server.requests.at(-1)?.raw)).not.toContain("call_own");
  });

  test("a text that is too long stays one", async () => {
    server = await startModelServer(() => ({
      status: 400,
      body: {
        error: {
          message: "Invalid 'messages[1].content': string too long.",
          param: "messages[1].content",
          code: "string_above_max_length",
        },
      },
    }));
    expect(await askAt(server.url).ask({ messages })).toMatchObject({ kind: "too_long" });
    expect(server.requests).toHaveLength(1);
  });
});
