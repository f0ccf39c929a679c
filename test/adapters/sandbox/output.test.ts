import { describe, expect, it } from "vitest";
import { clean, createOutput } from "../../../src/adapters/sandbox/output.ts";

/** What remains of `text`, pushed in pieces of `size` bytes. */
function kept(text: string | Buffer, keepBytes: number, size = 7): string {
  const output = createOutput(keepBytes);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) output.push(bytes.subarray(at, at + size));
  return output.text();
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}\n`).join("");

describe("output of a command", () => {
  it("is kept whole up to the limit, whatever the pieces", () => {
    const text = numbers(1, 100);
    for (const size of [1, 3, 64, 10_000]) {
      expect(kept(text, text.length, size)).toBe(text);
      expect(kept(text, text.length + 1, size)).toBe(text);
    }
    expect(kept("", 100)).toBe("");
  });

  it("keeps head and tail in whole lines and says what is missing", () => {
    for (const size of [1, 13, 4096, 100_000]) {
      expect(kept(numbers(1, 1000), 100, size)).toBe(
        `${numbers(1, 7)}[... 8798 bytes (988 lines) of output left out ...]\n${numbers(996, 1000)}`,
      );
    }
  });

  it("cuts one endless line at whole characters", () => {
    const text = kept(`${"ä€🙂".repeat(1000)}`, 101);
    expect(text).not.toContain("\uFFFD");
    expect(text).toMatch(
      /^ä€🙂.*\n\[\.\.\. \d+ bytes \(0 lines\) of output left out \.\.\.\]\n.*ä€🙂$/s,
    );
  });

  it("counts every byte as kept or missing", () => {
    const text = kept("x".repeat(5000), 400);
    const missing = Number(/(\d+) bytes/.exec(text)?.[1]);
    expect(missing + (text.match(/x/g) ?? []).length).toBe(5000);
  });

  it("stands for invalid UTF-8 with replacement characters", () => {
    expect(kept(Buffer.from([0x61, 0xff, 0xfe, 0x62]), 100)).toBe("a\uFFFD\uFFFDb");
  });

  it.each([
    ["colours", "\u001b[1;31mred\u001b[0m", "red"],
    ["a title", "\u001b]0;my title\u0007text", "text"],
    ["a clipboard write", "a\u001b]52;c;ZXZpbA==\u001b\\b", "ab"],
    ["a link", "\u001b]8;;https://evil.example\u001b\\here\u001b]8;;\u001b\\", "here"],
    ["a device string", "a\u001bPq#0~\u001b\\b", "ab"],
    ["an 8-bit sequence", "a\u009b31mb", "ab"],
    ["cursor moves", "\u001b7\u001b[2J\u001b[Hx\u001b8", "x"],
    ["a string that never ends", "a\u001b]0;half", "a"],
    ["control characters", "a\u0000\u0008\u000b\u007fb\tc\n", "ab\tc\n"],
    ["carriage returns", "a\r\nb\rc", "a\nb\nc"],
  ])("is shown without %s", (_, text, shown) => {
    expect(clean(text)).toBe(shown);
  });
});
