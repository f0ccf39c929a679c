/** A tool call as the product's tools take it. */
export type ScriptedCall = [
  tool: "shell" | "read" | "edit" | "write" | "plan",
  args: Record<string, unknown>,
];

/** One reply of the scripted model: it may insist on what the results of its last calls say. */
interface Step {
  expect?: RegExp;
  say: string;
  calls: ScriptedCall[];
}

/** How the scripted model does one task: its replies in order, then its report. */
export interface Script {
  /** Words of the task by which it is recognised. */
  task: string;
  steps: Step[];
  /** First line title, empty line, summary. */
  report: string;
}

/** A plan whose first `done` items are done; the next one is in progress. */
export function plan(items: string[], done: number): ScriptedCall {
  const status = (at: number) => (at < done ? "done" : at === done ? "in_progress" : "pending");
  return ["plan", { items: items.map((text, at) => ({ text, status: status(at) })) }];
}

/** What `node --test` ends with, in the two forms its reporters have. */
export const TESTS_PASS = /\bfail 0\b/;
export const TESTS_FAIL = /\bfail [1-9]/;
