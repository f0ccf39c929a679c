import type { StateBlock } from "markdown-it";
import { table } from "./table.ts";

/** Columns by which a line is indented inside its block; below 0 when it stands outside. */
export function indent(state: StateBlock, line: number): number {
  return (state.sCount[line] ?? 0) - state.blkIndent;
}

/** Whether a line goes on with the paragraph above it. */
export function followsOn(state: StateBlock, line: number, end: number): boolean {
  return !state.md.block.ruler
    .getRules("paragraph")
    // No table begins in a line that only follows.
    .some((begins) => begins !== table && begins(state, line, end, true));
}

/** The lines of the block from `start` on, counted from there, that stand outside of what it stands in. */
export function lazyLines(state: StateBlock, start: number): Set<number> {
  const lines = Array.from({ length: state.line - start }, (_, at) => at);
  return new Set(lines.filter((at) => indent(state, start + at) < 0));
}
