import { expect, it } from "vitest";
import { exitWords, howStopped } from "../../src/core/stopped.ts";

it("says in words what ended a command", () => {
  const kinds = ["timeout", "output", "memory", "disk", "cpu", "cancelled"] as const;
  expect(kinds.map(howStopped)).toEqual([
    "stopped at the time limit",
    "stopped at the output limit",
    "stopped at the memory limit",
    "stopped at the disk limit",
    "stopped at the limit of CPU time",
    "cancelled",
  ]);
});

it("says in words what a shell tells by a number only", () => {
  expect([0, 1, 137, null].map(exitWords)).toEqual([
    "0",
    "1",
    "137 (killed, as by the system when memory runs out)",
    "killed by a signal",
  ]);
});
