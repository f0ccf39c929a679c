import type { Delivery, Log } from "../core/ports.ts";
import { requestKey } from "../core/request.ts";
import { submitReview } from "../jobs/review-asked.ts";
import { type SubmitDeps, submit } from "../jobs/submit.ts";
import { type WithdrawDeps, withdraw } from "../jobs/withdraw.ts";
import { commentRequest, type Reader, reviewCommentRequest, reviewRequest } from "./requests.ts";

/** A webhook as Probot hands it on. */
export interface WebhookEvent {
  id: string;
  name: string;
  payload: { action?: string };
}

/** What people wrote that is new: the way commands come in. */
export async function onWritten(
  event: WebhookEvent,
  read: Reader,
  deps: SubmitDeps & { log: Log },
): Promise<void> {
  const delivery = deliveryOf(event);
  const request = read(event.payload);
  if (request === null) return unreadable(delivery, deps);
  await submit(request, delivery, deps);
}

/** A review that was submitted. */
export async function onReview(
  event: WebhookEvent,
  deps: SubmitDeps & { log: Log },
): Promise<void> {
  const delivery = deliveryOf(event);
  const request = reviewRequest(event.payload);
  if (request === null) return unreadable(delivery, deps);
  await submitReview(request, delivery, deps);
}

/** A comment that was deleted: what it asked for is taken back where it did not begin. */
export async function onDeleted(
  event: WebhookEvent,
  deps: WithdrawDeps & { log: Log },
): Promise<void> {
  const delivery = deliveryOf(event);
  const read = event.name === "issue_comment" ? commentRequest : reviewCommentRequest;
  const request = read(event.payload);
  if (request === null) return unreadable(delivery, deps);
  const { repo, issue, sender } = request;
  const key = requestKey(request);
  await withdraw({ repo, issue: issue.number, key, by: sender }, delivery, deps);
}

/** A delivery by GitHub's name of it. */
export function deliveryOf({ id, name, payload }: WebhookEvent): Delivery {
  return { guid: id, event: name, action: payload.action ?? null };
}

/** Takes down that a delivery came that cannot be acted on. */
export async function unreadable(
  delivery: Delivery,
  { intake, log }: Pick<SubmitDeps, "intake"> & { log: Log },
): Promise<void> {
  const { guid, event } = delivery;
  log.warn({ guid, event }, "a delivery lacks what a request needs; ignored");
  await intake.saw(delivery);
}
