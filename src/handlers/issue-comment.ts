import type { Log } from "../core/ports.ts";
import { type SubmitDeps, submit } from "../jobs/submit.ts";
import { commentFacts } from "./facts.ts";

/** A new comment on an issue or a pull request: the way commands come in. */
export async function onCommentCreated(
  event: { id: string; payload: unknown },
  deps: SubmitDeps & { log: Log },
): Promise<void> {
  const facts = commentFacts(event.payload);
  if (facts === null) {
    deps.log.warn(
      { guid: event.id },
      "an issue_comment delivery lacks what a command needs; ignored",
    );
    return;
  }
  await submit(facts, { guid: event.id, event: "issue_comment", action: "created" }, deps);
}
