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

async function serve(script: (request: ChatRequest, number: number) => ScriptedReply) {
  server = await startModelServer(script);
  return askAt(server.url, { api: "responses" });
}

/** The reply that these events, or this whole response, make. */
async function replyTo(told: object[] | object) {
  const { ask } = await serve(() =>
    Array.isArray(told) ? { chunks: told } : { status: 200, body: told },
  );
  return replyOf(await ask());
}

const usage = { input_tokens: 9, output_tokens: 3 };
const message = (text: string, fields = {}) => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [] }],
  ...fields,
});
const call = (id: string, args: unknown, fields = {}) => ({
  type: "function_call",
  call_id: id,
  name: "shell",
  arguments: args,
  ...fields,
});
const reasoning = (sealed: string | null, id = "rs_1") => ({
  id,
  type: "reasoning",
  summary: [],
  encrypted_content: sealed,
});
const completed = (output: object[], fields = {}) => ({
  type: "response.completed",
  response: { id: "resp_1", status: "completed", output, usage, ...fields },
});
const delta = (text: string, at = 0) => ({
  type: "response.output_text.delta",
  output_index: at,
  item_id: "msg_1",
  delta: text,
});

describe("a reply", () => {
  test("is told with its tokens, reasoning and cached ones included", async () => {
    const told = {
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 64 },
      completion_tokens_details: { reasoning_tokens: 40 },
    };
    const { ask } = await serve(() => ({ content: "Hi", usage: told }));
    expect(await ask()).toEqual({
      kind: "reply",
      requestId: "resp_1",
      reply: {
        content: "Hi",
        toolCalls: [],
        refusal: null,
        truncated: false,
        usage: { inputTokens: 100, cachedTokens: 64, outputTokens: 50, reasoningTokens: 40 },
        usageReported: true,
        native: {
          origin: "house/m-1",
          items: [
            { type: "reasoning", summary: [], encrypted_content: expect.any(String) },
            {
              type: "message",
              role: "assistant",
              phase: "final_answer",
              content: [{ type: "output_text", text: "Hi", annotations: [] }],
            },
          ],
        },
      },
    });
  });

  test.each<[string, object[] | object]>([
    ["only at the end", [completed([message("Hello"), call("a", '{"command":"ls"}')])]],
    ["without a stream", completed([message("Hello"), call("a", '{"command":"ls"}')]).response],
    [
      "only in deltas, then [DONE]",
      [
        delta("Hel"),
        delta("lo"),
        {
          type: "response.output_item.added",
          output_index: 1,
          item: call("a", "", { id: "fc_1", status: "in_progress" }),
        },
        { type: "response.function_call_arguments.delta", output_index: 1, delta: '{"command"' },
        { type: "response.function_call_arguments.delta", output_index: 1, delta: ':"ls"}' },
      ],
    ],
    [
      "with an empty output at the end",
      [
        delta("Hello"),
        { type: "response.output_item.done", output_index: 0, item: message("Hello") },
        {
          type: "response.output_item.done",
          output_index: 1,
          item: call("a", '{"command":"ls"}'),
        },
        completed([]),
      ],
    ],
    [
      "without ids and places, arguments as an object",
      [
        { type: "response.output_text.delta", delta: "Hello" },
        { type: "response.output_item.done", item: call("a", { command: "ls" }) },
        { type: "response.completed", response: { usage } },
      ],
    ],
    [
      "in an odd order: the end of an item before its pieces, pieces before their item",
      [
        { type: "response.output_item.done", output_index: 0, item: message("Hello") },
        delta("Hello"),
        {
          type: "response.function_call_arguments.done",
          output_index: 1,
          arguments: '{"command":"ls"}',
        },
        { type: "response.output_item.added", output_index: 1, item: call("a", "") },
        completed([]),
      ],
    ],
    [
      "with ids that change from event to event",
      [
        {
          type: "response.output_item.added",
          output_index: 0,
          item: message("", { id: "x1", content: [] }),
        },
        { type: "response.output_text.delta", output_index: 0, item_id: "x2", delta: "Hello" },
        {
          type: "response.output_item.done",
          output_index: 0,
          item: message("Hello", { id: "x3" }),
        },
        { type: "response.output_item.added", output_index: 1, item: call("a", "", { id: "y1" }) },
        {
          type: "response.function_call_arguments.delta",
          output_index: 1,
          item_id: "y2",
          delta: '{"command":"ls"}',
        },
        completed([]),
      ],
    ],
    [
      "with all items at place 0",
      [
        { type: "response.output_item.added", output_index: 0, item: message("", { content: [] }) },
        delta("Hello"),
        { type: "response.output_item.done", output_index: 0, item: message("Hello") },
        {
          type: "response.output_item.added",
          output_index: 0,
          item: call("a", "", { id: "fc_1" }),
        },
        {
          type: "response.output_item.done",
          output_index: 0,
          item: call("a", '{"command":"ls"}', { id: "fc_1" }),
        },
        completed([]),
      ],
    ],
    [
      "among events that nobody knows",
      [
        { type: "response.created", response: { id: "resp_1", status: "in_progress", output: [] } },
        { type: "keepalive", sequence_number: 2 },
        { type: "response.something.new", output_index: 9, delta: "?" },
        completed([message("Hello"), call("a", '{"command":"ls"}')]),
      ],
    ],
  ])("comes %s", async (_, told) => {
    const reply = await replyTo(told);
    expect(reply).toMatchObject({ content: "Hello", truncated: false, refusal: null });
    expect(reply.toolCalls).toEqual([{ id: "a", name: "shell", arguments: '{"command":"ls"}' }]);
  });

  test("in events that only their names tell apart", async () => {
    const { ask } = await serve(() => ({
      status: 200,
      headers: { "content-type": "text/event-stream" },
      body:
        ': keep-alive\n\nevent: response.output_text.delta\ndata: {"delta":"Hi"}\n\n' +
        'event: response.completed\ndata: {"response":{"output":[]}}\n\n',
    }));
    expect(replyOf(await ask()).content).toBe("Hi");
  });

  test("in 500 chunks is one call", async () => {
    const args = JSON.stringify({ command: "x".repeat(490) });
    const pieces = [...args].map((piece) => ({
      type: "response.function_call_arguments.delta",
      output_index: 0,
      item_id: "fc_1",
      delta: piece,
    }));
    const opening = {
      type: "response.output_item.added",
      output_index: 0,
      item: call("a", "", { id: "fc_1" }),
    };
    const { toolCalls } = await replyTo([opening, ...pieces, completed([])]);
    expect(toolCalls).toEqual([{ id: "a", name: "shell", arguments: args }]);
  });

  test("whose calls share an id, or have none, gets its own, also in what goes back", async () => {
    const { toolCalls, native } = await replyTo([
      completed([reasoning("gAAA"), call("a", "{}"), call("a", "{}"), call("", "{}")]),
    ]);
    const ids = toolCalls.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toBe("a");
    expect(native?.items.slice(1).map(({ call_id: id }) => id)).toEqual(ids);
  });

  test("takes encrypted reasoning from the event where the end has none", async () => {
    const { native } = await replyTo([
      { type: "response.output_item.done", output_index: 0, item: reasoning("gAAAsealed") },
      completed([reasoning(null), call("a", "{}")]),
    ]);
    expect(native?.items[0]).toMatchObject({ type: "reasoning", encrypted_content: "gAAAsealed" });
  });

  test("drops calls of tools that nobody offered, and keeps what it does not know", async () => {
    const { native, toolCalls } = await replyTo([
      completed([
        { id: "cmp_1", type: "compaction", encrypted_content: "gAAA" },
        reasoning(null),
        { id: "ctc_1", type: "custom_tool_call", call_id: "z", name: "apply_patch", input: "*" },
        call("a", "{}"),
      ]),
    ]);
    expect(toolCalls.map(({ id }) => id)).toEqual(["a"]);
    expect(native?.items.map(({ type }) => type)).toEqual(["compaction", "function_call"]);
    expect(JSON.stringify(native)).not.toContain("cmp_1");
  });

  test("shows the answer alone where the model told its way there too", async () => {
    const told = [
      message("I look.", { phase: "commentary" }),
      message("All done.", { phase: "final_answer" }),
    ];
    expect((await replyTo([completed(told)])).content).toBe("All done.");
  });

  test("that ends at the limit says so, one that is filtered or declined is a refusal", async () => {
    const incomplete = (reason: string) => ({
      type: "response.incomplete",
      response: { status: "incomplete", output: [message("And")], incomplete_details: { reason } },
    });
    expect(await replyTo([incomplete("max_output_tokens")])).toMatchObject({
      content: "And",
      truncated: true,
      refusal: null,
    });
    await server.close();
    expect(await replyTo([incomplete("content_filter")])).toMatchObject({
      truncated: false,
      refusal: expect.stringContaining("withheld"),
    });
    await server.close();
    const { ask } = await serve(() => ({ refusal: "I can't help with that." }));
    expect(replyOf(await ask())).toMatchObject({ content: "", refusal: "I can't help with that." });
  });

  test("without end is cut, and goes back in plain form", async () => {
    const reply = await replyTo([delta("x".repeat(3_000_000)), delta("y")]);
    expect(reply.content).toHaveLength(2_000_000);
    expect(reply.truncated).toBe(true);
    expect(reply.native).toBeUndefined();
    expect(reply.usageReported).toBe(false);
  });

  test.each([
    ["missing", undefined],
    ["negative", { input_tokens: -1, output_tokens: 3 }],
    ["contradictory", { ...usage, input_tokens_details: { cached_tokens: 10 } }],
  ])("with usage that is %s is estimated", async (_, told) => {
    const reply = await replyTo([completed([message("12345678")], { usage: told })]);
    expect(reply.usageReported).toBe(false);
    expect(reply.usage.inputTokens).toBeGreaterThan(0);
    expect(reply.usage.cachedTokens).toBeGreaterThanOrEqual(0);
  });
});

