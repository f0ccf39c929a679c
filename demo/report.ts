import { git } from "./github/bare.ts";
import type { GitHubStandIn } from "./github/start.ts";
import type { Pull, Repository } from "./github/state.ts";
import type { Proof } from "./proof.ts";
import { REPOSITORY } from "./scene.ts";

const DIFF_LINES = 30;

/** Prints the board and each draft pull request: title, branch, diff, evidence. */
export async function printOutcome(github: GitHubStandIn, board: string): Promise<void> {
  const repository = github.repository(REPOSITORY);
  print("\n━━ The board ━━\n", plain(board));
  for (const pull of repository.pulls.values()) await printPull(repository, pull);
}

async function printPull(repository: Repository, pull: Pull): Promise<void> {
  const issue = repository.issues.get(pull.number);
  const range = `refs/heads/${pull.base}...refs/heads/${pull.head}`;
  const diff = async (...args: string[]) => git(repository.path, ["diff", ...args, range, "--"]);
  const patch = (await diff("--unified=1")).split("\n");
  const more = patch.length - DIFF_LINES;
  print(
    `\n━━ ${pull.draft ? "Draft pull request" : "Pull request"} #${pull.number}: ${issue?.title} ━━\n`,
    `branch ${pull.head} onto ${pull.base}\n`,
    await diff("--stat"),
    "",
    ...patch.slice(0, DIFF_LINES).map((line) => `    ${line}`),
    ...(more > 0 ? [`    … ${more} more lines`] : []),
    "",
    plain(issue?.body ?? ""),
  );
}

/** Prints what holds and what does not. */
export function printProofs(proofs: Proof[]): void {
  print(
    "\n━━ What stands ━━\n",
    ...proofs.map(({ holds, what }) => `${holds ? "✓" : "✗"} ${what}`),
  );
}

/** Markdown for a terminal: without hidden comments and without what the page would fold away. */
function plain(markdown: string): string {
  return markdown
    .replace(/<!--.*?-->\n?/gs, "")
    .replace(/<details><summary>Output of check.*?<\/details>\n*/gs, "")
    .replace(/<details><summary>(.*?)<\/summary>/g, "$1")
    .replace(/<\/details>\n?/g, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

function print(...lines: string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}
