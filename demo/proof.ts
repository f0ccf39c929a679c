import { spawn } from "node:child_process";
import path from "node:path";
import { text } from "node:stream/consumers";
import { branchTip, git } from "./github/bare.ts";
import type { GitHubStandIn } from "./github/start.ts";
import { botLogin, type Comment, type Pull, type Repository } from "./github/state.ts";

const CHECK = "node --test";
const CHECK_MS = 60_000;

/** One thing that has to hold at the end. */
export interface Proof {
  holds: boolean;
  what: string;
}

/** What is to be judged: the command's comment, how its webhook was answered, and main before it. */
export interface Outcome {
  comment: Comment;
  webhookStatus: number | null;
  mainBefore: string;
  /** Scratch space. */
  directory: string;
  /** Whether to run the tests of each pull request here, outside of any sandbox. */
  runTests: boolean;
}

/** Looks at what stands on GitHub, not at what the server says of itself. */
export async function prove(github: GitHubStandIn, outcome: Outcome): Promise<Proof[]> {
  const repository = github.repository("ferry-desk");
  const bot = botLogin(github.state);
  const eyes = repository.reactions.filter(
    (each) => each.commentId === outcome.comment.id && each.content === "eyes",
  );
  const boards = [...repository.comments.values()].filter(
    (each) => each.author === bot && each.issue === outcome.comment.issue,
  );
  const pulls = [...repository.pulls.values()];
  const status = outcome.webhookStatus ?? 0;
  return [
    { holds: status >= 200 && status < 300, what: `the webhook was answered with ${status}` },
    { holds: eyes.length === 1, what: `${eyes.length} 👀 on the comment` },
    { holds: boards.length === 1, what: `${boards.length} status comment on the issue` },
    { holds: pulls.length === 3, what: `${pulls.length} pull requests` },
    {
      holds: (await branchTip(repository.path, "main")) === outcome.mainBefore,
      what: "main stands where it stood",
    },
    ...(await Promise.all(pulls.map((pull) => provePull(repository, pull, outcome)))).flat(),
  ];
}

async function provePull(repository: Repository, pull: Pull, outcome: Outcome): Promise<Proof[]> {
  const body = repository.issues.get(pull.number)?.body ?? "";
  const commits = await git(repository.path, [
    "rev-list",
    `${outcome.mainBefore}..refs/heads/${pull.head}`,
    "--",
  ]);
  const proofs = [
    { holds: pull.draft && pull.base === "main", what: `#${pull.number} is a draft onto main` },
    { holds: commits.split("\n").length === 1, what: `#${pull.number} is one commit` },
    { holds: checkPassed(body), what: `#${pull.number} has evidence that its checks passed` },
  ];
  if (!outcome.runTests) return proofs;
  const passed = await runTests(repository, pull, outcome.directory);
  const what = `#${pull.number} passes ${CHECK} on a checkout made by this demo`;
  return [...proofs, { holds: passed, what }];
}

/** Whether a row of the evidence table names the check with exit code 0. */
export function checkPassed(body: string): boolean {
  return body.split("\n").some((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    return cells[1] === `\`${CHECK}\`` && /(^|\s)0$/.test(cells[2] ?? "");
  });
}

async function runTests(repository: Repository, pull: Pull, directory: string): Promise<boolean> {
  const tree = path.join(directory, `pull-${pull.number}`);
  const clone = ["clone", "--quiet", "--branch", pull.head, "--", repository.path, tree];
  await git(directory, clone);
  const child = spawn(process.execPath, ["--test"], {
    cwd: tree,
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: CHECK_MS,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  await text(child.stdout);
  return (await ended) === 0;
}
