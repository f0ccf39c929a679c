import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import type { StorePlace } from "../../../../src/adapters/store/store.ts";
import type { Caps } from "../../../../src/core/ledger.ts";
import { aCall, caps } from "../../../support/calls.ts";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import { argumentOf } from "../../../support/place.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../../../support/store-rows.ts";

const SPENDER = fileURLToPath(new URL("../../../support/spender.ts", import.meta.url));
/** Of a call with as little output as is worth it, in micro-dollars. */
const LEAST = 2_000;
const LIMIT = 150_000;

type Spender = ChildProcessByStdio<Writable, Readable, null>;

/** Jobs of two commands, each claimed once. */
async function withJobs() {
  const place = await newPlace();
  const store = await storeOn(place);
  for (const id of ["c1", "c2"]) {
    const command = aCommand(id);
    await acceptJobs(store, command, [aJob(`job of ${id}`, command)]);
    await claimNext(store);
  }
  return { place, store };
}

async function start(
  place: StorePlace,
  [command, prefix]: [string, string],
  bound: Caps,
): Promise<{ child: Spender; output: Promise<string> }> {
  const words = [argumentOf(place), `job of ${command}`, command, prefix, JSON.stringify(bound)];
  const child = spawn(process.execPath, [SPENDER, ...words], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  const output = once(child, "close").then(() => text);
  await once(child.stdout, "data");
  return { child, output };
}

async function spentIn(place: StorePlace): Promise<number> {
  const [row] = await sqlOn(place, "select sum(micro_dollars) as spent from calls");
  return Number(row?.spent);
}

test("sixteen callers of two processes never pass a cap, and leave less of it than one call", {
  timeout: 60_000,
}, async () => {
  const { place } = await withJobs();
  // So much that neither has taken it all before the other begins.
  const limit = 6 * LIMIT;
  const bound = caps({ repositoryDay: limit, operatorMonth: 2 * limit });
  const both = await Promise.all([
    start(place, ["c1", "one"], bound),
    start(place, ["c2", "two"], bound),
  ]);
  for (const { child } of both) child.stdin.write("go\n");
  const told = await Promise.all(both.map(({ output }) => output));

  const spent = await spentIn(place);
  expect(spent).toBeLessThanOrEqual(limit);
  expect(spent).toBeGreaterThan(limit - LEAST);
  // No reservation was lost, and both took part.
  const counts = told.map((text) => JSON.parse(text.trim().split("\n").at(-1) ?? "").reserved);
  expect(Math.min(...counts)).toBeGreaterThan(0);
  const [rows] = await sqlOn(place, "select count(*) as calls from calls");
  expect(Number(rows?.calls)).toBe(counts[0] + counts[1]);
});

test("of five that ask at the same moment for the room of one, one gets it and the others wait", async () => {
  const { place, store } = await withJobs();
  const stores = [store, ...(await Promise.all([1, 2, 3, 4].map(() => storeOn(place))))];
  for (let round = 1; round <= 20; round += 1) {
    const bound = caps({ operatorMonth: round * LEAST });
    const got = await Promise.all(
      stores.map((each, at) => each.reserve(aCall(`k-${round}-${at}`, "job of c1"), bound)),
    );
    expect(got.map(({ status }) => status).toSorted()).toEqual([
      ...Array.from({ length: 4 }, () => "crowded"),
      "reserved",
    ]);
  }
  expect(await spentIn(place)).toBe(20 * LEAST);
});

test("what a killed process had reserved stays counted, and the cap holds for those who go on", {
  timeout: 60_000,
}, async () => {
  const { place, store } = await withJobs();
  const bound = caps({ repositoryDay: LIMIT });
  const dying = await start(place, ["c1", "dying"], bound);
  dying.child.stdin.write("go\n");
  await once(dying.child.stdout, "data");
  dying.child.kill("SIGKILL");
  const told = (await dying.output).split("\n").slice(1, -1);

  const left = await sqlOn(place, "select id, state, micro_dollars, reserved from calls");
  // Whatever it was told of is there; what it never settled counts in full.
  expect(left.map(({ id }) => id)).toEqual(expect.arrayContaining(told));
  const open = left.filter(({ state }) => state === "reserved");
  for (const row of open) expect(row.micro_dollars).toEqual(row.reserved);

  const next = await start(place, ["c2", "next"], bound);
  next.child.stdin.write("go\n");
  await next.output;
  const spent = await spentIn(place);
  expect(spent).toBeLessThanOrEqual(LIMIT);
  expect(spent).toBeGreaterThan(LIMIT - LEAST);
  expect(await store.reserve(aCall("last", "job of c1"), bound)).toMatchObject({
    status: "crowded",
    cap: "repositoryDay",
  });
  const after = await sqlOn(place, "select id from calls where state = 'reserved'");
  expect(after).toHaveLength(open.length);
});

test("a hundred calls at once in one process leave connections for everything else", async () => {
  const { store } = await withJobs();
  const many = Array.from({ length: 100 }, (_, at) =>
    store.reserve(aCall(`k${at}`, "job of c1"), caps({ job: LIMIT })),
  );
  // Answered while those wait in line.
  expect((await store.job("job of c2"))?.id).toBe("job of c2");
  const got = await Promise.all(many);
  const reserved = got.filter(({ status }) => status === "reserved");
  expect(reserved).toHaveLength(LIMIT / 5_000);
});
