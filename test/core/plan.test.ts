import { describe, expect, it } from "vitest";
import { isBranchName } from "../../src/core/command-flags.ts";
import { branchName, chooseSkill } from "../../src/core/plan.ts";

const names = ["docs", "fix", "refactor", "test"];

describe("the skill of a task", () => {
  it.each<[string, string, string | undefined, string | null]>([
    ["is the task's first word", "refactor auth", undefined, "refactor"],
    ["is the first word in capitals", "Fix the login", undefined, "fix"],
    ["is the only word", "docs", undefined, "docs"],
    ["is what the flag says, whatever the words", "refactor auth", "test", "test"],
    ["is none for another word", "write unit tests for the payment function", undefined, null],
    ["is none for a longer word", "document the public API", undefined, null],
    ["is none for a word with a sign behind it", "fix: login", undefined, null],
    ["is none for a later word", "please refactor auth", undefined, null],
    ["is none for a word of JavaScript", "constructor is broken", undefined, null],
  ])("%s", (_name, task, flag, skill) => {
    expect(chooseSkill(task, flag, names)).toEqual({ skill });
  });

  it("asked for by a wrong name gets the right ones back", () => {
    const { problem } = { problem: "", ...chooseSkill("it", "refacter", names) };
    expect(problem).toBe(
      "there is no skill `refacter`; did you mean `refactor`? The skills here: `docs`, `fix`, `refactor`, `test`",
    );
    expect(chooseSkill("it", "deploy", names)).toEqual({
      problem: "there is no skill `deploy`. The skills here: `docs`, `fix`, `refactor`, `test`",
    });
    expect(chooseSkill("it", "deploy", [])).toEqual({
      problem: "there is no skill `deploy`. No skills are installed here",
    });
  });
});

describe("the branch of a job", () => {
  const id = "0199b2f0-7c3a-7d11-9e55-2A6b1c4d5e6f";
  it.each<[string, string, string]>([
    ["tells the task", "refactor auth to use JWT", "codex/42-refactor-auth-to-use-jwt-1c4d5e6f"],
    [
      "holds letters and digits only",
      "fix `Date.now()` in src/a_b.ts!",
      "codex/42-fix-date-now-in-src-a-b-ts-1c4d5e6f",
    ],
    ["drops accents", "Crème brûlée – äöü", "codex/42-creme-brulee-aou-1c4d5e6f"],
    [
      "ends at a word",
      "replace the session store by signed tokens everywhere",
      "codex/42-replace-the-session-store-by-signed-1c4d5e6f",
    ],
    ["fits exactly", `${"a".repeat(40)} b`, `codex/42-${"a".repeat(40)}-1c4d5e6f`],
    ["cuts a word that is too long", "x".repeat(100), `codex/42-${"x".repeat(40)}-1c4d5e6f`],
    ["is never empty", "修复登录", "codex/42-task-1c4d5e6f"],
    ["has no dash too many", "--- a ---\n\n- b", "codex/42-a-b-1c4d5e6f"],
    ["does not become an option, a path or a lock", "../../-x.lock", "codex/42-x-lock-1c4d5e6f"],
    [
      "is quick for a long task",
      "word ".repeat(100_000),
      "codex/42-word-word-word-word-word-word-word-word-1c4d5e6f",
    ],
  ])("%s", (_name, task, branch) => {
    expect(branchName(42, task, id)).toBe(branch);
    expect(isBranchName(branch)).toBe(true);
  });
});
