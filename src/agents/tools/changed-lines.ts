import { formatPatch, structuredPatch } from "diff";
import { cut } from "../fence.ts";

/** Characters of a change that the model is shown again. */
const MAX_SHOWN = 2000;

/** What changed in a text, so that a change in the wrong place is seen at once; empty when it is too much. */
export function changedLines(before: string, after: string): string {
  const patch = structuredPatch("", "", before, after, "", "", { context: 2, maxEditLength: 2000 });
  if (!patch) return "";
  const whole = formatPatch(patch);
  return cut(whole.slice(whole.indexOf("@@")).trimEnd(), MAX_SHOWN);
}
