import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { RecordedRequest } from "../../demo/github/serve.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { plays, taskOf, type World } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

/** What people do; what goes before is undisturbed, the last word meets the fault. */
export const ROADS = ["new pull", "follow-up", "allow"] as const;
export type Road = (typeof ROADS)[number];

/** A repository in which a road is gone. */
export interface Place {
  road: Road;
  name: string;
}

/** The world of all roads; each task names its repository, so that what is paid for it can be counted. */
export const OPTIONS = {
  model: (request: Parameters<typeof taskOf>[0]) => {
    const task = taskOf(request);
    // What a pull request opens with is said in its text, too: one more call.
    const path = /held/.test(task) ? "CODEOWNERS" : /more/.test(task) ? "package.json" : "a.txt";
    return plays({
      [task]: {
        calls: [{ name: "write", arguments: { path, content: "{}\n" } }],
        report: "Write a file\n\nAs asked.",
      },
    })(request);
  },
  people: { ada: "write", eve: "admin" } as const,
  env: { DRAFTSMITH_JOBS_PER_PERSON: "100000", DRAFTSMITH_COMMANDS_PER_HOUR: "100000" },
};

/** GitHub's word on a secondary limit without a time means a minute; git waits two for an answer. */
const PATIENCE_MS = 300_000 * PATIENCE;

/** Goes a road up to where the fault comes, then to its end; `arm` is called in between. */
export async function play(world: World, place: Place, arm: () => void): Promise<void> {
  const { name, road } = place;
  const view = world.at(name);
  const { id } = world.github.repository(name);
  if (road !== "new pull") {
    await say(world, name, `/codex do it ${road === "allow" ? "held " : ""}in ${name}`);
    await quiet(world, id);
  }
  arm();
  if (road === "new pull") await say(world, name, `/codex do it in ${name}`);
  if (road === "follow-up") {
    await say(world, name, `/codex do more in ${name}`, view.pulls()[0]?.number);
  }
  if (road === "allow") {
    const board = view.answers().find(({ body }) => body.includes("draftsmith:board:"))?.body;
    const [word = ""] = /^\/codex allow .*$/m.exec(board ?? "") ?? [];
    expect(word).not.toBe("");
    await say(world, name, word, 1, "eve");
  }
  await quiet(world, id);
}

/** A delivery that was not taken shows as failed at GitHub, which sends it again when asked. */
async function say(world: World, name: string, body: string, issue = 1, login = "ada") {
  const said = await world.github.comment({ repository: name, issue, login, body });
  let { status } = said.webhook;
  // What is not answered in time, as on a machine with too much to do, is asked for again later.
  for (let tries = 0; tries < 10 && (status === null || status >= 300); tries += 1) {
    if (tries > 2) await sleep(1000 * tries);
    ({ status } = await world.github.redeliver(name, said.comment, said.webhook.guid));
  }
  expect(status, "of the webhook").toBe(200);
}

/** Waits until nothing is under way in a repository: each job has ended, and no write waits. */
async function quiet(world: World, id: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const open = await underWay(world);
    if (!open.has(id)) return;
    if (performance.now() > deadline) throw new Error(`no end: ${open.get(id)}`);
    await sleep(300);
  }
}

/** What is under way, by the number of its repository. */
async function underWay({ place }: World): Promise<Map<number, string>> {
  const open = new Map<number, string>();
  const jobs = await sqlOn(place, "select repo_id, command_id, state, last_action from jobs");
  const acts = await sqlOn(
    place,
    "select key, act, state, last_error from outbox where state = 'pending' or key like 'board:%'",
  );
  const boards = new Map(acts.map(({ key, act }) => [String(key), JSON.parse(String(act))]));
  for (const { act, state, last_error } of acts) {
    const { repo, kind } = JSON.parse(String(act));
    if (state === "pending") open.set(repo.id, `${kind} waits, ${last_error}`);
  }
  for (const { repo_id, command_id, state, last_action } of jobs) {
    // It has ended a moment before its board says so.
    const told = boards.get(`board:${command_id}`)?.last === true;
    if (OPEN.has(String(state)) || !told) open.set(Number(repo_id), `${state}, ${last_action}`);
  }
  return open;
}

const OPEN = new Set(["queued", "running", "verifying", "publishing"]);

