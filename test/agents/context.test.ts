import { describe, expect, test } from "vitest";
import { bytesOf, compact } from "../../src/agents/context/compact.ts";
import { createContext, fittedResult, type Seen } from "../../src/agents/context/context.ts";
import { type Compaction, viewOf } from "../../src/agents/context/view.ts";
import type { ChatMessage, ToolCall } from "../../src/core/model.ts";

/** Numbers that look random and are the same each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const START: ChatMessage[] = [
  { role: "system", content: "rules" },
  { role: "user", content: "the task" },
];
const lines = (count: number, word = "line") =>
  Array.from({ length: count }, (_, at) => `${word} ${at} of the file`).join("\n");
const shell = (id: string, command: string): ToolCall => ({
  id,
  name: "shell",
  arguments: JSON.stringify({ command }),
});
const plan = (id: string, text: string): ToolCall => ({
  id,
  name: "plan",
  arguments: JSON.stringify({ items: [{ text, status: "in_progress" }] }),
});
function step(calls: ToolCall[], result: string, native = false): ChatMessage[] {
  return [
    {
      role: "assistant",
      content: "",
      toolCalls: calls,
      ...(native && {
        native: {
          origin: "p/m",
          items: [{ type: "reasoning", encrypted_content: "x".repeat(400) }],
        },
      }),
    },
    ...calls.map((call): ChatMessage => ({ role: "tool", callId: call.id, content: result })),
  ];
}
const steps = (count: number, size = 200): ChatMessage[] =>
  Array.from({ length: count }, (_, at) =>
    step([shell(`c${at}`, `cat ${at}`)], lines(size)),
  ).flat();

/** What both APIs ask of a conversation: each call answered once, right after its reply, in order. */
function expectValid(messages: ChatMessage[]): void {
  for (const [at, message] of messages.entries()) {
    if (message.role === "assistant") {
      const answers = messages.slice(at + 1, at + 1 + message.toolCalls.length);
      expect(answers.map((each) => (each.role === "tool" ? each.callId : each.role))).toEqual(
        message.toolCalls.map(({ id }) => id),
      );
      for (const call of message.toolCalls) expect(() => JSON.parse(call.arguments)).not.toThrow();
    }
    if (message.role !== "tool") continue;
    const reply = messages.slice(0, at).findLast(({ role }) => role !== "tool");
    expect(reply).toMatchObject({
      role: "assistant",
      toolCalls: expect.arrayContaining([expect.objectContaining({ id: message.callId })]),
    });
  }
}

/** A conversation of many sizes, with rounds, plans and several calls in one reply. */
function conversation(seed: number): ChatMessage[] {
  const random = numbers(seed);
  const messages: ChatMessage[] = [...START];
  const count = 1 + random(40);
  for (let at = 0; at < count; at += 1) {
    const calls = Array.from({ length: random(4) }, (_, nth): ToolCall => {
      const id = `call_${nth}`;
      const text = lines(random(random(2) === 0 ? 5 : 400), "änderung ✓");
      if (random(6) === 0) return plan(id, `do ${at}`);
      if (random(3) === 0)
        return { id, name: "write", arguments: JSON.stringify({ path: "a", content: text }) };
      return shell(id, text.slice(0, 1 + random(3000)));
    });
    messages.push({
      role: "assistant",
      content: calls.length === 0 ? `report ${lines(random(100))}` : "",
      toolCalls: calls,
      ...(random(2) === 0 && { native: { origin: "p/m", items: [{ text: lines(random(30)) }] } }),
    });
    for (const call of calls) {
      const content = lines(
        random(random(3) === 0 ? 2000 : 20),
        random(2) === 0 ? "\ud83d\ude00" : "x",
      );
      messages.push({ role: "tool", callId: call.id, content });
    }
    if (calls.length === 0) messages.push({ role: "user", content: `checks failed ${at}` });
  }
  return messages;
}

