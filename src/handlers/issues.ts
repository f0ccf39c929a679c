import type { Log } from "../core/ports.ts";
import { submitAssigned, submitLabeled } from "../jobs/given.ts";
import type { SubmitDeps } from "../jobs/submit.ts";
import { assignRequest, labelRequest } from "./requests.ts";
import { deliveryOf, unreadable, type WebhookEvent } from "./written.ts";

/** A label on an issue, which may make it a task. */
export async function onLabeled(
  event: WebhookEvent,
  deps: SubmitDeps & { log: Log },
): Promise<void> {
  const delivery = deliveryOf(event);
  const request = labelRequest(event.payload);
  if (request === null) return unreadable(delivery, deps);
  await submitLabeled(request, delivery, deps);
}

/** An issue that was assigned to somebody, who may be the App. */
export async function onAssigned(
  event: WebhookEvent,
  deps: SubmitDeps & { log: Log },
): Promise<void> {
  const delivery = deliveryOf(event);
  const read = assignRequest(event.payload);
  if (read === null) return unreadable(delivery, deps);
  await submitAssigned(read.request, read.assignee, delivery, deps);
}
