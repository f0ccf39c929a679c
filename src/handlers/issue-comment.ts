import type { CommentFacts } from "../core/policy.ts";
import type { Delivery, IntakeStore, Log } from "../core/ports.ts";
import { type SubmitDeps, submit } from "../jobs/submit.ts";
import { type WithdrawDeps, withdraw } from "../jobs/withdraw.ts";
import { commentFacts } from "./facts.ts";

interface CommentEvent {
  id: string;
  payload: unknown;
}

/** A new comment on an issue or a pull request: the way commands come in. */
export async function onCommentCreated(
  event: CommentEvent,
  deps: SubmitDeps & { log: Log },
): Promise<void> {
  const delivery = deliveryOf(event, "created");
  const facts = await factsOf(event, delivery, deps);
  if (facts) await submit(facts, delivery, deps);
}

/** A comment that was deleted: what it asked for is taken back where it did not begin. */
export async function onCommentDeleted(
  event: CommentEvent,
  deps: WithdrawDeps & { log: Log },
): Promise<void> {
  const delivery = deliveryOf(event, "deleted");
  const facts = await factsOf(event, delivery, deps);
  if (!facts) return;
  const { repo, issue, commentId, sender } = facts;
  await withdraw({ repo, issue: issue.number, commentId, by: sender }, delivery, deps);
}

function deliveryOf({ id }: CommentEvent, action: string): Delivery {
  return { guid: id, event: "issue_comment", action };
}

async function factsOf(
  { payload }: CommentEvent,
  delivery: Delivery,
  { intake, log }: { intake: IntakeStore; log: Log },
): Promise<CommentFacts | null> {
  const facts = commentFacts(payload);
  if (facts === null) {
    log.warn(
      { guid: delivery.guid },
      "an issue_comment delivery lacks what a command needs; ignored",
    );
    await intake.saw(delivery);
  }
  return facts;
}
