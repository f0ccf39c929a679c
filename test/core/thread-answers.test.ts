import { expect, test } from "vitest";
import { takeAnswers } from "../../src/core/thread-answers.ts";

test("a report is parted into what it answers to each thread and the rest", () => {
  const { rest, answers } = takeAnswers(
    [
      "Rename the helper",
      "",
      "It is called `load` now.",
      "",
      "Thread 1: done: it is called `load`",
      "and its test, too.",
      "- **Thread 2**: not done: the name is public",
      "* thread #3 - Not changed, it is right as it is",
      "",
      "More to say.",
      "Thread 4: Renamed it.",
    ].join("\n"),
  );
  expect(rest).toBe("Rename the helper\n\nIt is called `load` now.\n\n\nMore to say.");
  expect(Object.fromEntries(answers)).toEqual({
    1: { text: "it is called `load`\nand its test, too.", done: true },
    2: { text: "the name is public", done: false },
    3: { text: "Not changed, it is right as it is", done: false },
    4: { text: "Renamed it.", done: true },
  });
});

test("a report without such lines stays whole", () => {
  const report = "Fix it\n\nThe threads of the pool wait.\nThreads: 4";
  expect(takeAnswers(report)).toEqual({ rest: report, answers: new Map() });
});
