import { afterEach, describe, expect, test } from "vitest";
import { askAt, replyOf } from "../../support/ask-provider.ts";
import {
  type ModelServer,
  type ScriptedReply,
  startModelServer,
} from "../../support/model-server.ts";

let server: ModelServer;

afterEach(() => server.close());

async function tried(reply: ScriptedReply, api: "chat" | "responses" = "chat") {
  server = await startModelServer(() => reply);
  return askAt(server.url, { api }).ask();
}
const delta = (fields: object) => ({ choices: [{ index: 0, delta: fields }] });
const finish = (reason: string) => ({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });
const piece = (fields: object, written?: unknown, name?: string) => ({
  ...fields,
  function: { ...(name && { name }), ...(written !== undefined && { arguments: written }) },
});
const pieces = (...calls: object[]) => delta({ tool_calls: calls });

describe("thoughts within the content", () => {
  const completed = (text: string) => ({
    type: "response.completed",
    response: {
      status: "completed",
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }],
    },
  });

  // As vLLM without a reasoning parser, llama.cpp with reasoning_format none and LM Studio stream them.
  test.each([
    [
      "at the head",
      "<think>\nThe user wants\n</think>\n\nFix the parser\n\nDone.",
      "Fix the parser\n\nDone.",
    ],
    [
      "whose mark stood in the prompt",
      "The user wants\n</think>\n\nFix the parser",
      "Fix the parser",
    ],
    ["that are empty", "<think>\n\n</think>\n\nFix the parser", "Fix the parser"],
    ["in blocks", "<think>a</think>\n<think>b</think>\nFix", "Fix"],
    ["of Magistral", "[THINK]Hm[/THINK]Fix", "Fix"],
    ["of Seed", "<seed:think>Hm</seed:think>Fix", "Fix"],
    ["that do not end", "<think>\nI should look, and", ""],
    ["and no more", "<think>Hm</think>\n", ""],
  ])("%s are no part of the reply", async (_, said, kept) => {
    const half = Math.floor(said.length / 2);
    const chunks = [delta({ content: said.slice(0, half) }), delta({ content: said.slice(half) })];
    expect(replyOf(await tried({ chunks: [...chunks, finish("stop")] })).content).toBe(kept);
    await server.close();
    expect(replyOf(await tried({ chunks: [completed(said)] }, "responses")).content).toBe(kept);
  });

  test.each([
    "Cut `</think>`\n\nIt is cut.",
    "Cut blocks\n\n```\n<think>\nHm\n</think>\n```\nDone.",
    "Cut ends\n\n```\nHm\n</think>\n```\nDone.",
    "A reply with </think> in it is cut now.",
  ])("are not what a reply says of such marks: %s", async (said) => {
    const chunks = [delta({ content: said }), finish("stop")];
    expect(replyOf(await tried({ chunks })).content).toBe(said);
  });
});

describe("calls", () => {
  const a = { id: "a" };
  const b = { id: "b" };
  test.each<[string, object[], [string, string][]]>([
    [
      "with {} in place of the arguments that follow",
      [
        pieces(piece({ index: 0, ...a }, "{}", "read")),
        pieces(piece({ index: 0 }, '{"path"')),
        pieces(piece({ index: 0 }, ':"x"}')),
      ],
      [["read", '{"path":"x"}']],
    ],
    [
      "with {} first, id and name again",
      [
        pieces(piece({ index: 0, ...a }, "{}", "read")),
        pieces(piece({ index: 0, ...a }, '{"path":"x"}', "read")),
      ],
      [["read", '{"path":"x"}']],
    ],
    [
      "that have no arguments",
      [pieces(piece({ index: 0, ...a }, "{", "list")), pieces(piece({ index: 0 }, "}"))],
      [["list", "{}"]],
    ],
    [
      "without index, in turns",
      [
        pieces(piece(a, '{"p"', "read")),
        pieces(piece(b, '{"q"', "read")),
        pieces(piece(a, ":")),
        pieces(piece({}, "1}")),
        pieces(piece(b, ":2}")),
      ],
      [
        ["read", '{"p":1}'],
        ["read", '{"q":2}'],
      ],
    ],
    [
      "whose index is a text",
      [
        pieces(
          piece({ index: "0", ...a }, '{"p"', "read"),
          piece({ index: "1", ...b }, '{"q"', "read"),
        ),
        pieces(piece({ index: "0" }, ":1}"), piece({ index: "1" }, ":2}")),
      ],
      [
        ["read", '{"p":1}'],
        ["read", '{"q":2}'],
      ],
    ],
    [
      "with a blank after the end",
      [
        pieces(piece({ index: 0, ...a }, '{"p":1}', "read")),
        pieces(piece({ index: 0, ...a }, "\n", "read")),
      ],
      [["read", '{"p":1}\n']],
    ],
    [
      "named as gpt-oss and Kimi write within",
      [
        pieces(piece({ index: 0, ...a }, "{}", "functions.read")),
        pieces(piece({ index: 1, ...b }, "{}", "read<|channel|>commentary")),
        pieces(piece({ index: 2, id: "c" }, "{}", "functions.read:2")),
      ],
      [
        ["read", "{}"],
        ["read", "{}"],
        ["read", "{}"],
      ],
    ],
  ])("%s are read as they are meant", async (_, chunks, expected) => {
    const { toolCalls } = replyOf(await tried({ chunks: [...chunks, finish("tool_calls")] }));
    expect(toolCalls.map((call) => [call.name, call.arguments])).toEqual(expected);
  });

  test("that only the events have are not lost beside a message", async () => {
    const text = [{ type: "output_text", text: "I look." }];
    const message = { type: "message", id: "m", role: "assistant", content: text };
    const call = { type: "function_call", id: "f", call_id: "a", name: "shell", arguments: "{}" };
    const half = { ...call, id: "g", call_id: "b", arguments: '{"comm' };
    const reply = replyOf(
      await tried(
        {
          chunks: [
            { type: "response.output_item.done", output_index: 0, item: message },
            { type: "response.output_item.done", output_index: 1, item: call },
            { type: "response.output_item.added", output_index: 2, item: half },
            { type: "response.completed", response: { status: "completed", output: [message] } },
          ],
        },
        "responses",
      ),
    );
    expect(reply.content).toBe("I look.");
    expect(reply.toolCalls).toEqual([{ id: "a", name: "shell", arguments: "{}" }]);
  });
});

