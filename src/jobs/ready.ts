import type { CommandStore, KeyedAct } from "../core/ports.ts";
import type { Request } from "../core/request.ts";

/** Marks a pull request of ours as ready for review, on a person's word: what is said, and the write to GitHub. */
export async function askReady(
  request: Request,
  login: string,
  { commands }: { commands: Pick<CommandStore, "jobOfPull"> },
): Promise<{ text: string; acts: KeyedAct[] }> {
  const { repo, issue, at } = request;
  const ours = issue.isPull && (await commands.jobOfPull(repo.id, issue.number));
  if (!ours) {
    const text = `**${login}**, this is no pull request of Draftsmith's; mark it as ready on GitHub.`;
    return { text, acts: [] };
  }
  const key = `ready:${repo.id}:${issue.number}:${Date.parse(at)}`;
  const act = { kind: "ready", repo, pull: issue.number } as const;
  return {
    text: `As **${login}** asks, GitHub is told that this pull request is ready for review.`,
    acts: [{ key, lane: key, act }],
  };
}
