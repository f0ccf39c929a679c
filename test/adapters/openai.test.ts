import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createProvider } from "../../src/adapters/openai/provider.ts";
import type { ChatMessage, ToolSpec } from "../../src/core/model.ts";
import { type AskerOptions, createAsker } from "../support/asker.ts";
import { type ModelServer, type ScriptedReply, startModelServer } from "../support/model-server.ts";

const KEY = "sk-test-0123456789abcdef";
const HELLO: ChatMessage[] = [
  { role: "system", content: "You help." },
  { role: "user", content: "Say hello." },
];
const TOOL: ToolSpec = {
  name: "shell",
  description: "Runs a command.",
  parameters: { type: "object", properties: { command: { type: "string" } } },
};

let server: ModelServer;

afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

/** A model before a server that gives these replies in turn, the last one again and again. */
async function modelWith(replies: ScriptedReply[], options: Partial<AskerOptions> = {}) {
  server = await startModelServer((_, number) => {
    const reply = replies[Math.min(number, replies.length) - 1];
    if (!reply) throw new Error("no reply scripted");
    return reply;
  });
  const model = await createAsker({
    apiKey: KEY,
    baseURL: server.url,
    ...options,
  });
  return {
    ask: (messages = HELLO, signal = new AbortController().signal) =>
      model.complete({ model: "m-1", messages, tools: [TOOL], signal }),
  };
}

const call = (
  index: number | undefined,
  id: string | undefined,
  name?: string,
  args?: unknown,
) => ({
  choices: [
    { index: 0, delta: { tool_calls: [{ index, id, function: { name, arguments: args } }] } },
  ],
});
const finish = (reason: string) => ({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });

describe("a reply", () => {
  test("streams text, calls and usage into one value", async () => {
    const { ask } = await modelWith([
      {
        content: "I look at the tests first, then at the code.",
        toolCalls: [
          { id: "a", name: "shell", arguments: { command: "npm test -- --reporter=dot" } },
          { id: "b", name: "shell", arguments: { command: "ls" } },
        ],
      },
    ]);
    expect(await ask()).toEqual({
      content: "I look at the tests first, then at the code.",
      toolCalls: [
        { id: "a", name: "shell", arguments: '{"command":"npm test -- --reporter=dot"}' },
        { id: "b", name: "shell", arguments: '{"command":"ls"}' },
      ],
      refusal: null,
      truncated: false,
      usage: { inputTokens: 100, cachedTokens: 40, outputTokens: 10 },
      usageReported: true,
    });
  });

  test("comes the same way from a server that ignores `stream`", async () => {
    const reply = { content: "Hi", toolCalls: [{ id: "a", name: "shell", arguments: {} }] };
    const { ask } = await modelWith([{ ...reply, plain: true }, reply]);
    const plain = await ask();
    expect(plain.toolCalls).toEqual([{ id: "a", name: "shell", arguments: "{}" }]);
    expect(plain).toEqual(await ask());
  });

  test("that ends at the output limit says so, one withheld by a filter is a refusal", async () => {
    const { ask } = await modelWith([
      { content: "And then I", finish: "length" },
      { content: "", finish: "content_filter" },
      { refusal: "I can't help with that." },
    ]);
    expect(await ask()).toMatchObject({ content: "And then I", truncated: true, refusal: null });
    expect(await ask()).toMatchObject({ refusal: expect.stringContaining("withheld") });
    expect(await ask()).toMatchObject({ refusal: "I can't help with that.", truncated: false });
  });

  test.each([
    ["without usage", null],
    ["with negative numbers", { prompt_tokens: -5, completion_tokens: -1 }],
    ["with numbers no model reaches", { prompt_tokens: 1e15, completion_tokens: 1e15 }],
    ["with words for numbers", { prompt_tokens: "many", completion_tokens: null }],
  ])("%s is estimated at four characters a token", async (_, usage) => {
    const { ask } = await modelWith([{ content: "12345678", usage }]);
    const reply = await ask();
    expect(reply.usage.outputTokens).toBe(2);
    expect(reply.usage.inputTokens).toBeGreaterThan(20);
    expect(reply.usage.inputTokens).toBeLessThan(200);
    expect(reply.usage.cachedTokens).toBe(0);
  });

  test("never counts more tokens as cached than it read", async () => {
    const usage = {
      prompt_tokens: 10,
      completion_tokens: 1,
      prompt_tokens_details: { cached_tokens: 99 },
    };
    const { ask } = await modelWith([{ content: "Hi", usage }]);
    expect((await ask()).usage).toEqual({ inputTokens: 10, cachedTokens: 10, outputTokens: 1 });
  });
});

