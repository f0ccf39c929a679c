import type { FaultWorld } from "../support/fault-world.ts";
import { taskOf, type World, type WorldOptions } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

/** What people do in a plot: what goes before is undisturbed, the word itself meets the fault. */
export type PlotName = "make" | "follow" | "allow";

/** One run of a plot. */
export interface Plot {
  /** What is said when the fault is armed. */
  body: string;
  issue: number;
  login: string;
  /** Waits for the told ending. */
  ended(): Promise<unknown>;
  /** How it ended: "one pull request", or what people read instead. */
  outcome(): string;
}

/** The world of every plot; a task `hold FILE` makes a change that is held, `make FILE` one that is not. */
export const STAGE: WorldOptions = {
  config: "setup: ['true']\nchecks: ['true']\n",
  people: { ada: "write", eve: "admin" },
  // A night has more plots than anybody has commands.
  env: { DRAFTSMITH_COMMANDS_PER_HOUR: "10000" },
  model: (request) => {
    const task = taskOf(request);
    const [, verb = "", file = ""] = /^(make|hold) (\S+)/.exec(task) ?? [];
    const path = verb === "hold" ? "CODEOWNERS" : file;
    const calls = [
      { name: "write", arguments: { path, content: `${file}\n` } },
      { name: "shell", arguments: { command: `cat ${path}` } },
    ];
    // What was interrupted is done again, as a model does that is told so.
    const answers = request.messages.filter(({ role }) => role === "tool");
    const call = calls[answers.filter(({ content }) => !/interrupted/i.test(content ?? "")).length];
    return call ? { toolCalls: [call] } : { content: `Make ${file}\n\nAs asked.` };
  },
};

/** Sets a plot up on an issue of its own; `file` is a name nobody used before. */
export async function preparePlot(
  name: PlotName,
  { world }: FaultWorld,
  file: string,
): Promise<Plot> {
  const issue = world.issue({ title: file, body: "Please." });
  const ada = { login: "ada", outcome: () => outcomeOf(world, issue) };
  if (name === "make") {
    return { ...ada, issue, body: `/codex make ${file}`, ended: () => world.ended(issue) };
  }
  await world.say(`/codex ${name === "allow" ? "hold" : "make"} ${file}`, issue);
  const board = await world.ended(issue);
  if (name === "follow") {
    const pull = world.pulls().find(({ head }) => head.startsWith(`codex/${issue}-`));
    if (!pull) throw new Error(`no pull request: ${board}`);
    const { number } = pull;
    const body = `/codex make more-${file}`;
    return { ...ada, issue: number, body, ended: () => world.ended(number) };
  }
  const [body = ""] = /^\/codex allow .*$/m.exec(board) ?? [];
  return {
    ...ada,
    issue,
    body,
    login: "eve",
    ended: () => until(world, () => isDone(world, issue)),
  };
}

function outcomeOf(world: World, issue: number): string {
  const pulls = world.pulls().filter(({ head }) => head.startsWith(`codex/${issue}-`));
  const boards = [issue, ...pulls.map(({ number }) => number)].flatMap((each) =>
    world.answers(each).map(({ body }) => body),
  );
  const well = pulls.length === 1 && boards.every((board) => !/❌|⚠️|💸|🚫/.test(board));
  return well ? "one pull request" : `${pulls.length} pull requests:\n${boards.join("\n")}`;
}

/** Says the word of a plot. GitHub's hook gets it again, by hand, for as long as it was not taken. */
export async function say(
  world: World,
  { body, issue, login }: Plot,
): Promise<() => Promise<void>> {
  const { comment, webhook } = await world.github.comment({
    repository: "shop",
    issue,
    login,
    body,
  });
  let { status } = webhook;
  return async () => {
    if (status === 200) return;
    status = (await world.github.redeliver("shop", comment, webhook.guid)).status;
  };
}

function isDone(world: World, issue: number): boolean {
  return world.answers(issue).some(({ body }) => /draftsmith:board:[\s\S]*✅ done/.test(body));
}

/** Waits on the stand-in's changes. */
async function until(world: World, look: () => boolean): Promise<void> {
  const found = Promise.withResolvers<void>();
  const stop = world.github.onChange(() => look() && found.resolve());
  const limit = setTimeout(
    () => found.reject(new Error(`it does not come:\n${world.log().slice(-4000)}`)),
    55_000 * PATIENCE,
  );
  if (look()) found.resolve();
  try {
    await found.promise;
  } finally {
    clearTimeout(limit);
    stop();
  }
}