describe("a view of a conversation", () => {
  test("shows old results by their ends, and how to get them again", () => {
    const messages = [
      ...START,
      ...step([{ id: "a", name: "read", arguments: '{"path":"a.ts"}' }], lines(300)),
      ...steps(2, 5),
    ];
    const view = viewOf(messages, { upTo: 4, leftOut: 0 });
    expect(view[3]).toEqual({
      role: "tool",
      callId: "a",
      content: `[shortened to make room: ${lines(300).length} characters in 300 lines; read it again if you need it]
line 0 of the file
line 1 of the file
line 2 of the file
[...]
line 295 of the file
line 296 of the file
line 297 of the file
line 298 of the file
line 299 of the file`,
    });
    expect(view.slice(4)).toEqual(messages.slice(4));
  });

  test("shortens the texts of old calls, which stay JSON, and keeps a signed call as it came", () => {
    const content = lines(500);
    const write = (id: string, extra?: Record<string, unknown>): ToolCall => ({
      id,
      name: "write",
      arguments: JSON.stringify({ path: "src/a.ts", content }),
      ...(extra && { extra }),
    });
    const broken: ToolCall = {
      id: "b",
      name: "write",
      arguments: `{"content":"${"x".repeat(900)}`,
    };
    const deep: ToolCall = {
      id: "d",
      name: "write",
      arguments: `${"[".repeat(9000)}${"]".repeat(9000)}`,
    };
    const signed = write("s", { signature: "abc" });
    const messages = [...START, ...step([write("w"), broken, deep, signed], "ok", true)];
    const [, , reply] = viewOf(messages, { upTo: messages.length, leftOut: 0 });
    if (reply?.role !== "assistant") throw new Error("the reply is gone");
    expect(reply).not.toHaveProperty("native");
    const [first, second, third, fourth] = reply.toolCalls;
    expect(JSON.parse(first?.arguments ?? "")).toEqual({
      path: "src/a.ts",
      content: expect.stringMatching(
        /^line 0 of the file\n[\s\S]* \[\d+ characters left out\] [\s\S]*line 499 of the file$/,
      ),
    });
    expect(JSON.parse(second?.arguments ?? "")).toEqual({
      left_out: "912 characters of arguments",
    });
    expect(JSON.parse(third?.arguments ?? "")).toHaveProperty("left_out");
    expect(fourth).toBe(signed);
  });

  test("keeps the skill that the work follows, and names it when it has to go", () => {
    const body = lines(200, "rule");
    const read: ToolCall = { id: "k", name: "skill", arguments: '{"name":"refactor"}' };
    const messages = [...START, ...step([read], body), ...steps(2)];
    expect(viewOf(messages, { upTo: 8, leftOut: 0 })[3]?.content).toBe(body);
    const [, , notice, next] = viewOf(messages, { upTo: 8, leftOut: 4 });
    expect(notice?.content).toContain("Read again the skill you work by: refactor.");
    expect(next).toBe(messages[4]);
  });

  test("leaves out whole steps, but neither what the controller said nor the plan", () => {
    const failure: ChatMessage = { role: "user", content: `checks failed\n${lines(100)}` };
    const messages: ChatMessage[] = [
      ...START,
      ...step([plan("p1", "an old plan")], "0 of 1 done"),
      ...step([plan("p2", "mend the parser")], "0 of 1 done"),
      { role: "assistant", content: "My report", toolCalls: [] },
      failure,
      ...steps(3),
    ];
    const view = viewOf(messages, { upTo: 10, leftOut: 8 });
    expect(view).toEqual([
      ...START,
      {
        role: "user",
        content:
          "Notice from the controller: to make room, the conversation is shortened. Your first 3 steps are left out here; the files are as you left them. Your plan was:\n- in_progress: mend the parser",
      },
      failure,
      messages[8],
      { role: "tool", callId: "c0", content: expect.stringContaining("shortened") },
      ...messages.slice(10),
    ]);
  });

  test.each(Array.from({ length: 60 }, (_, seed) => seed))(
    "is valid, no larger and begins like the one before in conversation %i",
    (seed) => {
      const messages = conversation(seed);
      const random = numbers(seed + 1000);
      const whole = bytesOf(messages);
      let before: Compaction | null = null;
      for (const share of [0.8, 0.5, 0.2, 0]) {
        const at = compact(messages, before, [whole * share]);
        if (at === null) throw new Error("there is a step");
        const view = viewOf(messages, at);
        expectValid(view);
        expect(bytesOf(view)).toBeLessThanOrEqual(whole + 400);
        const said = messages.filter(({ role }) => role === "user");
        expect(view.filter(({ role }) => role === "user")).toEqual(expect.arrayContaining(said));
        expect(at.upTo).toBeGreaterThanOrEqual(before?.upTo ?? 0);
        expect(at.leftOut).toBeGreaterThanOrEqual(before?.leftOut ?? 0);
        const more = [...messages, ...step([shell("n", "ls")], lines(random(50)))];
        expect(JSON.stringify(viewOf(more, at)).startsWith(JSON.stringify(view).slice(0, -1))).toBe(
          true,
        );
        before = at;
      }
    },
  );
});

