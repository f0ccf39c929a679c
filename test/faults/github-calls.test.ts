import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { RecordedRequest } from "../../demo/github/serve.ts";
import { openWorld, plays, taskOf, type World } from "../support/world.ts";
import { ANSWERS } from "./github-answers.ts";
import { nightly } from "./size.ts";

/**
 * Every GitHub call of a whole job, one at a time, answered by everything that GitHub may answer. The
 * calls are those a clean run makes; each pair of call and answer has a repository, and an installation,
 * of its own, and all run side by side.
 */

/** One of how many pairs runs in CI; at night all of them. */
const EVERY = nightly ? 1 : 40;
const SIDE_BY_SIDE = 10;
/** GitHub's word on a secondary limit without a time means a minute; a write that hangs, 20 s. */
const PATIENCE_MS = 240_000;

const ROADS = ["new pull", "follow-up", "allow"] as const;
type Road = (typeof ROADS)[number];

interface Cell {
  road: Road;
  call: string;
  answer: string;
  name: string;
  /** Whether what goes before is over, how often the call was made since, and whether it met the fault. */
  armed: boolean;
  times: number;
  met: boolean;
}

const model = (request: Parameters<typeof taskOf>[0]) => {
  const task = taskOf(request);
  const path = /held/.test(task) ? "CODEOWNERS" : /more/.test(task) ? "b.txt" : "a.txt";
  return plays({
    [task]: {
      calls: [{ name: "write", arguments: { path, content: "text\n" } }],
      report: "Write a file\n\nAs asked.",
    },
  })(request);
};

const OPTIONS = {
  model,
  people: { ada: "write", eve: "admin" } as const,
  env: {
    DRAFTSMITH_CONCURRENCY: "4",
    DRAFTSMITH_JOBS_PER_PERSON: "100000",
    DRAFTSMITH_COMMANDS_PER_HOUR: "100000",
  },
};

/** After so long without a call nothing is under way. */
const QUIET_MS = 3000;

/** The same call of another job: what differs from job to job is taken out. */
function callOf({ method, path, query }: RecordedRequest): string {
  const service = /service=([\w-]+)/.exec(query)?.[1];
  const same = path
    .replace(/^\/(repos\/)?acme\/[^/]+?(?=\/|\.git|$)/, "")
    .replace(/[0-9a-f]{40}/g, ":sha")
    .replace(/codex\/[^/]+$/, ":branch")
    .replace(/\/\d+(?=\/|$)/g, "/:n");
  return `${method} ${same || "/"}${service ? ` (${service})` : ""}`;
}

/** Plays a road in a repository up to where the fault comes, then to its end. */
async function play(
  world: World,
  { name, road }: { name: string; road: Road },
  arm: () => void,
): Promise<void> {
  const view = world.at(name);
  const calm = () => settled(world, name);
  if (road === "follow-up") {
    await say(world, name, "/codex do it");
    await calm();
  }
  if (road === "allow") {
    await say(world, name, "/codex do it held");
    await calm();
  }
  arm();
  if (road === "new pull") await say(world, name, "/codex do it");
  if (road === "follow-up") await say(world, name, "/codex do more", view.pulls()[0]?.number);
  if (road === "allow") {
    const board = view.answers().find(({ body }) => body.includes("draftsmith:board:"))?.body;
    const [word = ""] = /^\/codex allow .*$/m.exec(board ?? "") ?? [];
    expect(word).not.toBe("");
    await say(world, name, word, 1, "eve");
  }
  await calm();
}

/** A delivery that was not taken shows as failed at GitHub, which sends it again when asked. */
async function say(world: World, name: string, body: string, issue = 1, login = "ada") {
  const said = await world.github.comment({ repository: name, issue, login, body });
  let { status } = said.webhook;
  for (let tries = 0; tries < 5 && (status === null || status >= 300); tries += 1) {
    ({ status } = await world.github.redeliver(name, said.comment, said.webhook.guid));
  }
}