describe("tool calls as servers really send them", () => {
  const two = [
    { name: "read", arguments: '{"path":"a"}' },
    { name: "read", arguments: '{"path":"b"}' },
  ];
  test.each([
    [
      "whole calls without index",
      [call(undefined, "x", "read", '{"path":"a"}'), call(undefined, "y", "read", '{"path":"b"}')],
    ],
    [
      "whole calls that all claim index 0",
      [call(0, "x", "read", '{"path":"a"}'), call(0, "y", "read", '{"path":"b"}')],
    ],
    [
      "fragments without index and id",
      [
        call(undefined, "x", "read", '{"pa'),
        call(undefined, undefined, undefined, 'th":"a"}'),
        call(undefined, "y", "read", '{"path"'),
        call(undefined, undefined, undefined, ':"b"}'),
      ],
    ],
    [
      "id and name repeated in every fragment",
      [
        call(0, "x", "read", '{"pa'),
        call(0, "x", "read", 'th":"a"}'),
        call(1, "y", "read", '{"path"'),
        call(1, "y", "read", ':"b"}'),
      ],
    ],
    [
      "a new id in every fragment",
      [
        call(0, "x", "read", ""),
        call(0, "x2", undefined, '{"path":"a"}'),
        call(1, "y", "read", ""),
        call(1, "y2", undefined, '{"path":"b"}'),
      ],
    ],
    [
      "one index for both, arguments after each name",
      [
        call(0, "x", "read", ""),
        call(0, undefined, undefined, '{"path":"a"}'),
        call(0, "y", "read", ""),
        call(0, undefined, undefined, '{"path":"b"}'),
      ],
    ],
    [
      "arguments as an object, one id for both",
      [call(0, "x", "read", { path: "a" }), call(1, "x", "read", { path: "b" })],
    ],
    [
      "neither index nor id, arguments after each name",
      [
        call(undefined, undefined, "read", ""),
        call(undefined, undefined, undefined, '{"path":"a"}'),
        call(undefined, undefined, "read", ""),
        call(undefined, undefined, undefined, '{"pa'),
        call(undefined, undefined, undefined, 'th":"b"}'),
      ],
    ],
    [
      "one index for both and no id, arguments after each name",
      [
        call(0, undefined, "read", ""),
        call(0, undefined, undefined, '{"path":"a"}'),
        call(0, undefined, "read", ""),
        call(0, undefined, undefined, '{"path":"b"}'),
      ],
    ],
    [
      "neither index nor id, the name in every fragment",
      [
        call(undefined, undefined, "read", '{"pa'),
        call(undefined, undefined, "read", 'th":"a"}'),
        call(undefined, undefined, "read", '{"path"'),
        call(undefined, undefined, "read", ':"b"}'),
        call(undefined, undefined, "read", ""),
      ],
    ],
    [
      "whole arguments after each other under the name of the first",
      [
        call(0, "x", "read", ""),
        call(0, undefined, "", '{"path":"a"}'),
        call(0, undefined, "", '{"path":"b"}'),
      ],
    ],
    [
      "neither index nor id",
      [
        call(undefined, undefined, "read", '{"path":"a"}'),
        call(undefined, undefined, "read", '{"path":"b"}'),
      ],
    ],
  ])("%s", async (_, chunks) => {
    const { ask } = await modelWith([{ chunks: [...chunks, finish("stop")] }]);
    const { toolCalls } = await ask();
    expect(toolCalls.map(({ name, arguments: args }) => ({ name, arguments: args }))).toEqual(two);
    const ids = toolCalls.map((each) => each.id);
    expect(new Set(ids).size).toBe(2);
    expect(ids).not.toContain("");
  });

  test("calls with neither index nor id stay apart when one of them has no arguments", async () => {
    const chunks = [
      call(undefined, undefined, "list", ""),
      call(undefined, undefined, "read", ""),
      call(undefined, undefined, undefined, '{"path":"b"}'),
    ];
    const { ask } = await modelWith([{ chunks: [...chunks, finish("tool_calls")] }]);
    expect((await ask()).toolCalls).toMatchObject([
      { name: "list", arguments: "" },
      { name: "read", arguments: '{"path":"b"}' },
    ]);
  });

  test("calls under one index stay apart when one of them has no arguments", async () => {
    const chunks = [call(0, "x", "list", ""), call(0, "y", "read", '{"path":"b"}')];
    const { ask } = await modelWith([{ chunks: [...chunks, finish("tool_calls")] }]);
    expect((await ask()).toolCalls).toEqual([
      { id: "x", name: "list", arguments: "" },
      { id: "y", name: "read", arguments: '{"path":"b"}' },
    ]);
  });

  test("an id that the conversation used before is replaced", async () => {
    const before: ChatMessage[] = [
      ...HELLO,
      {
        role: "assistant",
        content: "",
        toolCalls: [{ id: "call_0", name: "shell", arguments: "{}" }],
      },
      { role: "tool", callId: "call_0", content: "ok" },
    ];
    const { ask } = await modelWith([
      { toolCalls: [{ id: "call_0", name: "shell", arguments: {} }] },
    ]);
    const [again] = (await ask(before)).toolCalls;
    expect(again?.id).toMatch(/^[A-Za-z0-9]{9}$/);
  });

  test("what the host attached to a call goes back with it", async () => {
    const extra_content = { google: { thought_signature: "c2ln" } };
    const opening = call(undefined, "x", "shell", "{}");
    const attached = { choices: [{ index: 0, delta: { tool_calls: [{ extra_content }] } }] };
    const { ask } = await modelWith([
      { chunks: [opening, attached, finish("tool_calls")] },
      { content: "done" },
    ]);
    const { toolCalls } = await ask();
    await ask([...HELLO, { role: "assistant", content: "", toolCalls }]);
    expect(server.requests[1]?.body.messages.at(-1)?.tool_calls).toEqual([
      { id: "x", type: "function", function: { name: "shell", arguments: "{}" }, extra_content },
    ]);
  });
});

