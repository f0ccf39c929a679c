import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, test } from "vitest";
import {
  chatBody,
  playJob,
  prefixShare,
  responsesBody,
  rules,
  TWENTY_SKILLS,
  toolsFor,
} from "../support/scripted-job.ts";

const tokens = (text: string) => encode(text).length;

describe("what a job sends to its model", () => {
  test.each([
    ["edit", chatBody],
    ["edit", responsesBody],
    ["apply_patch", chatBody],
    ["apply_patch", responsesBody],
  ] as const)(
    "begins with at most 2,000 tokens besides guidance and task: %s, %o",
    (editTool, body) => {
      const messages = [{ role: "system" as const, content: rules(TWENTY_SKILLS) }];
      expect(tokens(body(messages, toolsFor(editTool)))).toBeLessThanOrEqual(2_000);
    },
  );

  test.each([
    ["never fills", 10_000_000, 0],
    ["fills", 32_000, 1],
  ])(
    "is in 40 steps to 97 of 100 bytes what the request before began with: the window %s",
    async (_, window, times) => {
      // Four bytes to a token, as that text has them: the count itself takes seconds.
      const { requests, tools, events } = await playJob(40, window, (body) => body.length / 4);
      expect(requests).toHaveLength(40);
      expect(events.filter(({ type }) => type === "compacted")).toHaveLength(times);
      for (const body of [chatBody, responsesBody]) {
        expect(prefixShare(requests.map((messages) => body(messages, tools)))).toBeGreaterThan(
          0.97,
        );
      }
    },
  );
});
