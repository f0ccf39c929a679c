import { toError, UserError } from "./core/errors.ts";
import { createRedactor } from "./core/redact.ts";

/** Prints how many rows of each table were moved, and that they were compared. */
export function tellMoved(counts: Record<string, { rows: number }>, done: string): void {
  const lines = Object.entries(counts).map(
    ([table, { rows }]) => `${String(rows).padStart(10)}  ${table}`,
  );
  process.stdout.write(`${lines.join("\n")}\n${done}; counts and digests agree\n`);
}

/** Prints why nothing was moved, and ends the process with 1. */
export function tellWhyNot(thrown: unknown): never {
  const error = toError(thrown);
  const text = error instanceof UserError ? error.message : (error.stack ?? error.message);
  process.stderr.write(`${createRedactor(() => [])(text)}\n`);
  process.exit(1);
}