describe("a reply without end", () => {
  test("is cut where no model's would go on, and says so", async () => {
    const endless = { choices: [{ index: 0, delta: { content: "x".repeat(300_000) } }] };
    const model = await modelWith([{ chunks: Array(10).fill(endless) }]);
    const reply = await model.ask();
    expect(reply.content).toHaveLength(2_000_000);
    expect(reply.truncated).toBe(true);
  });

  test("is cut within the arguments of a call, and after 128 calls", async () => {
    const model = await modelWith([
      { chunks: [call(0, "a", "shell", "x".repeat(3_000_000))] },
      { toolCalls: Array(1000).fill({ name: "shell", arguments: {} }) },
    ]);
    const cut = await model.ask();
    expect(cut.toolCalls[0]?.arguments.length).toBeLessThan(2_000_000);
    expect(cut.truncated).toBe(true);
    const many = await model.ask();
    expect(many.toolCalls).toHaveLength(128);
    expect(many.truncated).toBe(true);
  });

  test("does not make the server read the same call over and over", async () => {
    const piece = call(0, undefined, "shell", '{"a": "}'.padEnd(200, " "));
    const model = await modelWith([{ chunks: [...Array(9000).fill(piece), finish("tool_calls")] }]);
    expect((await model.ask()).toolCalls).toHaveLength(1);
  });
});

describe("an answer without end", () => {
  /** A model before a server that answers with this piece again and again. */
  async function endless(status: number, piece: string, pieces = Number.POSITIVE_INFINITY) {
    const endless = createServer((_, response) => {
      response.writeHead(status, { "content-type": "application/json" });
      let sent = 0;
      const more = () => {
        while (sent < pieces && !response.destroyed) {
          sent += 1;
          if (!response.write(piece)) return void response.once("drain", more);
        }
        response.end("{}");
      };
      more();
    });
    await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
    server = {
      url: `http://127.0.0.1:${(endless.address() as AddressInfo).port}/v1`,
      requests: [],
      close: () => new Promise((resolve) => endless.close(() => resolve())),
    };
    const provider = createProvider({
      ...{ id: "default", api: "chat", headers: {}, apiKey: KEY, baseURL: server.url },
      settings: { key: "", baseURL: "", model: "" },
      log: { warn: () => undefined },
    });
    const { signal } = new AbortController();
    const request = { model: "m-1", effort: null, maxOutput: null, messages: HELLO, tools: [] };
    const tried = await provider.tryOnce({ ...request, callId: "1", signal });
    return tried.kind === "reply" ? "" : tried.message;
  }

  test("is not read on where it tells of an error", async () => {
    const failure = await endless(500, "x".repeat(64 * 1024));
    expect(failure).toContain("answered 500");
  });

  test("costs no more than its bytes where it is blank", async () => {
    const began = performance.now();
    await endless(200, " ".repeat(1024), 24 * 1024);
    expect(performance.now() - began).toBeLessThan(4000);
  });
});