describe("a request", () => {
  test("carries the limit, the effort and the tools in the API's own form", async () => {
    const { ask } = await serve(() => ({ content: "Hi" }));
    await ask({ maxOutput: 500, effort: "low" });
    expect(server.requests[0]?.raw).toEqual({
      model: "m-1",
      stream: true,
      store: false,
      include: ["reasoning.encrypted_content"],
      reasoning: { effort: "low" },
      tools: [
        {
          type: "function",
          name: "shell",
          description: "Runs a command.",
          parameters: { type: "object", properties: { command: { type: "string" } } },
          strict: false,
        },
      ],
      parallel_tool_calls: true,
      instructions: "You help.",
      input: [
        {
          type: "message",
          role: "user",
          content: [{ type: "input_text", text: "Say hello." }],
        },
      ],
      max_output_tokens: 500,
    });
  });

  test.each([
    ["include", "Encrypted content is not supported with this model.", "include"],
    ["parallel_tool_calls", "Unknown parameter: 'parallel_tool_calls'.", "parallel_tool_calls"],
  ])("goes without %s to a model that refuses it", async (field, message, param) => {
    server = await startModelServer(() => {
      const raw = server.requests.at(-1)?.raw ?? {};
      return field in raw
        ? { status: 400, body: { error: { message, param } } }
        : { content: "Hi" };
    });
    const { ask } = askAt(server.url, { api: "responses" });
    expect(replyOf(await ask()).content).toBe("Hi");
    expect(replyOf(await ask()).content).toBe("Hi");
    expect(server.requests).toHaveLength(3);
  });

  const thought = (sealed: string, content = ""): ChatMessage[] => [
    ...HELLO,
    {
      role: "assistant",
      content,
      toolCalls: [{ id: "a", name: "shell", arguments: "{}" }],
      native: { origin: "house/m-1", items: [reasoning(sealed), call("a", "{}")].map(bare) },
    },
    { role: "tool", callId: "a", content: "ok" },
  ];

  test("whose encrypted reasoning the server no longer reads goes without, for that conversation", async () => {
    const { ask } = await serve(() => ({ content: "Hi" }));
    const tried = await ask({ messages: thought("gAAA-of-another-organisation") });
    expect(replyOf(tried).content).toBe("Hi");
    expect(server.requests).toHaveLength(2);
    expect(JSON.stringify(server.requests[1]?.raw)).not.toContain('"reasoning"');
  });

  /** A conversation whose reasoning its server refuses in these words, and then the rest of it in others. */
  async function reasoned(refusal: string, then: string | null = null) {
    server = await startModelServer((_, number) => {
      if (number === 1) return { toolCalls: [{ id: "a", name: "shell", arguments: {} }] };
      return JSON.stringify(server.requests.at(-1)?.raw.input).includes('"reasoning"')
        ? { status: 400, body: { error: { message: refusal } } }
        : then === null
          ? { content: "Hi" }
          : { status: 400, body: { error: { message: then } } };
    });
    const { ask } = askAt(server.url, { api: "responses" });
    const { content, toolCalls, native } = replyOf(await ask());
    if (!native) throw new Error("no reasoning came");
    const own: ChatMessage[] = [
      ...HELLO,
      { role: "assistant", content, toolCalls, native },
      { role: "tool", callId: "a", content: "ok" },
    ];
    return { ask, own };
  }

  // Servers that check what they are sent by OpenAI's types; llama.cpp.
  test.each([
    "1 validation error for ValidatorIterator: id Field required",
    "`input[1]` missing required field `summary`",
    "item['content'] is empty",
  ])("goes without reasoning, from then on, to a server that says: %s", async (message) => {
    const { ask, own } = await reasoned(message);
    expect(replyOf(await ask({ messages: own })).content).toBe("Hi");
    expect(replyOf(await ask({ messages: own })).content).toBe("Hi");
    expect(server.requests).toHaveLength(4);
    expect(JSON.stringify(server.requests[3]?.raw)).toContain('"function_call_output"');
  });

  test("goes without reasoning for a conversation alone where nothing tells what is wrong", async () => {
    const { ask, own } = await reasoned("Bad request.");
    expect(replyOf(await ask({ messages: own })).content).toBe("Hi");
    expect(replyOf(await ask({ messages: own })).content).toBe("Hi");
    expect(server.requests).toHaveLength(5);
  });

  test("that is wrong in another way is tried once more without reasoning, and is an error then", async () => {
    const { ask, own } = await reasoned("No cats.", "No cats at all.");
    expect(await ask({ messages: own })).toMatchObject({
      kind: "final",
      message: expect.stringContaining("No cats at all."),
    });
    expect(server.requests).toHaveLength(3);
    // Where nothing was sent back, there is nothing to try.
    expect(await ask()).toMatchObject({ kind: "final" });
    expect(server.requests).toHaveLength(4);
  });

  test("carries a summary of reasoning even where none came", async () => {
    const item = { type: "reasoning", id: "rs_1", encrypted_content: "gAAA", summary: null };
    const { native } = await replyTo([completed([item, call("a", "{}")])]);
    expect(native?.items[0]).toEqual({ type: "reasoning", encrypted_content: "gAAA", summary: [] });
  });

  test("tells in plain words what a message says by now, if its reply said something else", async () => {
    const { ask } = await serve(() => ({ content: "Hi" }));
    await ask({ messages: thought("gAAA", "This was changed.") });
    const [request] = server.requests;
    expect(request?.body.messages[2]).toMatchObject({ content: "This was changed." });
    expect(JSON.stringify(request?.raw)).not.toContain("gAAA");
  });

  test("leaves out reasoning that nothing follows", async () => {
    const { ask } = await serve(() => ({ content: "Hi" }));
    const cut: ChatMessage = {
      role: "assistant",
      content: "",
      toolCalls: [],
      native: { origin: "house/m-1", items: [bare(reasoning("gAAA"))] },
    };
    const tried = await ask({ messages: [...HELLO, cut, { role: "user", content: "Go on." }] });
    expect(replyOf(tried).content).toBe("Hi");
    expect(server.requests).toHaveLength(1);
  });

  test("of a model that the server has under Chat Completions alone says so", async () => {
    const { ask } = await serve(() => ({ status: 404, body: { error: { message: "no route" } } }));
    expect(await ask()).toMatchObject({
      kind: "final",
      message: expect.stringMatching(/check models and providers\.house\.baseURL.*api: chat/),
    });
  });
});

