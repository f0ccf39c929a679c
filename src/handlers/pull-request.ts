import { z } from "zod";
import type { Log } from "../core/ports.ts";
import { endWorkOnPull } from "../jobs/pull-closed.ts";
import type { WithdrawDeps } from "../jobs/withdraw.ts";
import { base, repoOf } from "./payload.ts";

/** The parts of `pull_request` that matter (docs.github.com/webhooks/webhook-events-and-payloads#pull_request). */
const payload = base.omit({ action: true }).extend({
  pull_request: z.object({
    number: z.number(),
    closed_at: z.string(),
    merged_at: z.string().nullish().catch(null),
  }),
});

/** A pull request that was closed or merged: what would have added to it ends. */
export async function onPullClosed(
  event: { id: string; payload: unknown },
  deps: WithdrawDeps & { log: Log },
): Promise<void> {
  const delivery = { guid: event.id, event: "pull_request", action: "closed" };
  const parsed = payload.safeParse(event.payload);
  if (!parsed.success) {
    deps.log.warn({ guid: event.id }, "a pull_request delivery lacks what is needed; ignored");
    return deps.intake.saw(delivery);
  }
  const { pull_request, sender } = parsed.data;
  const repo = repoOf(parsed.data);
  const { number: pull, closed_at: at, merged_at: mergedAt = null } = pull_request;
  await endWorkOnPull({ repo, pull, by: sender, at, mergedAt }, delivery, deps);
}
