import { afterEach, describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../src/core/model.ts";
import { askAt, HELLO, KEY, replyOf } from "../../support/ask-provider.ts";
import {
  type ChatRequest,
  type ModelServer,
  type ScriptedReply,
  startModelServer,
} from "../../support/model-server.ts";

let server: ModelServer;

afterEach(() => server.close());

async function serve(script: (request: ChatRequest, number: number) => ScriptedReply) {
  server = await startModelServer(script);
  return server;
}

const refusing = (message: string, param: string | null = null): ScriptedReply => ({
  status: 400,
  body: { error: { message, type: "invalid_request_error", param } },
});

const finish = (reason: string, usage?: object) => ({
  choices: [{ index: 0, delta: {}, finish_reason: reason }],
  ...(usage && { usage }),
});
const delta = (fields: object) => ({ choices: [{ index: 0, delta: fields }] });

describe("the limit of a reply", () => {
  test("goes by both names to a server we do not know, and with the effort", async () => {
    await serve(() => ({ content: "Hi" }));
    await askAt(server.url).ask({ maxOutput: 500, effort: "high" });
    expect(server.requests[0]?.raw).toMatchObject({
      max_completion_tokens: 500,
      max_tokens: 500,
      reasoning_effort: "high",
    });
  });

  test("is left out where none is asked for, and the effort too", async () => {
    await serve(() => ({ content: "Hi" }));
    await askAt(server.url).ask();
    expect(JSON.stringify(server.requests[0]?.raw)).not.toMatch(/max_|effort/);
  });

  test.each([
    [
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      "max_tokens",
    ],
    [
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      "max_tokens",
    ],
    [
      '[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted"}]',
      "max_completion_tokens",
    ],
    ["property 'max_completion_tokens' is unsupported", "max_completion_tokens"],
    ["Unrecognized request argument supplied: max_completion_tokens", "max_completion_tokens"],
    [
      "Unsupported parameter: max_tokens is not supported; max_completion_tokens should be used instead",
      "max_tokens",
    ],
    ["max_tokens isn't supported by this model, whatever its range", "max_tokens"],
    ["Please use `max_completion_tokens` instead of `max_tokens`.", "max_tokens"],
    ["For this model, max_tokens must be used in place of others.", "max_completion_tokens"],
    ["Only one of max_tokens and max_completion_tokens should be set", "max_tokens"],
    ["At most one of `max_tokens` or `max_completion_tokens` may be given", "max_tokens"],
    [
      '{"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted","input":32000}]}',
      "max_completion_tokens",
    ],
  ])("goes by one name to a server that says: %s", async (message, dropped) => {
    const kept = dropped === "max_tokens" ? "max_completion_tokens" : "max_tokens";
    await serve((body) => (dropped in body ? refusing(message) : { content: "Hi" }));
    const { ask, logged } = askAt(server.url);
    expect(replyOf(await ask({ maxOutput: 9 })).content).toBe("Hi");
    expect(replyOf(await ask({ maxOutput: 9 })).content).toBe("Hi");
    // It is remembered: the second call is one request.
    expect(server.requests).toHaveLength(3);
    expect(server.requests[2]?.raw).toHaveProperty(kept, 9);
    expect(logged).toHaveLength(1);
  });

  test("that a server takes by no name is an error which says so, and asks no model without", async () => {
    await serve((body) => {
      const named = ["max_tokens", "max_completion_tokens"].find((field) => field in body);
      return named ? refusing(`Unknown field ${named}`, named) : { content: "Hi" };
    });
    const tried = await askAt(server.url).ask({ maxOutput: 9 });
    expect(tried).toMatchObject({
      kind: "final",
      message: expect.stringContaining("no budget would hold"),
    });
    expect(server.requests).toHaveLength(2);
  });

  test("is not left out for good because a complaint happens to quote the name", async () => {
    let asked = 0;
    await serve((body) =>
      ++asked <= 2 || !("max_tokens" in body)
        ? refusing("Bad text: 'max_tokens' is unsupported …")
        : { content: "Hi" },
    );
    const { ask } = askAt(server.url);
    expect(await ask({ maxOutput: 9 })).toMatchObject({ kind: "final" });
    server.requests.length = 0;
    expect(replyOf(await ask({ maxOutput: 9 })).content).toBe("Hi");
    expect(server.requests[0]?.raw).toMatchObject({ max_tokens: 9, max_completion_tokens: 9 });
  });

  // DeepSeek and DashScope name a value so, and take max_completion_tokens for no limit at all.
  test.each([
    "max_tokens is too large: 100000. At most 16384 are supported.",
    "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
    "Range of max_tokens should be [1, 8192]",
    "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 65536]",
    "max_tokens of 100000 is not supported by this model",
    "max_tokens: 100000 > 64000, which is the most that claude-sonnet-4 gives",
    "Unsupported value: 'max_tokens' does not support 100000 with this model.",
    "Invalid 'max_tokens': integer above maximum value. Expected a value <= 16384, but got 100000 instead.",
    "Please use max_tokens no larger than 8192",
    "max_tokens cannot be set above 8192: it is not supported",
    "max_tokens is not supported at this length, use a value of up to 8192 instead",
  ])("that is larger than a model gives is the operator's to lower: %s", async (message) => {
    await serve((body) => ("max_tokens" in body ? refusing(message) : { content: "Hi" }));
    const { ask } = askAt(server.url);
    const tried = await ask({ maxOutput: 100_000 });
    expect(tried).toMatchObject({
      kind: "final",
      message: expect.stringContaining("lower its `max_output` in draftsmith.yml"),
    });
    expect(server.requests).toHaveLength(1);
    await ask({ maxOutput: 100_000 });
    expect(server.requests[1]?.raw).toHaveProperty("max_tokens", 100_000);
  });

  test("an effort that a model does not take is the operator's to change", async () => {
    await serve(() => refusing("Unsupported value: 'reasoning_effort' does not support 'high'"));
    const tried = await askAt(server.url).ask({ effort: "high" });
    expect(tried).toMatchObject({
      kind: "final",
      message: expect.stringMatching(
        /m-1 at 127.* does not take the reasoning effort high: .*none.*`efforts` in draftsmith.yml/,
      ),
    });
  });
});

describe("a request", () => {
  test("carries our id of the call and the operator's headers, and tells theirs", async () => {
    await serve(() => ({
      status: 200,
      headers: { "content-type": "application/json", "x-request-id": "req_7" },
      body: { choices: [{ message: { content: "Hi" }, finish_reason: "stop" }] },
    }));
    const headers = { "X-Title": "Draftsmith", Authorization: "Basic c2VjcmV0OnNlY3JldA==" };
    const tried = await askAt(server.url, { headers }).ask();
    expect(server.requests[0]?.headers).toMatchObject({
      "x-client-request-id": "0199-call",
      "x-title": "Draftsmith",
      authorization: "Basic c2VjcmV0OnNlY3JldA==",
    });
    expect(tried).toMatchObject({ kind: "reply", requestId: "req_7" });
  });

  test("is known by the id of the reply where the server tells no other", async () => {
    await serve(() => ({ content: "Hi" }));
    expect(await askAt(server.url).ask()).toMatchObject({ requestId: "chatcmpl-1" });
  });

  test("a header that cannot be sent is named, without its value", async () => {
    await serve(() => ({ content: "Hi" }));
    const make = () => askAt(server.url, { headers: { "X-Team": "se\ncret" } });
    expect(make).toThrow(/X-Team/);
    expect(make).not.toThrow(/cret/);
  });

  test("a failure quotes neither key nor header", async () => {
    await serve(() => refusing(`You sent ${KEY} and Basic c2VjcmV0OnNlY3JldA==`));
    const headers = { Authorization: "Basic c2VjcmV0OnNlY3JldA==" };
    const tried = await askAt(server.url, { headers }).ask();
    expect(JSON.stringify(tried)).toContain("(key)");
    expect(JSON.stringify(tried)).not.toMatch(/sk-test|c2VjcmV0/);
  });
});

test("a key that is a letter or a word is no secret to be taken out of what a server says", async () => {
  await serve(() => refusing("Bad example: max"));
  const tried = await askAt(server.url, { apiKey: "x" }).ask();
  expect(tried).toMatchObject({ message: expect.stringContaining("Bad example: max") });
});

describe("reasoning beside the content", () => {
  const called = delta({
    tool_calls: [{ index: 0, id: "a", function: { name: "shell", arguments: "{}" } }],
  });
  /** The messages of the request that follows a reply of these chunks. */
  async function nextTurn(chunks: object[], options: { id?: string; model?: string } = {}) {
    await serve((_, number) => (number === 1 ? { chunks } : { content: "done" }));
    const first = replyOf(await askAt(server.url).ask());
    const { content, toolCalls, native } = first;
    const messages: ChatMessage[] = [
      ...HELLO,
      { role: "assistant", content, toolCalls, ...(native && { native }) },
      { role: "tool", callId: "a", content: "ok" },
    ];
    await askAt(server.url, options.id ? { id: options.id } : {}).ask({ messages });
    return { first, sent: server.requests[1]?.body.messages[2] };
  }

  test("is not shown, and goes back with the calls it led to (DeepSeek, Kimi)", async () => {
    const { first, sent } = await nextTurn([
      delta({ role: "assistant", content: null, reasoning_content: "I should " }),
      delta({ reasoning_content: "look." }),
      called,
      finish("tool_calls"),
    ]);
    expect(first.content).toBe("");
    expect(sent).toMatchObject({ reasoning_content: "I should look." });
  });

  test("goes to no other provider", async () => {
    const { sent } = await nextTurn(
      [delta({ reasoning_content: "I should look." }), called, finish("tool_calls")],
      { id: "other" },
    );
    expect(sent).not.toHaveProperty("reasoning_content");
  });

  test("in details is put together and goes back whole (OpenRouter)", async () => {
    const detail = (fields: object) =>
      delta({
        reasoning: "x",
        reasoning_details: [{ type: "reasoning.text", index: 0, ...fields }],
      });
    const { sent } = await nextTurn([
      detail({ text: "I should ", format: "anthropic-claude-v1" }),
      detail({ text: "look." }),
      detail({ signature: "c2ln" }),
      delta({ reasoning_details: [{ type: "reasoning.encrypted", index: 1, data: "gAAA" }] }),
      called,
      finish("tool_calls"),
    ]);
    expect(sent).toMatchObject({
      reasoning_details: [
        {
          type: "reasoning.text",
          index: 0,
          text: "I should look.",
          signature: "c2ln",
          format: "anthropic-claude-v1",
        },
        { type: "reasoning.encrypted", index: 1, data: "gAAA" },
      ],
    });
    expect(sent).not.toHaveProperty("reasoning");
  });

  test("is left out for a server that gives it and refuses it", async () => {
    const chunks = [delta({ reasoning: "Hm." }), called, finish("tool_calls")];
    await serve((body, number) => {
      if (number === 1) return { chunks };
      return JSON.stringify(body.messages).includes("Hm.")
        ? refusing("'messages.2' : property 'reasoning' is unsupported")
        : { content: "done" };
    });
    const { ask } = askAt(server.url);
    const { content, toolCalls, native } = replyOf(await ask());
    const assistant: ChatMessage = {
      role: "assistant",
      content,
      toolCalls,
      ...(native && { native }),
    };
    expect(native?.origin).toBe("house/m-1");
    expect(replyOf(await ask({ messages: [...HELLO, assistant] })).content).toBe("done");
  });

  const foreign: ChatMessage[] = [
    ...HELLO,
    { role: "assistant", content: "", toolCalls: [{ id: "a", name: "shell", arguments: "{}" }] },
    { role: "tool", callId: "a", content: "ok" },
  ];

  test.each([
    "The `reasoning_content` in the thinking mode must be passed back to the API.",
    "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2",
  ])("of another model is stood in for where a server insists: %s", async (message) => {
    await serve((body) =>
      JSON.stringify(body.messages).includes('"reasoning_content":" "')
        ? { content: "done" }
        : refusing(message),
    );
    expect(replyOf(await askAt(server.url).ask({ messages: foreign })).content).toBe("done");
    expect(server.requests).toHaveLength(2);
  });

  test("a thought signature that another model could not give is stood in for (Gemini)", async () => {
    await serve((body) =>
      JSON.stringify(body.messages).includes("skip_thought_signature_validator")
        ? { content: "done" }
        : {
            status: 400,
            body: [
              {
                error: {
                  code: 400,
                  message: "Function call is missing a thought_signature in parts.",
                },
              },
            ],
          },
    );
    expect(replyOf(await askAt(server.url).ask({ messages: foreign })).content).toBe("done");
  });
});

describe("usage", () => {
  async function usageOf(chunks: object[]) {
    await serve(() => ({ chunks: [delta({ content: "12345678" }), ...chunks] }));
    const { usage, usageReported } = replyOf(await askAt(server.url).ask());
    return { ...usage, usageReported };
  }

  test.each<[string, object, object]>([
    [
      "OpenAI",
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { cached_tokens: 64 },
        completion_tokens_details: { reasoning_tokens: 40 },
      },
      { inputTokens: 100, cachedTokens: 64, outputTokens: 50, reasoningTokens: 40 },
    ],
    [
      "DeepSeek",
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_cache_hit_tokens: 64,
        prompt_cache_miss_tokens: 36,
      },
      { inputTokens: 100, cachedTokens: 64, outputTokens: 50 },
    ],
    [
      "Moonshot",
      { prompt_tokens: 100, completion_tokens: 50, cached_tokens: 64 },
      { inputTokens: 100, cachedTokens: 64, outputTokens: 50 },
    ],
    [
      "Anthropic, which counts cached tokens apart",
      {
        input_tokens: 30,
        output_tokens: 50,
        cache_read_input_tokens: 64,
        cache_creation_input_tokens: 6,
      },
      { inputTokens: 100, cachedTokens: 64, cacheWriteTokens: 6, outputTokens: 50 },
    ],
    [
      "OpenRouter, with what was written to the cache",
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { cached_tokens: 64, cache_write_tokens: 30 },
      },
      { inputTokens: 100, cachedTokens: 64, cacheWriteTokens: 30, outputTokens: 50 },
    ],
    [
      "LiteLLM in front of Anthropic",
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { cached_tokens: 64, cache_creation_tokens: 30 },
        cache_creation_input_tokens: 30,
        cache_read_input_tokens: 64,
      },
      { inputTokens: 100, cachedTokens: 64, cacheWriteTokens: 30, outputTokens: 50 },
    ],
    [
      "Gemini and xAI, which count reasoning in the total alone",
      {
        prompt_tokens: 100,
        completion_tokens: 10,
        total_tokens: 150,
        completion_tokens_details: { reasoning_tokens: 40 },
      },
      { inputTokens: 100, cachedTokens: 0, outputTokens: 50, reasoningTokens: 40 },
    ],
  ])("of %s is read", async (_, usage, expected) => {
    expect(await usageOf([finish("stop", usage)])).toEqual({ ...expected, usageReported: true });
  });

  test.each<[string, object[]]>([
    [
      "in every chunk, cumulative",
      [
        { choices: [], usage: { prompt_tokens: 100, completion_tokens: 1 } },
        finish("stop", { prompt_tokens: 100, completion_tokens: 50 }),
      ],
    ],
    [
      "after the end, without choices",
      [finish("stop"), { choices: [], usage: { prompt_tokens: 100, completion_tokens: 50 } }],
    ],
    [
      "beside the choice",
      [
        {
          choices: [
            {
              delta: {},
              finish_reason: "stop",
              usage: { prompt_tokens: 100, completion_tokens: 50 },
            },
          ],
        },
      ],
    ],
    [
      "in Groq's own field",
      [{ ...finish("stop"), x_groq: { usage: { prompt_tokens: 100, completion_tokens: 50 } } }],
    ],
  ])("is found %s", async (_, chunks) => {
    const usage = { inputTokens: 100, cachedTokens: 0, outputTokens: 50, usageReported: true };
    expect(await usageOf(chunks)).toEqual(usage);
  });

  test.each<[string, object | undefined]>([
    ["missing", undefined],
    ["negative", { prompt_tokens: -100, completion_tokens: 50 }],
    ["without a prompt", { prompt_tokens: 0, completion_tokens: 50 }],
    ["without output, though there is one", { prompt_tokens: 100, completion_tokens: 0 }],
    ["in words", { prompt_tokens: "100", completion_tokens: "50" }],
    ["endless", { prompt_tokens: 1e99, completion_tokens: 50 }],
    [
      "with more from the cache than was read",
      { prompt_tokens: 100, completion_tokens: 50, prompt_tokens_details: { cached_tokens: 101 } },
    ],
    [
      "with more to and from the cache than was read",
      { prompt_tokens: 10, completion_tokens: 50, cache_creation_input_tokens: 5_000 },
    ],
    [
      "with a negative share of the cache",
      { prompt_tokens: 100, completion_tokens: 50, prompt_tokens_details: { cached_tokens: -5 } },
    ],
    [
      "with more reasoning than output",
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        completion_tokens_details: { reasoning_tokens: 51 },
      },
    ],
  ])("that is %s is not believed, and nothing in it is negative", async (_, usage) => {
    const { usageReported, ...counted } = await usageOf([finish("stop", usage)]);
    expect(usageReported).toBe(false);
    for (const count of Object.values(counted)) expect(count).toBeGreaterThanOrEqual(0);
    expect(counted.inputTokens).toBeGreaterThan(0);
    expect(counted.outputTokens).toBeGreaterThan(0);
  });
});

