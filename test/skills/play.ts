import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { git, tryGit } from "../../demo/github/bare.ts";
import { nextNumber, timestamp } from "../../demo/github/state.ts";
import type { JobState, Spend } from "../../src/core/job.ts";
import { sqlOn } from "../support/open-test-store.ts";
import type { World } from "../support/world.ts";
import type { RepositoryOptions } from "../support/world-repository.ts";
import type { Files, LoadedCase, Solution, Step } from "./case.ts";

const ADA = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];

/** What a whole job made of a case. */
export interface Played {
  state: JobState;
  report: string;
  before: Files;
  after: Files;
  spend: Spend;
  /** The board as people see it. */
  board: string;
}

/** The repository of a case before the first commit on top. */
export function repositoryOf({ repo, checks, subject }: LoadedCase): RepositoryOptions {
  const config = `checks:\n${checks.map((check) => `  - ${JSON.stringify(check)}\n`).join("")}`;
  return { files: repo, config, issues: [{ ...subject, author: "ada" }] };
}

/** Plays a case through the whole product: a person asks, a job works, what it left is read. */
export async function play(
  world: World,
  name: string,
  skillCase: LoadedCase,
  how: { flags: string; withinMs?: number },
): Promise<Played> {
  const { bare, say, ended } = world.at(name);
  if (skillCase.commits) await commit(bare, "main", skillCase.commits);
  let base = "main";
  let number = 1;
  if (skillCase.pull) {
    base = "feature";
    await git(bare, ["branch", base, "main"]);
    await commit(bare, base, [{ message: skillCase.subject.title, files: skillCase.pull }]);
    number = openPull(world, name, base, skillCase);
  }
  const before = await filesAt(bare, base);
  await say(`/codex ${how.flags} ${skillCase.task}`, number);
  const board = await ended(number, 1, how.withinMs);
  const [row] = await sqlOn(world.place, `select * from jobs where spec like '%"name":"${name}"%'`);
  if (!row) throw new Error(`no job of ${name}`);
  const publication = JSON.parse(String(row.publication ?? "null")) as { headSha: string } | null;
  return {
    state: row.state as JobState,
    report: await reportOf(world, String(row.id)),
    before,
    after: publication ? await filesAt(bare, publication.headSha) : before,
    spend: await spendOf(world, String(row.id), JSON.parse(String(row.spend)) as Spend),
    board,
  };
}

/** Steps by the job's row, all else by its calls in the ledger. */
async function spendOf(world: World, id: string, { steps }: Spend): Promise<Spend> {
  const sums = ["input_tokens", "cached_tokens", "output_tokens", "micro_dollars"];
  const asked = sums.map((column) => `coalesce(sum(${column}), 0) as ${column}`).join(", ");
  const [row] = await sqlOn(world.place, `select ${asked} from calls where job_id = '${id}'`);
  return {
    steps,
    inputTokens: Number(row?.input_tokens),
    cachedTokens: Number(row?.cached_tokens),
    outputTokens: Number(row?.output_tokens),
    microDollars: Number(row?.micro_dollars),
  };
}

/** The calls by which a scripted model does what a solution does. */
export function callsOf({ steps }: Solution): { name: string; arguments: unknown }[] {
  return steps.map(callOf);
}

function callOf(step: Step): { name: string; arguments: unknown } {
  switch (step.do) {
    case "write":
      return { name: "write", arguments: { path: step.path, content: step.content } };
    case "edit":
      return { name: "edit", arguments: { path: step.path, old: step.old, new: step.new } };
    case "remove":
      return { name: "shell", arguments: { command: `rm -- '${step.path}'` } };
    case "run":
      return { name: "shell", arguments: { command: step.command } };
  }
}

function openPull(world: World, name: string, head: string, { subject }: LoadedCase): number {
  const repository = world.github.repository(name);
  const number = nextNumber(repository);
  const at = timestamp();
  const { title, body } = subject;
  const dates = { createdAt: at, updatedAt: at };
  const id = world.github.state.nextId();
  repository.issues.set(number, {
    id,
    number,
    title,
    body,
    author: "ada",
    state: "open",
    ...dates,
  });
  const pull = { id: id + 1, number, head, base: "main", draft: false };
  repository.pulls.set(number, pull);
  return number;
}

/** The agent's last words that came without a call. */
async function reportOf(world: World, jobId: string): Promise<string> {
  const rows = await sqlOn(
    world.place,
    `select payload from events where job_id = '${jobId}' order by seq`,
  );
  const events = rows.map(
    ({ payload }) =>
      JSON.parse(String(payload)) as {
        type: string;
        message?: { role: string; content: string; toolCalls?: unknown[] };
      },
  );
  const last = events.findLast(
    ({ type, message }) => type === "reply" && message?.toolCalls?.length === 0,
  );
  return last?.message?.content ?? "";
}

/** Puts commits on a branch, with their tags. */
async function commit(
  bare: string,
  branch: string,
  commits: NonNullable<LoadedCase["commits"]>,
): Promise<void> {
  const dir = await mkdtemp(path.join(tmpdir(), "draftsmith-case-"));
  try {
    await git(dir, ["clone", "--quiet", "--branch", branch, bare, "."]);
    for (const { message, files, tag } of commits) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
        await writeFile(path.join(dir, name), content);
      }
      await git(dir, ["add", "-A"]);
      await git(dir, [...ADA, "commit", "--quiet", "--allow-empty", "-m", message]);
      if (tag) await git(dir, ["tag", tag]);
    }
    await git(dir, ["push", "--quiet", "--tags", "origin", `HEAD:refs/heads/${branch}`]);
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function filesAt(bare: string, commitish: string): Promise<Files> {
  const names = await git(bare, ["ls-tree", "-r", "--name-only", "-z", commitish]);
  const files: Files = {};
  for (const name of names.split("\0").filter(Boolean)) {
    const { stdout } = await tryGit(bare, ["cat-file", "blob", `${commitish}:${name}`]);
    files[name] = stdout.toString();
  }
  return files;
}
