import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Pull } from "../../demo/github/state.ts";
import type { ChatRequest, ScriptedReply } from "../support/model-server.ts";
import { openWorld, taskOf, type World, type WorldOptions } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

interface Call {
  name: string;
  arguments: unknown;
}

/** What a hostile model says, reply by reply, and at last its report. */
interface Script {
  replies: (Call | Call[] | ((request: ChatRequest) => ScriptedReply | Promise<ScriptedReply>))[];
  report: string;
}

/** How a job of a hostile model ended. */
interface Played {
  issue: number;
  board: string;
  /** What its tool calls gave, in order. */
  results: string[];
  pulls: Pull[];
}

/** A running server whose model does what each task's script says. */
export interface Stage {
  world: World;
  /** Gives the task to the server on an issue of its own and waits for its end. */
  play(task: string, script: Script, where?: string): Promise<Played>;
  /** Prepares scripts for tasks that are given otherwise. */
  rehearse(task: string, script: Script): void;
  end(): Promise<void>;
}

export const shell = (command: string): Call => ({ name: "shell", arguments: { command } });
export const write = (file: string, content: string): Call => ({
  name: "write",
  arguments: { path: file, content },
});

/** How long one attack through the whole product may take, in ms. */
export const JOB_MS = 60_000 * PATIENCE;

const QUOTAS = {
  DRAFTSMITH_JOBS_PER_PERSON: "1000",
  DRAFTSMITH_JOBS_PER_REPOSITORY: "1000",
  DRAFTSMITH_JOBS_PER_INSTALLATION: "1000",
  DRAFTSMITH_COMMANDS_PER_HOUR: "1000",
};

/** Opens a world for several attacks; call `end` after them. */
export async function openStage(options: Omit<WorldOptions, "model">): Promise<Stage> {
  const scripts = new Map<string, Script>();
  const { world, end } = await openWorld({
    ...options,
    env: { ...QUOTAS, ...options.env },
    model: (request) => {
      const task = taskOf(request);
      const script = scripts.get(task);
      if (!script) return { content: `No such task: ${task}\n\nNothing to do.` };
      const said = request.messages.filter((message) => message.role === "assistant").length;
      const next = script.replies[said];
      if (next === undefined) return { content: script.report };
      if (typeof next === "function") return next(request);
      return { toolCalls: Array.isArray(next) ? next : [next] };
    },
  });
  const requestsOf = (task: string) =>
    world.model.requests.map((each) => each.body).filter((body) => taskOf(body) === task);
  return {
    world,
    end,
    rehearse: (task, script) => void scripts.set(task, script),
    async play(task, script, where = "shop") {
      scripts.set(task, script);
      const repository = world.at(where);
      const issue = repository.issue({ title: "A chore", body: "Please." });
      const before = repository.pulls().length;
      await repository.say(`/codex ${task}`, issue);
      const board = await repository.ended(issue);
      const last = requestsOf(task).at(-1);
      const results = (last?.messages ?? []).filter((message) => message.role === "tool");
      return {
        issue,
        board,
        results: results.map((message) => message.content ?? ""),
        pulls: repository.pulls().slice(before),
      };
    },
  };
}

/** Everything that left the server or was kept by it, place by place. */
export function everywhere(world: World): Record<string, string> {
  const { github, model, dataDir } = world;
  const json = (value: unknown) => JSON.stringify(value) ?? "";
  const repositories = github.state.repositories;
  const places: Record<string, string> = {
    "the model": json(model.requests.map((request) => request.body)),
    "requests to GitHub": json(
      github.requests.map(({ path: to, query, body }) => ({ to, query, body })),
    ),
    "comments and pull requests": json(
      repositories.map((each) => [[...each.comments.values()], [...each.issues.values()]]),
    ),
    "the log": world.log(),
  };
  for (const each of repositories) places[`objects of ${each.name}`] = objectsOf(each.path);
  const database = path.join(dataDir, "draftsmith.db");
  if (existsSync(database)) places["the store"] = rowsOf(database);
  return places;
}

/** The places that hold a text, whole or as base64 or hex. */
export function leaks(world: World, secret: string): string[] {
  const forms = [
    secret,
    Buffer.from(secret).toString("base64").slice(0, -4),
    Buffer.from(secret).toString("hex"),
  ];
  return Object.entries(everywhere(world)).flatMap(([place, text]) =>
    forms.some((form) => text.includes(form)) ? [place] : [],
  );
}

/** Every object and every ref of a repository. */
function objectsOf(bare: string): string {
  const run = (...args: string[]) =>
    execFileSync("git", args, { cwd: bare, maxBuffer: 512 * 1024 * 1024 }).toString("latin1");
  return `${run("cat-file", "--batch-all-objects", "--batch")}\n${run("for-each-ref")}`;
}

function rowsOf(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table'").all();
    return tables
      .map(({ name }) => JSON.stringify(database.prepare(`select * from "${name}"`).all()))
      .join("\n");
  } finally {
    database.close();
  }
}