describe("a status of 200", () => {
  // vLLM, SGLang and Mistral write the first form; DashScope the second.
  const errors: [string, object, object][] = [
    [
      "an object that is an error",
      { object: "error", message: "Overloaded", type: "ServerError", param: null, code: 503 },
      { kind: "passing", message: expect.stringContaining("Overloaded") },
    ],
    [
      "one of the request",
      { object: "error", message: "No such thing.", type: "BadRequestError", code: 400 },
      { kind: "final", message: expect.stringContaining("No such thing.") },
    ],
    [
      "a code and a message",
      { code: "Throttling", message: "Requests rate limit exceeded", request_id: "r" },
      { kind: "passing", billed: false, message: expect.stringContaining("rate limit") },
    ],
  ];
  test.each(errors)("with %s is no reply, alone or in a stream", async (_, body, expected) => {
    expect(await tried({ status: 200, body })).toMatchObject(expected);
    await server.close();
    expect(await tried({ chunks: [body] })).toMatchObject(expected);
  });

  test.each<[string, object[]]>([
    ["[DONE] alone", []],
    ["an empty word", [delta({ role: "assistant", content: "" })]],
    ["thoughts alone", [delta({ content: "<think>Hm" })]],
    ["half a call", [pieces(piece({ index: 0, id: "a" }, '{"comm', "shell"))]],
    ["a text and half a call", [delta({ content: "So:" }), pieces(piece({}, '{"c', "shell"))]],
  ])("with %s and no end is no reply", async (_, chunks) => {
    expect(await tried({ chunks })).toMatchObject({ kind: "passing", billed: true });
  });

  test.each<[string, object[]]>([
    ["a text", [delta({ content: "Done." })]],
    ["whole calls", [pieces(piece({ index: 0, id: "a" }, "{}", "shell"))]],
  ])("with %s and [DONE] is one", async (_, chunks) => {
    expect(await tried({ chunks })).toMatchObject({ kind: "reply", reply: { truncated: false } });
  });

  test.each(["chat", "responses"] as const)("with [DONE] alone through %s is none", async (api) => {
    expect(await tried({ chunks: [] }, api)).toMatchObject({ kind: "passing" });
  });

  test("whose code and message belong to a reply is one", async () => {
    const choice = { index: 0, message: { content: "Hi" }, finish_reason: "stop" };
    const body = { code: 200, message: "ok", choices: [choice] };
    expect(await tried({ status: 200, body })).toMatchObject({ kind: "reply" });
  });

  test("that breaks off tells what the server behind it said (OpenRouter)", async () => {
    const error = { code: 502, message: "Provider disconnected" };
    const choice = { index: 0, delta: { content: "" }, finish_reason: "error", error };
    expect(await tried({ chunks: [{ choices: [choice] }] })).toMatchObject({
      kind: "passing",
      message: expect.stringContaining("it ended with error: Provider disconnected"),
    });
  });
});
