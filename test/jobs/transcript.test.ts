import { describe, expect, test } from "vitest";
import { createContext } from "../../src/agents/context/context.ts";
import type { JobEvent } from "../../src/core/event.ts";
import type { ChatMessage } from "../../src/core/model.ts";
import { transcriptOf } from "../../src/jobs/transcript.ts";

const usage = { inputTokens: 900, cachedTokens: 0, outputTokens: 100 };
const told: JobEvent[] = [
  { type: "opened", sha: "a", fence: 1 },
  { type: "message", message: { role: "system", content: "rules" } },
  { type: "message", message: { role: "user", content: "task" } },
];

/** A step whose result has so many lines. */
function step(nth: number, lines = 200): JobEvent[] {
  const id = `c${nth}`;
  const call = { id, name: "shell", arguments: `{"command":"cat ${nth}"}` };
  const content = `of step ${nth}\n`.repeat(lines);
  return [
    {
      type: "reply",
      step: nth,
      message: { role: "assistant", content: "", toolCalls: [call] },
      usage,
      latencyMs: 5,
    },
    { type: "tool_started", step: nth, callId: id, tool: "shell" },
    {
      type: "tool_finished",
      step: nth,
      callId: id,
      message: { role: "tool", callId: id, content },
    },
  ];
}
const steps = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => step(from + at)).flat();

describe("a conversation that was shortened", () => {
  const tokens = { before: 7000, after: 3000 };
  const failure: ChatMessage = {
    role: "user",
    content: `checks failed\n${"at x.ts\n".repeat(200)}`,
  };
  const history: JobEvent[] = [
    ...told,
    ...steps(0, 10),
    { type: "compacted", upTo: 16, leftOut: 0, tokens },
    ...steps(10, 15),
    { type: "round", reason: "1 failed check" },
    { type: "message", message: failure },
    ...steps(15, 20),
    { type: "compacted", upTo: 35, leftOut: 12, tokens },
    ...steps(20, 22),
  ];

  test("is seen by another worker as the last one showed it, twice shortened too", () => {
    const read = transcriptOf(JSON.parse(JSON.stringify(history)));
    expect(read.messages).toHaveLength(2 + 22 * 2 + 1);
    expect(read.seen).toEqual({
      compaction: { upTo: 35, leftOut: 12 },
      measured: { messages: 46, tokens: 1000 },
    });
    const view = createContext(read.messages, [], read.seen).view();
    expect(view.slice(0, 2)).toEqual(read.messages.slice(0, 2));
    expect(view).toContainEqual(failure);
    expect(view[2]?.content).toContain("Your first 5 steps are left out");
    expect(view.slice(-12)).toEqual(read.messages.slice(35));
    expect(JSON.stringify(view)).not.toContain("of step 4\\n");
    const again = createContext(transcriptOf(history).messages, [], read.seen).view();
    expect(JSON.stringify(again)).toBe(JSON.stringify(view));
  });

  test("counts from the compaction until the next reply tells", () => {
    const cut = history.findLastIndex(({ type }) => type === "compacted");
    expect(transcriptOf(history.slice(0, cut + 1)).seen.measured).toEqual({
      messages: 43,
      tokens: 3000,
    });
  });

  test("begins anew in a fresh workspace", () => {
    expect(transcriptOf([...history, ...told]).seen).toEqual({ compaction: null, measured: null });
  });
});

test("events of before there were compactions load, and are shown whole", () => {
  const read = transcriptOf([...told, ...steps(0, 3)]);
  expect(read.seen).toEqual({ compaction: null, measured: { messages: 7, tokens: 1000 } });
  expect(createContext(read.messages, [], read.seen).view()).toEqual(read.messages);
});