/** As an adapter keeps it. */
function bare(item: object): Record<string, unknown> {
  const { id: _, ...rest } = item as Record<string, unknown>;
  return rest;
}

describe("a reply that only calls tools in a form of their own", () => {
  test.each<[object, string, string]>([
    [
      { id: "ctc_1", type: "custom_tool_call", call_id: "z", name: "run", input: "ls" },
      "run",
      '{"input":"ls"}',
    ],
    [
      { type: "apply_patch_call", call_id: "z", status: "completed", operation: { type: "x" } },
      "apply_patch",
      '{"operation":{"type":"x"}}',
    ],
  ])("is a call that can be answered: %o", async (item, name, args) => {
    for (const told of [
      completed([item]),
      [{ type: "response.output_item.done", output_index: 0, item }, completed([])],
    ]) {
      const { toolCalls } = await replyTo(Array.isArray(told) ? told : [told]);
      expect(toolCalls).toEqual([{ id: "z", name, arguments: args }]);
      await server.close();
    }
  });

  test("is none where its server ran the tool itself", async () => {
    const search = { id: "ws_1", type: "web_search_call", status: "completed" };
    const { toolCalls, content } = await replyTo([completed([search, message("Found.")])]);
    expect(toolCalls).toEqual([]);
    expect(content).toBe("Found.");
  });
});

