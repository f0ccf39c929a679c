import type { ActOf } from "../core/act.ts";
import type { Command } from "../core/job.ts";
import type { KeyedAct } from "../core/ports.ts";
import type { Way } from "../core/request.ts";

/**
 * A reaction to what was written or done: 👀 taken, 🚀 its pull request is open, 👎 refused or failed, 😕 not
 * understood. None on a review, to which GitHub's REST API gives no reactions.
 */
export function reactionActs(
  { repo, way, issue }: Pick<Command, "repo" | "way" | "issue">,
  content: ActOf<"reaction">["content"],
): KeyedAct[] {
  if (way.kind === "review") return [];
  const { on, id } = reacted(way, issue);
  const where = on === undefined ? `${repo.id}:${id}` : `${repo.id}:${on}:${id}`;
  const key = content === "eyes" ? `reaction:${where}` : `reaction:${where}:${content}`;
  const act = { kind: "reaction", repo, ...(on && { on }), commentId: id, content } as const;
  return [{ key, lane: key, act }];
}

function reacted(way: Exclude<Way, { kind: "review" }>, issue: number) {
  switch (way.kind) {
    case "comment":
      return { id: way.id };
    case "review_comment":
      return { on: "review_comment", id: way.id } as const;
    default:
      return { on: "issue", id: issue } as const;
  }
}
