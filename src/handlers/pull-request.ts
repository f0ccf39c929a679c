import { z } from "zod";
import type { Log } from "../core/ports.ts";
import { endWorkOnPull } from "../jobs/pull-closed.ts";
import type { WithdrawDeps } from "../jobs/withdraw.ts";

const account = z.object({ id: z.number(), login: z.string(), type: z.string() });

/** The parts of `pull_request` that matter (docs.github.com/webhooks/webhook-events-and-payloads#pull_request). */
const payload = z.object({
  installation: z.object({ id: z.number() }),
  repository: z.object({
    id: z.number(),
    name: z.string(),
    owner: z.object({ login: z.string() }),
  }),
  pull_request: z.object({
    number: z.number(),
    closed_at: z.string(),
    merged_at: z.string().nullish().catch(null),
  }),
  sender: account.nullable(),
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
  const { installation, repository, pull_request, sender } = parsed.data;
  const { id, name, owner } = repository;
  const repo = { installationId: installation.id, id, owner: owner.login, name };
  const { number: pull, closed_at: at, merged_at: mergedAt = null } = pull_request;
  await endWorkOnPull({ repo, pull, by: sender, at, mergedAt }, delivery, deps);
}
