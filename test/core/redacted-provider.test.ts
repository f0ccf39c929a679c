import { describe, expect, it } from "vitest";
import type { ChatMessage, Provider } from "../../src/core/model.ts";
import { createRedactor } from "../../src/core/redact.ts";
import { redactedProvider } from "../../src/core/redacted-provider.ts";

describe("a model is told none of our secrets", () => {
  it("in any message, and gets the rest as it was, calls included", async () => {
    const heard: ChatMessage[][] = [];
    const provider: Provider = {
      async tryOnce({ messages }) {
        heard.push(messages);
        return { kind: "final", message: "ok" };
      },
    };
    const redact = createRedactor(() => ["Kx92-mmQ4-zz17"], { own: true });
    const calls = [{ id: "1", name: "read", arguments: '{"path":"a"}' }];
    const messages: ChatMessage[] = [
      { role: "system", content: "rules" },
      { role: "user", content: "the key is Kx92-mmQ4-zz17" },
      { role: "assistant", content: "I see 71zz-4Qmm-29xK", toolCalls: calls },
      { role: "tool", callId: "1", content: "postgres://app:pw123@db and Kx92-mmQ4" },
    ];
    const guarded = redactedProvider(provider, redact);
    const { signal } = new AbortController();
    const request = { model: "m", effort: null, maxOutput: null, messages, tools: [], callId: "1" };
    await guarded.tryOnce({ ...request, signal });
    messages.push({ role: "user", content: "go on" });
    await guarded.tryOnce({ ...request, signal });
    expect(heard[1]).toEqual([
      { role: "system", content: "rules" },
      { role: "user", content: "the key is [redacted]" },
      { role: "assistant", content: "I see [redacted]", toolCalls: calls },
      { role: "tool", callId: "1", content: "postgres://app:pw123@db and [redacted]" },
      { role: "user", content: "go on" },
    ]);
    expect(heard[0]).toEqual(heard[1]?.slice(0, 4));
    // What is kept of the conversation is not what was sent.
    expect(messages[1]?.content).toContain("Kx92");
  });
});
