import { describe, expect, it } from "vitest";
import type { ChatMessage } from "../../src/core/model.ts";
import { createPromptBound } from "../../src/core/prompt-bound.ts";

const TOOLS = [{ name: "shell", description: "Runs a command.", parameters: {} }];
const user = (content: string): ChatMessage => ({ role: "user", content });
const usage = (inputTokens: number, outputTokens: number) => ({
  inputTokens,
  outputTokens,
  cachedTokens: 0,
});

describe("createPromptBound", () => {
  it("counts every byte before the provider said a word", () => {
    const bound = createPromptBound();
    const messages = [user("ä".repeat(1000))];
    expect(bound.of("p/m", messages, TOOLS)).toBeGreaterThan(2000);
  });

  it("goes on from what the provider counted of a long one, and counts bytes of what came since", () => {
    const bound = createPromptBound();
    const messages: ChatMessage[] = [user("x".repeat(400_000))];
    bound.told("p/m", messages, usage(100_000, 500));
    messages.push({ role: "assistant", content: "y".repeat(1_000), toolCalls: [] });
    messages.push(user("z".repeat(300)));
    const most = bound.of("p/m", messages, TOOLS);
    expect(most).toBeGreaterThanOrEqual(100_800);
    expect(most).toBeLessThan(101_000);
  });

  it("counts every byte of a short one, whatever was counted before", () => {
    const bound = createPromptBound();
    const messages = [user("x".repeat(40_000))];
    bound.told("p/m", messages, usage(100, 1));
    expect(bound.of("p/m", messages, TOOLS)).toBeGreaterThanOrEqual(40_000);
  });

  it("does not take one provider's count for another's", () => {
    const bound = createPromptBound();
    const messages = [user("x".repeat(100_000))];
    bound.told("p/m", messages, usage(10, 1));
    expect(bound.of("q/m", messages, TOOLS)).toBeGreaterThan(100_000);
  });

  it("counts messages that took the place of others", () => {
    const bound = createPromptBound();
    const messages = [user("x".repeat(400_000)), user("task"), user("w".repeat(300_000))];
    bound.told("p/m", messages, usage(200_000, 50));
    const compacted = [user("left out".repeat(100)), ...messages.slice(1)];
    expect(bound.of("p/m", compacted, TOOLS)).toBeGreaterThan(200_850);
  });

  it("counts reasoning that goes back to who gave it, and to nobody else", () => {
    const bound = createPromptBound();
    const native = { origin: "p/m", items: [{ encrypted_content: "e".repeat(60_000) }] };
    const messages: ChatMessage[] = [{ role: "assistant", content: "", toolCalls: [], native }];
    expect(bound.of("p/m", messages, [])).toBeGreaterThan(60_000);
    expect(bound.of("q/m", messages, [])).toBeLessThan(2_000);
  });

  it("counts the arguments of calls", () => {
    const bound = createPromptBound();
    const call = { id: "1", name: "write", arguments: "x".repeat(5_000) };
    const messages: ChatMessage[] = [{ role: "assistant", content: "", toolCalls: [call] }];
    expect(bound.of("p/m", messages, [])).toBeGreaterThan(5_000);
  });
});