describe("a conversation that fills its window", () => {
  const usage = (tokens: number) => ({ inputTokens: tokens, cachedTokens: 0, outputTokens: 0 });
  /** A job of steps of the same size, whose provider counts a token for four bytes. */
  function play(count: number, window: number, size = 100, seen?: Seen) {
    const messages = [...START];
    const known: Seen = seen ?? { compaction: null, measured: null };
    const context = createContext(messages, [], known);
    const log: { step: number; before: number; after: number }[] = [];
    let seenBefore: ChatMessage[] = [];
    for (let at = 0; at < count; at += 1) {
      const due = context.due(window, false);
      if (due !== null) {
        log.push({ step: at, ...due.tokens });
        context.apply(due);
      } else {
        for (const [nth, message] of seenBefore.entries())
          expect(context.view()[nth]).toBe(message);
      }
      const view = context.view();
      expectValid(view);
      const tokens = Math.ceil(bytesOf(view) / 4);
      expect(tokens).toBeLessThan(window);
      seenBefore = [...view];
      const [reply, ...results] = step([shell(`c${at}`, `cat ${at}`)], lines(size));
      if (reply) messages.push(reply);
      context.measure(usage(tokens));
      messages.push(...results);
    }
    return { log, messages, seen: known, view: context.view() };
  }

  test("is compacted in one go to leave room for many steps, again and again", () => {
    const { log, messages, view } = play(120, 20_000);
    expect(log.length).toBeGreaterThan(2);
    for (const { before, after } of log) {
      expect(before).toBeGreaterThanOrEqual(14_000);
      expect(after).toBeLessThanOrEqual(7_600);
    }
    const gaps = log.map(({ step: at }, nth) => at - (log[nth - 1]?.step ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(6);
    expect(view.slice(-2)).toEqual(messages.slice(-2));
  });

  test("is the same byte for byte for whoever goes on with it", () => {
    const { messages, seen, view } = play(60, 20_000);
    const other = createContext(messages, [], structuredClone(seen));
    expect(JSON.stringify(other.view())).toBe(JSON.stringify(view));
  });

  test("a window that nobody knows compacts nothing ahead, but makes room when it has to", () => {
    for (const window of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const context = createContext([...START, ...steps(40)], [], {
        compaction: null,
        measured: null,
      });
      expect(context.due(window, false)).toBeNull();
      const due = context.due(window, true);
      expect(due?.tokens.after).toBeLessThan((due?.tokens.before ?? 0) / 2);
    }
  });

  test("counts that cannot be are no reason to compact at each step", () => {
    const messages = [...START, ...steps(5, 5)];
    const context = createContext(messages, [], { compaction: null, measured: null });
    context.measure(usage(1e12));
    expect(context.due(100_000, false)).toBeNull();
    const large = createContext([...START, ...steps(200)], [], {
      compaction: null,
      measured: null,
    });
    large.measure(usage(0));
    expect(large.due(100_000, false)).not.toBeNull();
  });

  test("the newest results stay whole although rules and task take more than half of it", () => {
    const messages: ChatMessage[] = [
      { role: "system", content: lines(2000) },
      { role: "user", content: "task" },
      ...steps(30, 40),
    ];
    const context = createContext(messages, [], { compaction: null, measured: null });
    const tokens = Math.ceil(bytesOf(messages) / 4);
    context.measure(usage(tokens));
    const due = context.due(Math.ceil(bytesOf(messages.slice(0, 2)) / 4 / 0.52), false);
    if (due === null) throw new Error("it is not full");
    context.apply(due);
    expect(context.view().slice(-2)).toEqual(messages.slice(-2));
  });

  test("one giant result is shortened itself, and the steps before it stay", () => {
    const messages = [...START, ...steps(3, 5), ...step([shell("big", "cat all")], lines(20_000))];
    const context = createContext(messages, [], { compaction: null, measured: null });
    const due = context.due(50_000, true);
    if (due === null) throw new Error("nothing was done");
    context.apply(due);
    expect(context.view().slice(0, -1)).toEqual(messages.slice(0, -1));
    expect(context.view().at(-1)?.content).toContain("shortened to make room");
    expect(due.tokens.after).toBeLessThan(1000);
    for (let times = 0; times < 20; times += 1) {
      const next = context.due(50_000, true);
      if (next === null) return;
      context.apply(next);
      expectValid(context.view());
    }
    throw new Error("it shortens for ever");
  });

  test("with nothing but rules and task there is nothing to shorten", () => {
    const context = createContext([...START], [], { compaction: null, measured: null });
    expect(context.due(10, true)).toBeNull();
    expect(context.due(10, false)).toBeNull();
  });
});

describe("a result for a small window", () => {
  test("loses its middle and says so; others stay as they are", () => {
    const text = lines(3000);
    const cut = fittedResult(text, 8_000);
    expect(Buffer.byteLength(cut)).toBeLessThan(3_800);
    expect(cut).toMatch(
      /^line 0 of the file\n[\s\S]*\[cut: \d+ characters here; ask for less at a time\][\s\S]*line 2999 of the file$/,
    );
    expect(fittedResult(text, 200_000)).toBe(text);
    expect(fittedResult(text, 0)).toBe(text);
    expect(fittedResult("short", 10)).toBe("short");
    expect(fittedResult("\ud83d\ude00".repeat(5000), 100).isWellFormed()).toBe(true);
  });
});
