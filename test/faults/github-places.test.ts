import { readdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { Repository } from "../../demo/github/state.ts";
import { examineSqlite } from "../../src/adapters/store/examine.ts";
import { NEWEST_SCHEMA } from "../../src/adapters/store/migrations.ts";
import { storeFindings } from "../../src/core/doctor/store.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { openWorld, taskOf, type World } from "../support/world.ts";
import { PLOTS, type Plot, type Refused } from "./github-plots.ts";
import { OPTIONS, type Place, play } from "./github-roads.ts";

/**
 * What people do to a repository, its issues and its branches while a job works on them. Each is done while
 * the model thinks about the last step; nobody is asked more often afterwards than a few tries take.
 */

/** Requests that a job and its told ending take with every try; a storm makes hundreds. */
const MOST_REQUESTS = 90;

vi.setConfig({ testTimeout: 120_000 });

let world: World;
let end: () => Promise<void>;
/** What happens in a repository when its next model call comes. */
const coming = new Map<string, () => unknown>();
const refused: Refused = new Map();

beforeAll(async () => {
  ({ world, end } = await openWorld({
    ...OPTIONS,
    env: { ...OPTIONS.env, DRAFTSMITH_CONCURRENCY: "6" },
    model: async (request) => {
      const [, name = ""] = /in (\S+)$/.exec(taskOf(request)) ?? [];
      const happens = coming.get(name);
      coming.delete(name);
      await happens?.();
      return OPTIONS.model(request);
    },
    repositories: Object.fromEntries(
      Object.keys(PLOTS).map((name, at) => [name, { ...OPTIONS, installationId: 1000 + at }]),
    ),
    fault: ({ path: asked, token }) => {
      const [, installation] = /^\/app\/installations\/(\d+)/.exec(asked) ?? [];
      const ids = world?.github.state.tokens.get(token ?? "")?.repositoryIds ?? [];
      const of = repositories.get(ids[0] ?? 0)?.installationId ?? Number(installation);
      const answer = refused.get(of);
      if (answer === undefined) return undefined;
      const status = installation === undefined ? answer.status : answer.status === 401 ? 404 : 403;
      return { when: "before", answer: { status, body: { message: answer.message } } };
    },
  }));
  for (const each of world.github.state.repositories) repositories.set(each.id, { ...each });
  // All at once: most of them wait until what is refused was tried often enough.
  for (const [name, plot] of Object.entries(PLOTS)) {
    const playing = during(name, plot);
    playing.catch(() => undefined);
    playings.set(name, playing);
  }
}, 60_000);

/** As they were before anything happened. */
const repositories = new Map<number, Repository>();

afterAll(async () => {
  await end();
});

const playings = new Map<string, Promise<Seen>>();

async function played(name: string): Promise<Seen> {
  const playing = playings.get(name);
  if (playing === undefined) throw new Error(`nothing is played in ${name}`);
  return playing;
}

interface Seen {
  /** How the job ended, and why. */
  state: string;
  reason: string;
  /** The board as it stands. */
  board: string;
  /** Comments of ours that are boards. */
  boards: number;
  repository: Repository;
  pulls: number;
}

/** Goes a road in a repository of this name; what stands when nothing is under way any more. */
async function during(name: string, { happens, road = "new pull" }: Plot): Promise<Seen> {
  const repository = world.github.repository(name);
  const place: Place = { name, road };
  let from = 0;
  await play(world, place, () => {
    coming.set(name, async () => {
      from = world.github.requests.length;
      await happens(repository, { world, refused });
    });
  });
  expect(coming.has(name), "the model was not asked").toBe(false);
  const rows = await sqlOn(
    world.place,
    `select id, state, reason from jobs where repo_id = ${repository.id} order by created_at, id`,
  );
  const job = rows.at(-1);
  const own = [...repository.comments.values()].filter(({ body }) => body.includes(":board:"));
  const workspaces = path.join(world.dataDir, "work", "workspaces");
  const left = () => readdirSync(workspaces).filter((each) => each.includes(String(job?.id)));
  for (let tries = 0; left().length > 0 && tries < 100; tries += 1) await sleep(200);
  expect(left(), "workspaces").toEqual([]);
  const requests = world.github.requests.slice(from).filter(({ path: asked, token }) => {
    const ids = world.github.state.tokens.get(token ?? "")?.repositoryIds ?? [];
    const { installationId } = repositories.get(repository.id) ?? {};
    const mints = asked.startsWith(`/app/installations/${installationId}/`);
    return ids.includes(repository.id) || mints || asked.startsWith(`/repos/acme/${name}/`);
  });
  expect(requests.length, "requests").toBeLessThan(MOST_REQUESTS);
  return {
    state: String(job?.state),
    reason: String(job?.reason),
    board: own.at(-1)?.body ?? "",
    boards: own.length,
    repository,
    pulls: repository.pulls.size,
  };
}

const givenUp = () =>
  world
    .log()
    .split("\n")
    .filter((line) => line.includes("a write to GitHub was given up"))
    .join("\n");

it("github-02 its installation is suspended: nothing is published, and the log says why", async () => {
  const seen = await played("suspended");
  expect(seen).toMatchObject({ state: "failed", pulls: 0, boards: 1 });
  expect(seen.reason).toContain("suspended");
  await expect.poll(givenUp).toContain("The App's installation on acme/suspended is suspended.");
});

it("github-03 the App is uninstalled: nothing is published, and the log says why", async () => {
  const seen = await played("uninstalled");
  expect(seen).toMatchObject({ state: "failed", pulls: 0, boards: 1 });
  expect(seen.reason).toContain("not installed");
  await expect.poll(givenUp).toContain("The App is not installed on acme/uninstalled (any more).");
});

it("github-04 the repository is archived: nothing is published, and the log says why", async () => {
  const seen = await played("archived");
  expect(seen).toMatchObject({ state: "failed", pulls: 0, boards: 1 });
  expect(seen.reason).toContain("archived");
  await expect.poll(givenUp).toMatch(/acme\/archived: the repository is archived/);
});

it("github-05 the repository is deleted: nothing is published, and the log says why", async () => {
  const seen = await played("deleted");
  expect(seen).toMatchObject({ state: "failed", pulls: 0 });
  expect(seen.reason).toContain("GitHub does not find it");
  await expect.poll(givenUp).toContain("acme/deleted");
});

it("github-06 the repository is handed over to another owner who has the App: the work goes on there", async () => {
  const seen = await played("moved");
  expect(seen).toMatchObject({ state: "done", pulls: 1, boards: 1 });
  expect(seen.board).toContain("✅ done");
});

it("github-07 the repository is handed over to an owner without the App: nothing goes there, and the log says why", async () => {
  const seen = await played("lost");
  expect(seen).toMatchObject({ state: "failed", pulls: 0, boards: 1 });
  expect(seen.reason).toContain("GitHub does not find it");
  await expect.poll(givenUp).toContain("acme/lost");
});

it("github-08 its base branch is force-pushed: the pull request opens, or it is told why not", async () => {
  const seen = await played("rewound");
  expect(seen.board).toMatch(/✅ done|❌ failed/);
  expect(seen.pulls).toBe(seen.state === "done" ? 1 : 0);
});

it("github-09 its base branch is deleted: it is told, with the branch on which the change stands", async () => {
  const seen = await played("unbased");
  expect(seen).toMatchObject({ state: "failed", pulls: 0, boards: 1 });
  expect(seen.board).toMatch(/base branch main does not exist/);
  expect(seen.board).toContain("stands on the branch codex/");
});

it("github-10 its issue is locked: the pull request opens all the same, and the board is not tried at each step", async () => {
  const seen = await played("locked");
  expect(seen).toMatchObject({ state: "done", pulls: 1, boards: 1 });
  await expect.poll(givenUp).toMatch(/acme\/locked: the conversation is locked/);
});

it("github-11 a person deletes its board: it is written once more, and told to its end", async () => {
  const seen = await played("bare-board");
  expect(seen).toMatchObject({ state: "done", pulls: 1, boards: 1 });
  expect(seen.board).toContain("✅ done");
});

it("github-12 the pull request it adds to is closed: nothing is added, and it is told", async () => {
  const seen = await played("closed");
  expect(seen.board).toMatch(/(❌ failed|🚫 cancelled).*closed/);
  expect(await commitsOn(seen.repository)).toBe(1);
});

it("github-13 the branch it adds to is deleted: it is not made again, and it is told", async () => {
  const seen = await played("unbranched");
  expect(seen.board).toMatch(/❌ failed.*(deleted|not find|does not exist)/);
  expect(await commitsOn(seen.repository)).toBe(0);
});

it("the doctor says that somebody could not be told, and why", async () => {
  await Promise.allSettled(playings.values());
  const looked = "file" in world.place ? examineSqlite(world.place.file) : null;
  const findings = storeFindings(looked, { engine: "SQLite", name: "db" }, NEWEST_SCHEMA);
  expect(findings.find(({ about }) => about === "told")).toMatchObject({
    level: "warn",
    said: expect.stringMatching(/^6 texts were refused by GitHub until given up/),
  });
});

/** Commits on branches of ours. */
async function commitsOn({ path: bare }: Repository): Promise<number> {
  const all = await git(bare, ["rev-list", "--count", "--glob=refs/heads/codex/*", "^main"]);
  return Number(all);
}