/** The call as it is for any job: what differs from job to job is taken out. */
export function callOf({ method, path, query, body }: RecordedRequest): string {
  const service = /service=([\w-]+)/.exec(query)?.[1];
  const same = path
    .replace(/^\/(repos\/)?acme\/[^/]+?(?=\/|\.git|$)/, "")
    .replace(/[0-9a-f]{40}/g, ":sha")
    .replace(/codex\/[^/]+$/, ":branch")
    .replace(/\/\d+(?=\/|$)/g, "/:n");
  const asked = path.endsWith("/access_tokens") ? permissionsIn(body) : service;
  return `${method} ${same || "/"}${asked ? ` (${asked})` : ""}`;
}

function permissionsIn(body: unknown): string {
  const asked = typeof body === "object" && body !== null && Reflect.get(body, "permissions");
  return Object.entries(asked || {})
    .map(([name, access]) => `${name} ${access}`)
    .join(", ");
}

/** The repository a request is about. */
export function belongs(world: World, { path, token }: RecordedRequest): string | null {
  const [, name] = /^\/(?:repos\/)?acme\/([^/]+?)(?:\.git)?(?:\/|$)/.exec(path) ?? [];
  if (name !== undefined) return name;
  const [, installation] = /^\/app\/installations\/(\d+)/.exec(path) ?? [];
  const ids = world.github.state.tokens.get(token ?? "")?.repositoryIds ?? [];
  const found = world.github.state.repositories.find(
    ({ id, installationId }) => ids.includes(id) || installationId === Number(installation),
  );
  return found?.name ?? null;
}

/**
 * How a road ended: "done", or what people were told instead. Throws when it is wrong. `unchecked`: how many
 * check runs the App was not permitted to write, without which a job is done all the same.
 */
export async function outcome(world: World, { name, road }: Place, unchecked = 0): Promise<string> {
  const view = world.at(name);
  const repository = world.github.repository(name);
  const own = [...repository.comments.values()].filter(({ author }) => author.endsWith("[bot]"));
  const markers = own.map(({ body }) => /<!-- (draftsmith:\S+) -->/.exec(body)?.[1]);
  expect(new Set(markers).size, "texts that stand twice").toBe(own.length);
  const reactions = repository.reactions.map(({ commentId, content }) => `${commentId} ${content}`);
  expect(new Set(reactions).size, "the same reaction twice to one comment").toBe(reactions.length);
  const runs = repository.checkRuns.map(({ externalId, headSha }) => `${externalId} ${headSha}`);
  expect(new Set(runs).size, "two check runs of one commit").toBe(runs.length);
  const pulls = view.pulls();
  expect(pulls.length, "pull requests").toBeLessThanOrEqual(1);
  const refs = await git(view.bare, ["for-each-ref", "--format=%(refname)"]);
  const branches = refs.split("\n").filter((ref) => ref !== "refs/heads/main");
  expect(branches.filter((ref) => !ref.startsWith("refs/heads/codex/"))).toEqual([]);
  expect(branches.length, "branches").toBeLessThanOrEqual(1);
  const made = branches[0] ? await git(view.bare, ["rev-list", `main..${branches[0]}`]) : "";
  const commits = made.split("\n").filter(Boolean);
  const most = road === "follow-up" ? 2 : 1;
  expect(commits.length, "commits on the branch").toBeLessThanOrEqual(most);
  const replies = road === "new pull" ? 2 : 4;
  const asked = world.model.requests.filter(({ body }) => taskOf(body).endsWith(`in ${name}`));
  expect(asked.length, "model calls").toBeLessThanOrEqual(replies);

  const rows = await sqlOn(
    world.place,
    `select state, reason from jobs where repo_id = ${repository.id} order by created_at, id`,
  );
  const comments = [...repository.comments.values()];
  const lastWord = comments.findLast(({ author }) => !author.endsWith("[bot]"));
  const started = road === "allow" ? 1 : most;
  const job = rows[started - 1];
  if (job?.state === "done") {
    expect([pulls.length, commits.length], "pull requests and commits").toEqual([1, most]);
    expect(runs.length, "check runs").toBe(most - unchecked);
    expect(refs.includes("refs/draftsmith"), "a private ref").toBe(false);
    return "done";
  }
  const held = road === "allow" && job?.state === "blocked" && job.reason;
  const told = own.filter(({ issue }) => issue === lastWord?.issue).map(({ body }) => body);
  const newest = told.findLast((body) => (job && !held ? body.includes("board:") : true)) ?? "";
  const words = /❌ failed[^\n]*|⛔ blocked[^\n]*/.exec(newest)?.[0] ?? newest.split("\n").at(-1);
  expect(words, "what is told").toMatch(/\w/);
  expect(words).not.toMatch(/internal error|went wrong on this server/);
  return `told: ${(words ?? "").slice(-140)}`;
}
