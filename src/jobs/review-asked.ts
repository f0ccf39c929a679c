import type { Delivery } from "../core/ports.ts";
import type { Request } from "../core/request.ts";
import { type SubmitDeps, submit } from "./submit.ts";

/**
 * Takes a review: the commands in its text, or, where it asks for changes of a pull request of ours, the review
 * itself. Of others' pull requests only its commands count.
 */
export async function submitReview(
  request: Request,
  delivery: Delivery,
  deps: SubmitDeps,
): Promise<void> {
  const { way, repo, issue } = request;
  if (way.kind !== "review" || !way.changes) return submit(request, delivery, deps);
  const ours = await deps.commands.jobOfPull(repo.id, issue.number);
  const meant: Request = ours ? request : { ...request, way: { kind: "review", id: way.id } };
  await submit(meant, delivery, deps);
}
