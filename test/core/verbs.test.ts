import { expect, test } from "vitest";
import { parseVerb } from "../../src/core/verbs.ts";

/** What a line asks, in one word; "near" where a person is told what was meant. */
function read(line: string, more = false): string {
  const said = parseVerb(line, more);
  if (said.kind === "work") return said.work;
  if (said.kind === "retry") return `retry ${said.job}`;
  return said.kind === "control" ? said.control.verb : said.kind;
}

test.each([
  ["ask why is it slow?", "ask"],
  ["Ask: why is it slow?", "ask"],
  ["ask and then fix it", "ask"],
  ["ask", "near"],
  ["asks", "near"],
  ["plan", "near"],
  ["plan the migration to ESM", "plan"],
  ["planning page for the team", "other"],
  ["status", "status"],
  ["`status`!", "status"],
  ["status of this", "near"],
  ["retry", "retry null"],
  ["retry `0123ABCD`", "retry 0123abcd"],
  ["retry the job", "near"],
  ["retry failed uploads with backoff", "other"],
  ["stauts", "near"],
  ["ready", "ready"],
  ["ready!", "ready"],
  ["ready for this", "near"],
  ["ready the release notes", "other"],
  ["status page for the API", "other"],
  ["plant a hint in the log", "other"],
  ["refactor auth", "other"],
  ["", "other"],
])("%j asks: %s", (line, asked) => {
  expect(read(line)).toBe(asked);
});

test("what hangs below a verb that stands alone makes it a task, and is told to those that take words", () => {
  expect(read("status", true)).toBe("other");
  expect(read("ask", true)).toBe("ask");
  expect(read("plan", true)).toBe("plan");
});