const END = /✅ done|⚠️ done|➖ no change|⛔ blocked|💸 over budget|❌ failed|🚫 cancelled/;

/** Nothing goes on: each comment was answered, and every row of every board has ended. */
async function settled(world: World, name: string): Promise<void> {
  const view = world.at(name);
  const repository = world.github.repository(name);
  const issues = () => [...repository.issues.keys()];
  let looked = world.github.requests.length;
  let since = performance.now();
  const state = () => {
    const said = [...repository.comments.values()].filter(
      ({ author }) => !author.endsWith("[bot]"),
    );
    const answers = issues().flatMap((issue) => view.answers(issue));
    const rows = answers
      .filter(({ body }) => body.includes("draftsmith:board:"))
      .flatMap(({ body }) => body.split("\n").filter((line) => /^\| \d+ \|/.test(line)));
    const open = rows.filter((row) => !END.test(row));
    // Only what came since the last look: the stand-in serves from this very process.
    const fresh = world.github.requests.slice(looked);
    looked += fresh.length;
    if (fresh.some((each) => belongs(world, each) === name)) since = performance.now();
    if (answers.length < said.length || open.length > 0) return `open: ${open.join()}`;
    return performance.now() - since > QUIET_MS ? "settled" : "just now";
  };
  const deadline = performance.now() + PATIENCE_MS;
  for (let now = state(); now !== "settled"; now = state()) {
    if (performance.now() > deadline) throw new Error(`no end: ${now}`);
    await sleep(250);
  }
}

/** What must hold however a call was answered. */
async function check(world: World, cell: Cell): Promise<string> {
  const view = world.at(cell.name);
  const repository = world.github.repository(cell.name);
  const issues = [...repository.issues.keys()];
  const boards = issues
    .flatMap((issue) => view.answers(issue))
    .flatMap(({ body }) => /draftsmith:board:\S+/.exec(body) ?? []);
  expect(new Set(boards).size, "two boards of one command").toBe(boards.length);
  const eyes = repository.reactions.map(({ commentId }) => commentId);
  expect(new Set(eyes).size, "two reactions to one comment").toBe(eyes.length);
  const runs = repository.checkRuns.map(({ externalId, headSha }) => `${externalId} ${headSha}`);
  expect(new Set(runs).size, "two check runs of one commit").toBe(runs.length);
  expect(view.pulls().length, "pull requests").toBeLessThanOrEqual(1);
  const [pull] = view.pulls();
  const commits = pull ? await git(view.bare, ["rev-list", `main..${pull.head}`]) : "";
  const most = cell.road === "follow-up" ? 2 : 1;
  const made = commits.split("\n").filter(Boolean).length;
  expect(made, "commits on its branch").toBeLessThanOrEqual(most);
  const done = made === most && (cell.road === "follow-up" || pull !== undefined);
  const last = issues.flatMap((issue) => view.answers(issue)).at(-1)?.body ?? "";
  const words =
    /❌ failed[^|]*\|[^\n]*|⛔ blocked[^\n]*/.exec(last)?.[0] ?? last.split("\n").at(-1);
  return done ? "done" : `told: ${(words ?? "").slice(0, 90)}`;
}

const recorded = new Map<Road, string[]>();

beforeAll(async () => {
  const names = Object.fromEntries(ROADS.map((road) => [road, `clean-${ROADS.indexOf(road)}`]));
  const from = new Map<string, number>();
  const { world, end } = await openWorld({
    ...OPTIONS,
    repositories: Object.fromEntries(
      ROADS.map((road, at) => [names[road] ?? "", { ...OPTIONS, installationId: 500 + at }]),
    ),
  });
  try {
    await Promise.all(
      ROADS.map((road) => {
        const name = names[road] ?? "";
        return play(world, { name, road }, () => from.set(name, world.github.requests.length));
      }),
    );
    const callsOf = (road: Road, at: number) => {
      const name = names[road] ?? "";
      const own = world.github.requests
        .slice(from.get(name))
        .filter((request) => belongs(world, request) === name);
      const calls = own.map((request) => callOf(request)).filter((call) => !isGoodbye(call));
      expect(calls.length, `calls of ${road} ${at}`).toBeGreaterThan(10);
      return numbered(calls);
    };
    for (const [at, road] of ROADS.entries()) recorded.set(road, callsOf(road, at));
  } finally {
    await end();
  }
}, PATIENCE_MS);

