import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { git } from "../../demo/github/bare.ts";
import type { GitHubOptions } from "../../demo/github/initial-state.ts";
import type { GitHubStandIn } from "../../demo/github/start.ts";
import {
  type Comment,
  nextNumber,
  type Pull,
  type Role,
  timestamp,
} from "../../demo/github/state.ts";

const END = /✅ done|⚠️ done|➖ no change|⛔ blocked|💸 over budget|❌ failed|🚫 cancelled/g;

/** Everything takes longer on a loaded machine: how many times as long a test may wait. */
export const PATIENCE = Number(process.env.DRAFTSMITH_TEST_PATIENCE ?? 1);

/** A repository of the stand-in before the first webhook. */
export interface RepositoryOptions {
  /** Files of the first commit, path → content. */
  files?: Record<string, string>;
  /** Content of `.github/codex.yml`. */
  config?: string;
  /** Collaborators by login; ada (write) and eve (read) unless given. */
  people?: Record<string, Role>;
  /** One issue of ada's unless given. */
  issues?: { title: string; body: string; author: string }[];
  /** Another installation than that of the others. */
  installationId?: number;
}

/** One repository of a world, as people and tests see it. */
export interface WorldRepository {
  /** The bare repository on the stand-in. */
  bare: string;
  baseSha: string;
  /** Opens one more issue; its number. */
  issue(given: { title: string; body: string; author?: string }): number;
  /** Posts a comment; resolves when its webhook was answered. */
  say(body: string, issue?: number, login?: string): Promise<Comment>;
  /** Waits, a minute unless told, until the boards on an issue show an ending for every row; the newest's text. */
  ended(issue?: number, boards?: number, withinMs?: number): Promise<string>;
  /** Comments of the App on an issue, oldest first. */
  answers(issue?: number): Comment[];
  pulls(): Pull[];
  pullBody(pull: Pull): string;
  show(spec: string): Promise<string>;
}

/** Makes a repository's bare directory and what the stand-in is told about it. */
export async function makeRepository(
  dir: string,
  name: string,
  options: RepositoryOptions,
): Promise<GitHubOptions["repositories"][number] & { baseSha: string }> {
  const bare = path.join(dir, `${name}.git`);
  const baseSha = await firstCommit(bare, {
    "README.md": "# Shop\n",
    ...options.files,
    ...(options.config === undefined ? {} : { ".github/codex.yml": options.config }),
  });
  return {
    owner: "acme",
    name,
    path: bare,
    collaborators: options.people ?? { ada: "write", eve: "read" },
    ...(options.installationId === undefined ? {} : { installationId: options.installationId }),
    issues: options.issues ?? [{ title: "Auth", body: "Please mend auth.", author: "ada" }],
    baseSha,
  };
}

/** The view of one repository of a running stand-in; `log` is what the server said so far. */
export function viewRepository(
  github: GitHubStandIn,
  made: { name: string; path: string; baseSha: string },
  log: () => string,
): WorldRepository {
  const repository = () => github.repository(made.name);
  const answers = (issue = 1) =>
    [...repository().comments.values()].filter(
      (comment) => comment.issue === issue && comment.author === "draftsmith[bot]",
    );
  return {
    bare: made.path,
    baseSha: made.baseSha,
    issue({ title, body, author = "ada" }) {
      const number = nextNumber(repository());
      const at = timestamp();
      const dates = { createdAt: at, updatedAt: at };
      const id = github.state.nextId();
      repository().issues.set(number, { id, number, title, body, author, state: "open", ...dates });
      return number;
    },
    async say(body, issue = 1, login = "ada") {
      const said = await github.comment({ repository: made.name, issue, login, body });
      return said.comment;
    },
    ended: (issue = 1, boards = 1, withinMs = 55_000 * PATIENCE) =>
      ended(github, () => answers(issue), boards, withinMs, log),
    answers,
    pulls: () => [...repository().pulls.values()].sort((a, b) => a.number - b.number),
    pullBody: (pull) => repository().issues.get(pull.number)?.body ?? "",
    show: (spec) => git(made.path, ["show", spec]),
  };
}

/** Waits on the stand-in's changes until that many boards stand and each of their rows has ended. */
async function ended(
  github: GitHubStandIn,
  answers: () => Comment[],
  count: number,
  withinMs: number,
  log: () => string,
): Promise<string> {
  const found = Promise.withResolvers<string>();
  const look = () => {
    const boards = answers().filter((comment) => comment.body.includes("draftsmith:board:"));
    const last = boards.at(-1)?.body ?? "";
    if (boards.length >= count && boards.every((board) => allEnded(board.body)))
      found.resolve(last);
  };
  const stopListening = github.onChange(look);
  const limit = setTimeout(
    () =>
      found.reject(
        new Error(
          `no end; the boards are:\n${answers()
            .map((each) => each.body)
            .join("\n")}\n${log()}`,
        ),
      ),
    withinMs,
  );
  look();
  try {
    return await found.promise;
  } finally {
    clearTimeout(limit);
    stopListening();
  }
}

function allEnded(board: string): boolean {
  const rows = board.split("\n").filter((line) => /^\| \d+ \|/.test(line));
  return rows.length > 0 && rows.every((row) => row.match(END) !== null);
}

async function firstCommit(bare: string, files: Record<string, string>): Promise<string> {
  mkdirSync(bare);
  await git(bare, ["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  const tree = mkdtempSync(path.join(tmpdir(), "draftsmith-tree-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), content);
  }
  const env = { GIT_DIR: bare, GIT_WORK_TREE: tree };
  await git(tree, ["add", "-A"], { env });
  const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  await git(tree, [...identity, "commit", "-qm", "Begin"], { env });
  rmSync(tree, { recursive: true });
  return git(bare, ["rev-parse", "main"]);
}
