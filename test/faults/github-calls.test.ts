import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { openWorld, type World } from "../support/world.ts";
import { ANSWERS } from "./github-answers.ts";
import {
  belongs,
  callOf,
  OPTIONS,
  outcome,
  type Place,
  play,
  ROADS,
  type Road,
} from "./github-roads.ts";
import { nightly } from "./size.ts";

/**
 * Every GitHub call of a whole job, one at a time, answered by everything that GitHub may answer. The
 * calls are those a clean run makes; each pair of call and answer has a repository, and an installation,
 * of its own, and many run side by side. DRAFTSMITH_TEST_PAIRS, a regular expression over the lines that
 * are printed, plays some of them again.
 */

const ONLY = process.env.DRAFTSMITH_TEST_PAIRS;
/** How many pairs run in CI; at night all of them, so many in one world. */
const IN_CI = 16;
const IN_ONE_WORLD = 48;
const SIDE_BY_SIDE = 8;
/** What mostly waits. */
const SLOW_SIDE_BY_SIDE = 24;
const HOUR_MS = 60 * 60_000;

/** One call of a road and what is answered to it. */
interface Pair {
  road: Road;
  call: string;
  answer: string;
}

interface Cell extends Place, Pair {
  /** Whether what goes before is over, how often the call was made since, and whether it met the fault. */
  armed: boolean;
  times: number;
  met: boolean;
  /** Requests about its repository since it was armed. */
  requests: number;
}

/** A world with one repository for each of these places. */
async function openRoads(
  places: Place[],
  width: number,
  fault: (world: World, request: RecordedRequest) => ReturnType<typeof faultOf>,
) {
  const opened: { world: World | null } = { world: null };
  const built = await openWorld({
    ...OPTIONS,
    env: { ...OPTIONS.env, DRAFTSMITH_CONCURRENCY: String(width) },
    repositories: Object.fromEntries(
      places.map(({ name }, at) => [name, { ...OPTIONS, installationId: 1000 + at }]),
    ),
    fault: (request) => (opened.world === null ? undefined : fault(opened.world, request)),
  });
  opened.world = built.world;
  return built;
}

/** The calls of each road, in order. */
const recorded = new Map<Road, string[]>();

beforeAll(async () => {
  const places = ROADS.map((road, at) => ({ road, name: `clean-${at}` }));
  const calls = new Map<string, string[]>(places.map(({ name }) => [name, []]));
  const { world, end } = await openRoads(places, places.length, (world, request) => {
    calls.get(belongs(world, request) ?? "")?.push(callOf(request));
    return undefined;
  });
  try {
    await Promise.all(
      places.map(async (place) => {
        const own = calls.get(place.name) ?? [];
        await play(world, place, () => own.splice(0));
        expect(await outcome(world, place), place.road).toBe("done");
        recorded.set(place.road, [...own]);
      }),
    );
  } finally {
    await end();
  }
}, HOUR_MS);

/** The first two of each call, by which of them. */
function numbered(calls: string[]): string[] {
  const seen = new Map<string, number>();
  return calls.flatMap((call) => {
    const times = (seen.get(call) ?? 0) + 1;
    seen.set(call, times);
    return times <= 2 ? [`${call} #${times}`] : [];
  });
}

const nameOf = ({ road, call, answer }: Pair) => `${road}: ${call} → ${answer}`;

/** The pairs of this run, the same ones each time: a share in CI, all at night. */
function chosen(): Pair[] {
  const all = ROADS.flatMap((road) =>
    numbered(recorded.get(road) ?? []).flatMap((call) =>
      Object.keys(ANSWERS).map((answer) => ({ road, call, answer })),
    ),
  );
  if (ONLY !== undefined) return all.filter((pair) => new RegExp(ONLY).test(nameOf(pair)));
  if (nightly) return all;
  const rank = (pair: Pair) => createHash("sha256").update(nameOf(pair)).digest("hex");
  const quick = all.filter(({ answer }) => !ANSWERS[answer]?.slow);
  return quick.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, IN_CI);
}

