import { expect, test } from "vitest";
import { parseVerb } from "../../src/core/verbs.ts";

/** What a line asks, in one word; "near" where a person is asked what was meant. */
function read(line: string, more = false): string {
  const said = parseVerb(line, more);
  if (said.kind === "work") return `${said.work}${said.words === "" ? "" : `: ${said.words}`}`;
  if (said.kind === "control") {
    const { control } = said;
    return "job" in control ? `${control.verb} ${control.job}` : control.verb;
  }
  return said.kind;
}

test.each([
  ["review", "review"],
  ["Review.", "review"],
  ["review the error handling", "review: the error handling"],
  ["review and fix it", "review: and fix it"],
  ["ask why is it slow?", "ask: why is it slow?"],
  ["ask", "near"],
  ["plan", "near"],
  ["plan the migration to ESM", "plan: the migration to ESM"],
  ["status", "status"],
  ["status of this", "near"],
  ["status page for the API", "other"],
  ["ready!", "ready"],
  ["ready the release notes", "other"],
  ["fix", "fix"],
  ["fix the tests", "other"],
  ["fix the login", "other"],
  ["rebase", "rebase"],
  ["rebase on main please", "near"],
  ["rebase the colour tokens on HSL", "other"],
  ["undo", "undo"],
  ["undo the last commit", "near"],
  ["undo stack for the editor", "other"],
  ["retry", "retry null"],
  ["retry 0123abcd", "retry 0123abcd"],
  ["retry `0123ABCD`", "retry 0123abcd"],
  ["retry the job", "near"],
  ["retry failed uploads with backoff", "other"],
  ["pick 0123abcd", "pick 0123abcd"],
  ["pick", "near"],
  ["pick this", "near"],
  ["pick better names", "other"],
  ["reveiw", "near"],
  ["reveiw the auth module", "near"],
  ["preview the mails", "other"],
  ["asks", "near"],
  ["refactor auth", "other"],
  ["", "other"],
])("%j asks: %s", (line, asked) => {
  expect(read(line)).toBe(asked);
});

test("what hangs below a verb that stands alone makes it a task, and is told to those that take words", () => {
  expect(read("fix", true)).toBe("other");
  expect(read("undo", true)).toBe("other");
  expect(read("ask", true)).toBe("ask");
  expect(read("review", true)).toBe("review");
});