describe("a server that refuses a field", () => {
  const refuses = (field: string, words: string) =>
    serve((_, number) =>
      field in (server.requests[number - 1]?.raw ?? {})
        ? { status: 400, body: { error: { message: words } } }
        : { content: "Hi" },
    );

  test.each(["Unknown parameter: 'store'.", "Unrecognized request argument supplied: 'store'"])(
    "that it does not know gets the same without `store`: %s",
    async (words) => {
      const { ask } = await refuses("store", words);
      expect(await ask()).toMatchObject({ kind: "reply" });
      await ask();
      expect(server.requests.map(({ raw }) => "store" in raw)).toEqual([true, false, false]);
    },
  );

  test.each([
    "Invalid value: 'store' must be true.",
    "'store' is not supported as false with this model",
  ])("that it knows is not told to keep what it is sent: %s", async (words) => {
    const { ask } = await refuses("store", words);
    expect(await ask()).toMatchObject({
      kind: "final",
      message: expect.stringMatching(/would keep what it is sent: use `api: chat`.*store/),
    });
    expect(server.requests).toHaveLength(1);
  });

  test("without which no budget holds is told to the operator", async () => {
    const { ask } = await refuses("max_output_tokens", "Unknown parameter: 'max_output_tokens'.");
    expect(await ask({ maxOutput: 500 })).toMatchObject({
      kind: "final",
      message: expect.stringMatching(/no budget would hold.*`api: chat`.*`unpriced`/),
    });
    expect(server.requests).toHaveLength(1);
    expect(await ask()).toMatchObject({ kind: "reply" });
  });
});