function faultOf(cell: Cell | undefined, request: RecordedRequest) {
  if (!cell?.armed) return undefined;
  cell.requests += 1;
  const [, call, which] = /^(.*) #(\d)$/s.exec(cell.call) ?? [];
  if (cell.met || callOf(request) !== call) return undefined;
  cell.times += 1;
  if (cell.times < Number(which)) return undefined;
  cell.met = true;
  const fault = ANSWERS[cell.answer]?.make();
  return fault && isGit(cell) ? toGit(fault) : fault;
}

const isGit = ({ call }: Pair) => call.includes(".git/");

/** The same, said to git: it shows what is plain text, and nothing else. */
function toGit({ when, answer }: Fault): Fault {
  if (typeof answer === "string") return { when, answer };
  const message = String(Reflect.get(Object(answer.body), "message"));
  const headers = { ...answer.headers, "content-type": "text/plain" };
  return { when, answer: { ...answer, headers, body: Buffer.from(`${message}\n`) } };
}

/** Plays one pair; how it ended. Throws when it ended wrongly. */
async function tryPair(world: World, cell: Cell): Promise<string> {
  await play(world, cell, () => {
    cell.armed = true;
  });
  const mayNotCheck = cell.call.includes("/check-runs") && cell.answer === "403 lacks permission";
  const how = await outcome(world, cell, mayNotCheck && cell.met ? 1 : 0);
  const usual = recorded.get(cell.road)?.length ?? 0;
  expect(cell.requests, "requests").toBeLessThan(3 * usual);
  const asksAgain = /try again/.test(how);
  // A limit that no header names looks to git like any other refusal.
  const told = isGit(cell) && cell.answer === "403 secondary limit";
  if (ANSWERS[cell.answer]?.passes && !asksAgain && !told) expect(how).toBe("done");
  return cell.met ? how : `${how} (the call was not made)`;
}

/** Plays pairs in a world of their own; what went wrong. */
async function tryAll(pairs: Pair[], width: number): Promise<{ wrong: string[]; met: number }> {
  const cells: Cell[] = pairs.map((pair, at) => ({
    ...pair,
    ...{ name: `cell-${at}`, armed: false, times: 0, met: false, requests: 0 },
  }));
  const byName = new Map(cells.map((cell) => [cell.name, cell]));
  const { world, end } = await openRoads(cells, width, (world, request) =>
    faultOf(byName.get(belongs(world, request) ?? ""), request),
  );
  const wrong: string[] = [];
  try {
    await inTurn(cells, width, async (cell) => {
      try {
        const how = await tryPair(world, cell);
        if (nightly || ONLY) process.stdout.write(`ok   ${nameOf(cell)}: ${how}\n`);
      } catch (thrown) {
        const why = thrown instanceof Error ? thrown.message.split("\n").join(" ") : String(thrown);
        wrong.push(`${nameOf(cell)}: ${why.slice(0, 500)}`);
        process.stdout.write(`FAIL ${nameOf(cell)}: ${why.slice(0, 500)}\n`);
      }
    });
    const workspaces = path.join(world.dataDir, "work", "workspaces");
    await expect.poll(() => readdirSync(workspaces), { timeout: 30_000 }).toEqual([]);
    expect(world.log().match(/^.*internal error.*$/gm) ?? []).toEqual([]);
  } finally {
    await end();
  }
  return { wrong, met: cells.filter(({ met }) => met).length };
}

it("github-01 every GitHub call of a job, one at a time, is answered by 500, 502 after success, a timeout, a reset, 401, 403, 404, 422 or 429", {
  timeout: 3 * HOUR_MS,
}, async () => {
  const pairs = chosen();
  const isSlow = ({ answer }: Pair) => ANSWERS[answer]?.slow === true;
  const wrong: string[] = [];
  let met = 0;
  for (const slow of [true, false]) {
    const left = pairs.filter((pair) => isSlow(pair) === slow);
    while (left.length > 0) {
      const part = left.splice(0, IN_ONE_WORLD);
      const tried = await tryAll(part, slow ? SLOW_SIDE_BY_SIDE : SIDE_BY_SIDE);
      wrong.push(...tried.wrong);
      met += tried.met;
    }
  }
  if (nightly || ONLY) process.stdout.write(`${pairs.length} pairs, ${met} met their call\n`);
  expect(wrong).toEqual([]);
  // A call that is made now and then, such as one more edit of a board, may not come.
  if (ONLY === undefined) expect(met).toBeGreaterThan(0.8 * pairs.length);
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
