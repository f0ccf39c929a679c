import { spawn } from "node:child_process";
import path from "node:path";
import { text } from "node:stream/consumers";
import { branchTip, git } from "./github/bare.ts";
import { botLogin, type Comment, type Pull, type Repository } from "./github/state.ts";
import type { SentWebhook } from "./github/webhooks.ts";
import { REPOSITORY, type Scene } from "./scene.ts";
import { findSecrets } from "./secrets.ts";

const CHECK = "node --test";
const CHECK_MS = 60_000;

/** One thing that has to hold at the end. */
export interface Proof {
  holds: boolean;
  what: string;
}

/** Looks at what stands on GitHub, not at what the server says of itself. */
export async function prove(
  scene: Scene,
  said: { comment: Comment; webhook: SentWebhook },
): Promise<Proof[]> {
  const { github, mainBefore } = scene;
  const repository = github.repository(REPOSITORY);
  const bot = botLogin(github.state);
  const eyes = repository.reactions.filter(
    (each) => each.commentId === said.comment.id && each.content === "eyes",
  );
  const boards = [...repository.comments.values()].filter(
    (each) => each.author === bot && each.issue === said.comment.issue,
  );
  const pulls = [...repository.pulls.values()];
  const status = said.webhook.status ?? 0;
  const tip = await branchTip(repository.path, "main");
  const leaks = await findSecrets(scene);
  const searched = `data, log, git or GitHub${scene.scriptedModel ? ", nor in a request to the model" : ""}`;
  return [
    { holds: status >= 200 && status < 300, what: `the webhook was answered with ${status}` },
    { holds: eyes.length === 1, what: `👀 on the comment: ${eyes.length}` },
    { holds: boards.length === 1, what: `status comments on the issue: ${boards.length}` },
    { holds: pulls.length === 3, what: `pull requests: ${pulls.length}` },
    { holds: tip === mainBefore, what: "main stands where it stood" },
    ...(await Promise.all(pulls.map((pull) => provePull(repository, pull, scene)))).flat(),
    ...leaks.map((what) => ({ holds: false, what })),
    { holds: leaks.length === 0, what: `no key, secret or token in ${searched}` },
  ];
}

async function provePull(repository: Repository, pull: Pull, scene: Scene): Promise<Proof[]> {
  const body = repository.issues.get(pull.number)?.body ?? "";
  const range = `${scene.mainBefore}..refs/heads/${pull.head}`;
  const commits = await git(repository.path, ["rev-list", "--count", range, "--"]);
  const proofs = [
    { holds: pull.draft && pull.base === "main", what: `#${pull.number} is a draft onto main` },
    { holds: commits === "1", what: `#${pull.number} is one commit` },
    { holds: checkPassed(body), what: `#${pull.number} has evidence that its checks passed` },
  ];
  // What a real model wrote runs in the server's sandbox and nowhere else.
  if (scene.scriptedModel === null) return proofs;
  const passed = await runTests(repository, pull, scene.directory);
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