test("a call in 500 chunks, and two with one id, are told apart", async () => {
  const args = JSON.stringify({ command: "x".repeat(480) });
  const chunks = [...args].map((letter, at) =>
    delta({
      tool_calls: [
        {
          index: 0,
          ...(at === 0 && { id: "a" }),
          function: { ...(at === 0 && { name: "shell" }), arguments: letter },
        },
      ],
    }),
  );
  const second = delta({
    tool_calls: [{ index: 1, id: "a", function: { name: "shell", arguments: { command: "ls" } } }],
  });
  await serve(() => ({ chunks: [...chunks, second, finish("tool_calls")] }));
  const { toolCalls } = replyOf(await askAt(server.url).ask());
  expect(chunks.length).toBeGreaterThan(490);
  expect(toolCalls.map(({ arguments: written }) => written)).toEqual([args, '{"command":"ls"}']);
  expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(2);
});

describe("a stream that stays open behind its end", () => {
  const end = { choices: [{ index: 0, delta: { content: "Hi" }, finish_reason: "stop" }] };
  const usage = { choices: [], usage: { prompt_tokens: 50, completion_tokens: 5 } };

  test.each<[string, object[], object]>([
    ["with its usage", [end, usage], { usageReported: true, usage: { inputTokens: 50 } }],
    ["without", [end], { usageReported: false }],
  ])("is a reply all the same, %s", async (_, chunks, told) => {
    await serve(() => ({ chunks, ending: "hang" }));
    const tried = await askAt(server.url, { tailMs: 200 }).ask();
    expect(replyOf(tried)).toMatchObject({ content: "Hi", ...told });
  });

  test("is waited for until its usage comes", async () => {
    await serve(() => ({ chunks: [end, usage], gapMs: 300, ending: "hang" }));
    const tried = await askAt(server.url, { tailMs: 5_000 }).ask();
    expect(replyOf(tried)).toMatchObject({ usageReported: true });
  });
});