/** The repository a request is about. */
function belongs(world: World, { path, token }: RecordedRequest): string | null {
  const [, name] = /^\/(?:repos\/)?acme\/([^/]+?)(?:\.git)?(?:\/|$)/.exec(path) ?? [];
  if (name !== undefined) return name;
  const [, installation] = /^\/app\/installations\/(\d+)/.exec(path) ?? [];
  const ids = world.github.state.tokens.get(token ?? "")?.repositoryIds ?? [];
  const found = world.github.state.repositories.find(
    ({ id, installationId }) => ids.includes(id) || installationId === Number(installation),
  );
  return found?.name ?? null;
}

/** Tokens end when they were not used for a while: not a call of the job. */
function isGoodbye(call: string): boolean {
  return call === "DELETE /installation/token";
}

/** The first two of each call, by which of them. */
function numbered(calls: string[]): string[] {
  const seen = new Map<string, number>();
  return calls.flatMap((call) => {
    const times = (seen.get(call) ?? 0) + 1;
    seen.set(call, times);
    return times <= 2 ? [`${call} #${times}`] : [];
  });
}

/** The part of all pairs that runs here: the same ones each time. */
function isChosen(pair: string): boolean {
  return createHash("sha256").update(pair).digest().readUInt32BE(0) % EVERY === 0;
}

it("github-01 every GitHub call of a job, one at a time, is answered by 500, 502 after success, a timeout, a reset, 401, 403, 404 or 422", {
  timeout: 60 * 60_000,
}, async () => {
  const cells: Cell[] = ROADS.flatMap((road) =>
    (recorded.get(road) ?? []).flatMap((call) =>
      Object.keys(ANSWERS).flatMap((answer) => ({ road, call, answer })),
    ),
  )
    .filter(({ road, call, answer }) => isChosen(`${road} ${call} ${answer}`))
    .map((pair, at) => ({ ...pair, name: `cell-${at}`, armed: false, times: 0, met: false }));
  const byName = new Map(cells.map((cell) => [cell.name, cell]));
  const { world, end } = await openWorld({
    ...OPTIONS,
    repositories: Object.fromEntries(
      cells.map(({ name }, at) => [name, { ...OPTIONS, installationId: 1000 + at }]),
    ),
    fault: (request) => {
      const cell = byName.get(belongs(world, request) ?? "");
      const [, call, which] = /^(.*) #(\d)$/.exec(cell?.call ?? "") ?? [];
      if (!cell?.armed || cell.met || callOf(request) !== call) return undefined;
      cell.times += 1;
      if (cell.times < Number(which)) return undefined;
      cell.met = true;
      return ANSWERS[cell.answer]?.();
    },
  });
  const wrong: string[] = [];
  try {
    await inTurn(cells, SIDE_BY_SIDE, async (cell) => {
      const line = `${cell.road}: ${cell.call} → ${cell.answer}`;
      try {
        await play(world, cell, () => (cell.armed = true));
        const how = await check(world, cell);
        process.stdout.write(`ok   ${line}: ${cell.met ? how : `not met, ${how}`}\n`);
      } catch (thrown) {
        const why = thrown instanceof Error ? thrown.message.split("\n")[0] : String(thrown);
        wrong.push(`${line}: ${why}`);
        process.stdout.write(`FAIL ${line}: ${why}\n`);
      }
    });
  } finally {
    await end();
  }
  expect(wrong).toEqual([]);
  expect(cells.length).toBeGreaterThan(20);
});

/** Does so many at a time. */
async function inTurn<T>(all: T[], width: number, each: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let one = left.shift(); one !== undefined; one = left.shift()) await each(one);
    }),
  );
}
