import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { askAt, KEY } from "../../support/ask-provider.ts";
import {
  type ModelServer,
  type ScriptedReply,
  startModelServer,
} from "../../support/model-server.ts";

const open: (ModelServer | { close(): Promise<void> })[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function tried(
  reply: ScriptedReply,
  options: Parameters<typeof askAt>[1] = {},
  request: { effort?: string } = {},
) {
  const server = await startModelServer(() => reply);
  open.push(server);
  return { outcome: await askAt(server.url, options).ask(request), server };
}

/** A server that answers by hand. */
async function byHand(handle: (response: ServerResponse) => void): Promise<string> {
  const server: Server = createServer((request, response) => {
    request.resume();
    handle(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

const error = (message: string, fields: object = {}) => ({ error: { message, ...fields } });
const begun = {
  chat: { choices: [{ index: 0, delta: { content: "Let me" } }] },
  responses: { type: "response.output_text.delta", output_index: 0, delta: "Let me" },
};

describe.each(["chat", "responses"] as const)("a failure through %s that may pass", (api) => {
  test.each<[string, ScriptedReply]>([
    ["408", { status: 408, body: error("Timeout") }],
    ["429", { status: 429, body: error("Slow down", { code: "rate_limit_exceeded" }) }],
    ["409", { status: 409, body: error("The server is overloaded") }],
    [
      "429 about a request that is too large for a minute",
      { status: 429, body: error("Request too large. Reduce the length of the messages.") },
    ],
    ["500", { status: 500, body: error("The server had an error", { type: "server_error" }) }],
    ["503 without body", { status: 503 }],
    ["502 of a gateway", { status: 502, body: "<html>Bad gateway</html>" }],
    ["503 of DeepSeek", { status: 503, body: error("Server overloaded") }],
    [
      "529 of Anthropic",
      {
        status: 529,
        body: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
      },
    ],
    ["429 inside of a stream", { chunks: [error("Slow down", { code: 429 })] }],
    [
      "overload inside of a stream, before anything",
      { chunks: [{ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }] },
    ],
    ["200 with a web page", { status: 200, body: "<!doctype html><title>Sign in</title>" }],
  ])("%s has cost nothing", async (_, reply) => {
    const { outcome, server } = await tried(reply, { api });
    expect(outcome).toMatchObject({ kind: "passing", billed: false });
    expect(server.requests).toHaveLength(1);
  });

  test.each<[string, ScriptedReply]>([
    ["504 of a gateway that did not wait", { status: 504, body: "" }],
    ["200 with nothing", { status: 200, headers: { "content-type": "text/event-stream" } }],
    ["200 with half a JSON", { status: 200, body: '{"choices":[{"mess' }],
    ["200 with an error", { status: 200, body: error("Internal error", { type: "server_error" }) }],
    ["a stream that ends early", { fault: "end" }],
    ["a connection that breaks", { fault: "reset" }],
    [
      "an error inside of a stream, as OpenRouter has it",
      { chunks: [error("Provider returned error", { code: 502 })] },
    ],
    ["a stream of one word", { chunks: [begun[api]], ending: "end" }],
    ["an error after the first word", { chunks: [begun[api], error("Overloaded", { code: 529 })] }],
    ["a bad key after the first word", { chunks: [begun[api], error("No", { code: 401 })] }],
    [
      "broken JSON inside of a stream",
      {
        status: 200,
        headers: { "content-type": "text/event-stream" },
        body: 'data: {"choices": [\n\ndata: [DONE]\n\n',
      },
    ],
  ])("%s may have cost something", async (_, reply) => {
    const { outcome } = await tried(reply, { api });
    expect(outcome).toMatchObject({ kind: "passing", billed: true });
  });

  test("silence after the request may have cost something", async () => {
    const { outcome } = await tried({ fault: "hang" }, { api, idleMs: 100 });
    expect(outcome).toMatchObject({ kind: "passing", billed: true });
    expect(outcome).toMatchObject({ message: expect.stringMatching(/127\.0\.0\.1.*m-1/) });
  });

  test("signs of life alone, for ever, are not waited for", async () => {
    const timers: NodeJS.Timeout[] = [];
    const url = await byHand((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const timer = setInterval(() => response.write(": keep-alive\n\n"), 20);
      timers.push(timer);
      response.on("close", () => clearInterval(timer));
    });
    const outcome = await askAt(url, { api, quietMs: 200 }).ask();
    expect(outcome).toMatchObject({ kind: "passing", billed: true });
    for (const timer of timers) clearInterval(timer);
  });

  test("a server that is not there has cost nothing, nor has a name that nobody knows", async () => {
    const server = await startModelServer(() => ({ content: "Hi" }));
    await server.close();
    const { ask } = askAt(server.url, { api });
    expect(await ask()).toMatchObject({
      ...{ kind: "passing", billed: false },
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ did not answer.*ECONNREFUSED/),
    });
    const nowhere = askAt("http://model.invalid/v1", { api });
    expect(await nowhere.ask()).toMatchObject({ kind: "passing", billed: false });
  });

  test("a server that speaks no TLS has cost nothing, and is a matter of the address", async () => {
    const url = await byHand((response) => response.end());
    const { ask } = askAt(url.replace("http:", "https:"), { api });
    expect(await ask()).toMatchObject({
      kind: "passing",
      billed: false,
      operator: true,
      message: expect.stringContaining("check providers.house.baseURL"),
    });
  });

  test.each([
    ["20s", 20_000],
    ["1m2.5s", 62_500],
    ["120ms", 120],
  ])("says in words alone when to come back: in %s", async (spoken, afterMs) => {
    const words = `Rate limit reached for m-1. Please try again in ${spoken}. Visit our site.`;
    const chunks = [error(words, { code: "rate_limit_exceeded" })];
    const { outcome } = await tried({ chunks }, { api });
    expect(outcome).toMatchObject({ kind: "passing", afterMs });
  });

  test.each([
    ["retry-after-ms", "1234.5", 1234.5],
    ["retry-after", "7", 7000],
    ["retry-after", "0", 0],
  ])("says when to come back: %s: %s", async (header, value, afterMs) => {
    const { outcome } = await tried({ status: 429, headers: { [header]: value } }, { api });
    expect(outcome).toMatchObject({ kind: "passing", afterMs });
  });

  test("says until which date to wait", async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    const { outcome } = await tried({ status: 503, headers: { "retry-after": date } }, { api });
    const afterMs = outcome.kind === "passing" ? outcome.afterMs : null;
    expect(afterMs).toBeGreaterThan(30_000);
    expect(afterMs).toBeLessThanOrEqual(60_000);
  });

  test("that is a web page may be a matter of the address", async () => {
    const { outcome } = await tried({ status: 200, body: "<html>Welcome</html>" }, { api });
    expect(outcome).toMatchObject({
      operator: true,
      message: expect.stringContaining("check providers.house.baseURL"),
    });
  });
});

describe("a conversation that is too long", () => {
  test.each<[string, ScriptedReply]>([
    ["OpenAI", { status: 400, body: error("too long", { code: "context_length_exceeded" }) }],
    [
      "OpenAI, inside of a Responses stream",
      {
        chunks: [
          {
            type: "response.failed",
            response: {
              status: "failed",
              error: {
                code: "context_length_exceeded",
                message: "Your input exceeds the context window of this model.",
              },
            },
          },
        ],
      },
    ],
    [
      "Anthropic",
      {
        status: 400,
        body: error("prompt is too long: 210000 tokens > 200000 maximum", {
          type: "invalid_request_error",
        }),
      },
    ],
    [
      "Anthropic, with the reply",
      {
        status: 400,
        body: error("input length and `max_tokens` exceed context limit: 170636 + 34048 > 200000"),
      },
    ],
    [
      "Gemini",
      {
        status: 400,
        body: [
          error(
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
          ),
        ],
      },
    ],
    [
      "vLLM",
      {
        status: 400,
        body: {
          object: "error",
          message:
            "This model's maximum context length is 1024 tokens. However, you requested 2000 tokens.",
          type: "BadRequestError",
          code: 400,
        },
      },
    ],
    [
      "vLLM, of the limit of the reply",
      {
        status: 400,
        body: error(
          "'max_tokens' or 'max_completion_tokens' is too large: 999. This model's maximum context length is 1024 tokens",
        ),
      },
    ],
    [
      "llama.cpp",
      {
        status: 400,
        body: error("the request exceeds the available context size, try increasing it", {
          type: "exceed_context_size_error",
        }),
      },
    ],
    ["Ollama", { status: 400, body: error("input length exceeds the context length") }],
    [
      "Mistral",
      {
        status: 400,
        body: {
          object: "error",
          message:
            "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        },
      },
    ],
    [
      "Together",
      {
        status: 422,
        body: error("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193."),
      },
    ],
    [
      "xAI",
      {
        status: 400,
        body: {
          code: "Client specified an invalid argument",
          error:
            "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        },
      },
    ],
    ["DashScope", { status: 400, body: error("Range of input length should be [1, 30720]") }],
    [
      "OpenRouter, in the words of the server behind it",
      {
        status: 400,
        body: error("Provider returned error", {
          code: 400,
          metadata: { raw: '{"error":{"message":"prompt is too long: 9 tokens > 8 maximum"}}' },
        }),
      },
    ],
    ...[400, 500].map((status): [string, ScriptedReply] => [
      `vLLM's checks of the prompt, with ${status}`,
      {
        status,
        body: error(
          "The decoder prompt (length 21535) is longer than the maximum model length of 16384. Make sure that `max_model_len` is no smaller than the number of text tokens.",
        ),
      },
    ]),
    [
      "SGLang",
      {
        status: 400,
        body: error(
          "Input length (40002 tokens) exceeds the maximum allowed length (32762 tokens). Use a shorter input or enable --allow-auto-truncate.",
        ),
      },
    ],
    [
      "TGI",
      {
        status: 422,
        body: {
          error: "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000",
          error_type: "validation",
        },
      },
    ],
    [
      "TensorRT-LLM",
      { status: 400, body: error("Prompt length (9000) exceeds maximum input length (8192)") },
    ],
    [
      "GitHub Copilot",
      {
        status: 400,
        body: error("prompt token count of 70000 …", { code: "model_max_prompt_tokens_exceeded" }),
      },
    ],
    ["a proxy", { status: 413, body: "<html>413 Request Entity Too Large</html>" }],
  ])("is told apart in the words of %s", async (_, reply) => {
    const { outcome } = await tried(reply);
    expect(outcome).toMatchObject({ kind: "too_long", message: expect.stringContaining("m-1") });
  });

  test.each<[string, ScriptedReply]>([
    ["Bedrock", { status: 503, body: error("ThrottlingException: Too many tokens, please wait.") }],
    [
      "OpenAI",
      { status: 429, body: error("Request too large. Reduce the length of the messages.") },
    ],
  ])("is not what a limit per minute of %s is", async (_, reply) => {
    expect((await tried(reply)).outcome).toMatchObject({ kind: "passing", billed: false });
  });
});

describe("a failure that will not pass", () => {
  test.each<[string, ScriptedReply, RegExp]>([
    ["401", { status: 401, body: error(`Bad key ${KEY}`) }, /refused the key: check HOUSE_KEY/],
    [
      "a bad key told inside of a stream",
      { chunks: [error("bad", { type: "authentication_error" })] },
      /refused the key: check HOUSE_KEY/,
    ],
    [
      "400",
      { status: 400, body: error(`tools[0] is bad, ${KEY}`) },
      /400 tools\[0\] is bad, \(key\)/,
    ],
    [
      "403",
      { status: 403, body: error("Not yours") },
      /check HOUSE_KEY and what it may use .*Not yours/,
    ],
    [
      "404",
      { status: 404, body: error("The model does not exist") },
      /model m-1 is not known at 127.*check models and providers\.house\.baseURL/,
    ],
    [
      "404 of a model for Responses alone",
      {
        status: 404,
        body: error("This model is only supported in v1/responses and not in v1/chat/completions."),
      },
      /needs api: responses/,
    ],
    [
      "no quota",
      { status: 429, body: error("You exceeded your quota", { code: "insufficient_quota" }) },
      /no quota left: check its plan and billing/,
    ],
    [
      "no balance (DeepSeek)",
      { status: 402, body: error("Insufficient Balance") },
      /no quota left/,
    ],
    [
      "no credit (Anthropic)",
      { status: 400, body: error("Your credit balance is too low to access the API.") },
      /no quota left/,
    ],
    [
      "FastAPI's own form",
      { status: 422, body: { detail: [{ msg: "Field required", loc: ["body", "x"] }] } },
      /Field required.*m-1/,
    ],
    [
      "another address",
      { status: 307, headers: { location: "/v2" } },
      /set providers\.house\.baseURL/,
    ],
  ])("%s tells the operator what to do", async (_, reply, message) => {
    const { outcome, server } = await tried(reply);
    expect(outcome).toMatchObject({ kind: "final", message: expect.stringMatching(message) });
    expect(JSON.stringify(outcome)).not.toContain(KEY);
    expect(server.requests).toHaveLength(1);
  });

  test.each<[string, ScriptedReply]>([
    ["Azure's filter", { status: 400, body: error("filtered", { code: "content_filter" }) }],
    [
      "a policy, inside of a Responses stream",
      {
        chunks: [
          {
            type: "response.failed",
            response: { error: { code: "bio_policy", message: "This was flagged." } },
          },
        ],
      },
    ],
  ])("%s is a refusal", async (_, reply) => {
    expect((await tried(reply)).outcome).toMatchObject({ kind: "refused" });
  });

  test("a server that refuses every form of a request is asked no further", async () => {
    const { outcome, server } = await tried({
      status: 400,
      body: error("Unknown parameter: 'stream_options'.", { param: "stream_options" }),
    });
    expect(outcome).toMatchObject({ kind: "final" });
    expect(server.requests).toHaveLength(2);
  });
});

test("an abort is thrown as it was given, while a reply streams and before", async () => {
  const reason = new Error("cancelled by alice");
  const abort = new AbortController();
  const server = await startModelServer(() => {
    abort.abort(reason);
    return { fault: "hang" };
  });
  open.push(server);
  const { ask } = askAt(server.url, { api: "responses" });
  await expect(ask({ signal: abort.signal })).rejects.toBe(reason);
  await expect(ask({ signal: abort.signal })).rejects.toBe(reason);
  expect(server.requests).toHaveLength(1);
});

describe("a failure that the Responses API tells in an event, before a word of the reply", () => {
  const failedWith = (usage: object | null) => ({
    type: "response.failed",
    response: { status: "failed", error: { code: "server_error", message: "It broke" }, usage },
  });

  test.each<[string, object]>([
    ["response.failed", failedWith(null)],
    ["error", { type: "error", code: "server_error", message: "It broke" }],
  ])("has cost nothing: %s", async (_, event) => {
    const { outcome } = await tried({ chunks: [event] }, { api: "responses" });
    expect(outcome).toMatchObject({ kind: "passing", billed: false });
    expect(outcome).toMatchObject({ message: expect.stringContaining("It broke") });
    expect(outcome).not.toHaveProperty("usage");
  });

  test("has cost what it says", async () => {
    const usage = { input_tokens: 900, output_tokens: 40, total_tokens: 940 };
    const { outcome } = await tried({ chunks: [failedWith(usage)] }, { api: "responses" });
    expect(outcome).toMatchObject({
      ...{ kind: "passing", billed: true },
      usage: { inputTokens: 900, outputTokens: 40 },
    });
  });
});
