import { TransientError } from "../../core/errors.ts";

/** Throws TransientError unless an answer holds what it must: the next try finds what this one did. */
export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new TransientError(`GitHub's answer holds no ${what}`);
}
