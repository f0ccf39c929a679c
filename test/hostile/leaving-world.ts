import { AssertionError } from "node:assert";
import { expect } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { GitHubOptions } from "../../demo/github/initial-state.ts";
import type { Pull } from "../../demo/github/state.ts";
import type { ChatRequest, ScriptedReply } from "../support/model-server.ts";
import { openWorld, taskOf, type World } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

type Call = { name: string; arguments: unknown };

export const write = (path: string, content: string): Call => ({
  name: "write",
  arguments: { path, content },
});
export const shell = (command: string): Call => ({ name: "shell", arguments: { command } });

/** How an attack ended. */
export interface Ended {
  issue: number;
  board: string;
  /** The pull request it became, and its text. */
  pull: Pull | undefined;
  body: string;
  /** What the controller wrote to the agent after the first report. */
  told: string;
  /** What left for its issue: branches, private refs. */
  refs: string[];
}

interface PlayOptions {
  report?: string;
  issue?: number;
  /** Flags of the command, and words before its task. */
  flags?: string;
  task?: string;
}

/** A world whose model is the attacker: ada asks, eve is the admin. */
export interface LeavingWorld {
  world: World;
  /** Plays the calls on an issue of its own, or on a given one, and reports until it is let go. */
  play(calls: Call[], options?: PlayOptions): Promise<Ended>;
  /** What left for an issue by now. */
  look(issue: number): Promise<Ended>;
  /** Waits for what is found after some change on GitHub. */
  until<T>(find: () => Promise<T | null>): Promise<T>;
  /** The command that the board of a held change shows. */
  command(ended: Ended): string;
  /** Says a command and gives the answer to it. */
  answer(issue: number, body: string, login?: string): Promise<string>;
  end(): Promise<void>;
}

const FILES = {
  "package.json": `${JSON.stringify({ name: "shop", scripts: { test: "vitest" }, dependencies: { a: "1.0.0" } }, null, 2)}\n`,
  "AGENTS.md": "# Agents\n\nBe careful.\n",
  ".github/workflows/ci.yml": "on: push\n",
  ".github/CODEOWNERS": "* @acme/owners\n",
  ".husky/pre-commit": "npm test\n",
  "scripts/run.sh": "echo run\n",
  "check/all.sh": "test -f README.md\n",
  "test/sum.test.ts": 'test("sum", () => {\n  expect(1 + 1).toBe(2);\n});\n',
};

/** Builds the world; call `end` after the tests. */
export async function openLeavingWorld(
  options: { fault?: GitHubOptions["fault"]; env?: Record<string, string> } = {},
): Promise<LeavingWorld> {
  const scripts = new Map<string, { calls: Call[]; report: string }>();
  const { world, end } = await openWorld({
    model: (request) => next(request, scripts),
    files: FILES,
    config: "checks: ['sh check/all.sh']\n",
    people: { ada: "write", eve: "admin" },
    env: { DRAFTSMITH_COMMANDS_PER_HOUR: "1000", ...options.env },
    ...(options.fault ? { fault: options.fault } : {}),
  });
  await linkedBranch(world.bare);
  let count = 0;

  async function until<T>(find: () => Promise<T | null>): Promise<T> {
    const found = Promise.withResolvers<T>();
    const tryNow = () => {
      find().then((value) => value !== null && found.resolve(value), found.reject);
    };
    const stop = world.github.onChange(tryNow);
    const limit = setTimeout(
      () => found.reject(new AssertionError({ message: "it never came" })),
      30_000 * PATIENCE,
    );
    tryNow();
    return found.promise.finally(() => {
      clearTimeout(limit);
      stop();
    });
  }

  async function look(issue: number, task?: string): Promise<Ended> {
    const boards = world.answers(issue).filter(({ body }) => body.includes("draftsmith:board:"));
    const pull = world.pulls().find(({ head }) => head.startsWith(`codex/${issue}-`));
    const all = (await git(world.bare, ["for-each-ref", "--format=%(refname)"])).split("\n");
    const told = world.model.requests
      .filter(({ body }) => task !== undefined && taskOf(body).includes(task))
      .flatMap(({ body }) => body.messages.slice(2))
      .filter(({ role }) => role === "user")
      .map(({ content }) => content);
    return {
      issue,
      board: boards.at(-1)?.body ?? "",
      pull,
      body: pull ? world.pullBody(pull) : "",
      told: told.join("\n"),
      refs: all.filter((ref) => ref.startsWith(`refs/heads/codex/${issue}-`)),
    };
  }

  return {
    world,
    end,
    look,
    until,
    async play(calls, options = {}) {
      const { report = "Do it\n\nAs asked.", flags = "" } = options;
      count += 1;
      // What stands before may be redacted on its way to the model.
      const name = `attack ${count} of the suite`;
      const task = `${options.task ?? ""} ${name}`.trim();
      scripts.set(name, { calls, report });
      const issue = options.issue ?? world.issue({ title: "Attack", body: "" });
      await world.say(`/codex ${flags} ${task}`, issue);
      await world.ended(issue);
      return look(issue, name);
    },
    command({ board }) {
      return /^\/codex allow [0-9a-f]{8} [0-9a-f]{40}$/m.exec(board)?.[0] ?? "";
    },
    async answer(issue, body, login = "eve") {
      const comment = await world.say(body, issue, login);
      const marker = `<!-- draftsmith:answer:${comment.id} -->`;
      const find = () => world.answers(issue).find((each) => each.body.startsWith(marker))?.body;
      return until(async () => find() ?? null);
    },
  };
}

/** A branch on which people made links themselves: one to `.github`, one out of the repository. */
async function linkedBranch(bare: string): Promise<void> {
  const link = async (target: string, name: string) => {
    const id = await git(bare, ["hash-object", "-w", "--stdin"], { input: target });
    return `120000 blob ${id}\t${name}`;
  };
  const entries = [
    await git(bare, ["ls-tree", "main"]),
    await link(".github", "ci"),
    await link("/etc", "outside"),
  ];
  const tree = await git(bare, ["mktree"], { input: `${entries.join("\n")}\n` });
  const person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  const args = ["commit-tree", tree, "-p", "main", "-m", "Link"];
  const commit = await git(bare, [...person, ...args]);
  await git(bare, ["update-ref", "refs/heads/linked", commit]);
}

function next(
  request: ChatRequest,
  scripts: Map<string, { calls: Call[]; report: string }>,
): ScriptedReply {
  const script = [...scripts].find(([name]) => taskOf(request).endsWith(name))?.[1];
  if (!script) return { content: "No such task\n\nNothing to do." };
  const replies = request.messages.filter((message) => message.role === "assistant").length;
  const call = script.calls[replies];
  return call ? { toolCalls: [call] } : { content: script.report };
}

/** Nothing left, people and the agent are told why, and an admin is told how to let it out. */
export function expectHeld(ended: Ended, reason: RegExp): void {
  expect(ended.board).toContain("⛔ blocked");
  expect(ended.board).toMatch(reason);
  expect(ended.board).toMatch(/^\/codex allow [0-9a-f]{8} [0-9a-f]{40}$/m);
  expect(ended.told).toMatch(reason);
  expectNothingLeft(ended);
}

export function expectNothingLeft(ended: Ended): void {
  expect(ended.pull).toBeUndefined();
  expect(ended.refs).toEqual([]);
}
