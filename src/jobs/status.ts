import { renderStatus } from "../core/messages/status.ts";
import type { CommandStore } from "../core/ports.ts";
import type { Request } from "../core/request.ts";

/** Tells how everything stands that was asked for on an issue or pull request, or opened or added to it. */
export async function tellStatus(
  { repo, issue }: Request,
  login: string,
  commands: Pick<CommandStore, "askedAt" | "jobOfPull" | "followUpsOf">,
): Promise<string> {
  const asked = await commands.askedAt(repo.id, issue.number);
  const opened = issue.isPull ? await commands.jobOfPull(repo.id, issue.number) : null;
  const added = issue.isPull ? await commands.followUpsOf(repo.id, issue.number) : [];
  const all = [...(opened ? [opened] : []), ...asked, ...added];
  const unique = [...new Map(all.map((job) => [job.id, job])).values()];
  return renderStatus(
    login,
    unique.sort((a, b) => a.createdAt - b.createdAt || a.number - b.number),
  );
}
