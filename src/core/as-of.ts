import type { Command } from "./job.ts";
import type { Remark } from "./ports.ts";

/**
 * Whether a comment stood as it is now when a command was given. Times are whole seconds: within the
 * command's own second only a comment of the same kind with a lower id, never edited, came before.
 */
export function asOf(
  remark: Remark,
  command: Pick<Command, "way" | "askedAt">,
): "before" | "later" | "edited" {
  const given = Date.parse(command.askedAt);
  const created = Date.parse(remark.createdAt);
  const updated = Date.parse(remark.updatedAt);
  // What has no time cannot be told to have been there.
  if ([given, created, updated].some(Number.isNaN)) return "later";
  const sameSecond = created === given;
  const { way } = command;
  const alike = remark.kind === "comment" ? "comment" : "review_comment";
  const first = way.kind === alike && remark.id < way.id;
  if (created > given || (sameSecond && !first)) return "later";
  return updated < given || (updated === given && sameSecond) ? "before" : "edited";
}