describe("a request", () => {
  const conversation: ChatMessage[] = [
    ...HELLO,
    {
      role: "assistant",
      content: "",
      toolCalls: [
        { id: "a", name: "shell", arguments: '{"command":"ls"}' },
        { id: "b", name: "shell", arguments: '{"command":"l' },
        { id: "c", name: "shell", arguments: "" },
      ],
    },
    { role: "tool", callId: "a", content: "src\ud800" },
    { role: "tool", callId: "b", content: "not JSON" },
    { role: "tool", callId: "c", content: "no command" },
    { role: "assistant", content: "", toolCalls: [] },
    { role: "user", content: "Go on." },
  ];

  test("carries the conversation in a form every server takes", async () => {
    const { ask } = await modelWith([{ content: "ok" }]);
    await ask(conversation);
    const [request] = server.requests;
    expect(request?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(request?.body).toEqual({
      model: "m-1",
      messages: [
        { role: "system", content: "You help." },
        { role: "user", content: "Say hello." },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            {
              id: "a",
              type: "function",
              function: { name: "shell", arguments: '{"command":"ls"}' },
            },
            {
              id: "b",
              type: "function",
              function: { name: "shell", arguments: '{"invalid":"{\\"command\\":\\"l"}' },
            },
            { id: "c", type: "function", function: { name: "shell", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "a", content: "src\ufffd" },
        { role: "tool", tool_call_id: "b", content: "not JSON" },
        { role: "tool", tool_call_id: "c", content: "no command" },
        { role: "user", content: "Go on." },
      ],
      tools: [{ type: "function", function: TOOL }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test("takes nothing from the environment", async () => {
    vi.stubEnv("OPENAI_API_KEY", "sk-from-the-environment");
    vi.stubEnv("OPENAI_ORG_ID", "org-env");
    vi.stubEnv("OPENAI_PROJECT_ID", "proj-env");
    vi.stubEnv("OPENAI_ADMIN_KEY", "admin-env");
    vi.stubEnv("OPENAI_CUSTOM_HEADERS", "X-Env: leaked\nAuthorization: Bearer leaked");
    vi.stubEnv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1");
    const { ask } = await modelWith([{ content: "ok" }], { apiKey: undefined });
    await ask();
    const { headers } = server.requests[0] ?? {};
    expect(headers?.authorization).toBe("Bearer none");
    expect(JSON.stringify(headers)).not.toMatch(/env|leaked|stainless/i);
  });

  test("goes on without stream_options where the server does not know them", async () => {
    const refusal = {
      status: 400,
      body: { error: { message: "Unknown parameter: 'stream_options'.", param: "stream_options" } },
    };
    server = await startModelServer((body) => (body.stream_options ? refusal : { content: "Hi" }));
    const model = await createAsker({
      apiKey: KEY,
      baseURL: server.url,
    });
    const request = { model: "m", messages: HELLO, tools: [], signal: AbortSignal.timeout(20_000) };
    const replies = await Promise.all([model.complete(request), model.complete(request)]);
    expect(replies.map((reply) => reply.content)).toEqual(["Hi", "Hi"]);
    await model.complete(request);
    expect(server.requests.at(-1)?.body).not.toHaveProperty("stream_options");
    expect(server.requests.at(-1)?.body).not.toHaveProperty("tools");
    expect(server.requests).toHaveLength(5);
  });
});

describe("a stream", () => {
  test("a slow stream is no silent one", async () => {
    const word = { choices: [{ index: 0, delta: { content: "la " } }] };
    const chunks = [...Array.from({ length: 9 }, () => word), finish("stop")];
    const { ask } = await modelWith([{ chunks, gapMs: 200 }], { idleMs: 1500 });
    expect((await ask()).content).toBe("la ".repeat(9));
    expect(server.requests).toHaveLength(1);
  });

  test.each(["end", "reset", "hang"] as const)(
    "what comes after the end of a reply (%s) does not undo it",
    async (ending) => {
      const hello = { choices: [{ index: 0, delta: { content: "Hello" } }] };
      const chunks = [hello, finish("stop")];
      const { ask } = await modelWith([{ chunks, gapMs: 20, ending }], { idleMs: 500 });
      expect((await ask()).content).toBe("Hello");
      expect(server.requests).toHaveLength(1);
    },
  );

  test("a stream that ends with [DONE] alone is complete", async () => {
    const { ask } = await modelWith([
      { chunks: [{ choices: [{ index: 0, delta: { content: "Hello" } }] }] },
    ]);
    expect((await ask()).content).toBe("Hello");
    expect(server.requests).toHaveLength(1);
  });
});
