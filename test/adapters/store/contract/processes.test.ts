import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { openStore } from "../../../../src/adapters/store/store.ts";
import { newPlace, sqlOn } from "../../../support/open-test-store.ts";
import { argumentOf } from "../../../support/place.ts";
import { aCommand, acceptJobs, aJob } from "../../../support/store-rows.ts";

const CLAIMER = new URL("../../../support/store-claimer.ts", import.meta.url);
const WRITER = new URL("../../../support/store-writer.ts", import.meta.url);

test("two processes that claim the same jobs get each job once", { timeout: 60_000 }, async () => {
  const place = await newPlace();
  // Both open the new file at the same time: its making is shared too.
  const claimers = ["one", "two"].map((owner) => start(CLAIMER, argumentOf(place), owner));
  const outputs = claimers.map((claimer) => linesOf(claimer));
  await Promise.all(claimers.map((claimer) => once(claimer.stdout, "data")));
  const store = await openStore(place);
  const command = aCommand("c1");
  const ids = Array.from({ length: 200 }, (_, index) => `job-${index}`);
  await acceptJobs(
    store,
    command,
    ids.map((id, index) => aJob(id, command, { number: index + 1 })),
  );

  for (const claimer of claimers) claimer.stdin.write("go\n");
  const claimed = (await Promise.all(outputs)).map((lines) => lines.slice(1));

  expect(claimed.flat().toSorted()).toEqual(ids.toSorted());
  const fences = (await store.jobsOf("c1")).map((job) => job.fence);
  expect(new Set(fences)).toEqual(new Set([1]));
  await store.close();
});

test("a writer killed at any moment loses nothing it acknowledged", {
  timeout: 120_000,
}, async () => {
  const place = await newPlace();
  const acknowledged = new Set<string>();
  for (let round = 0; round < 10; round += 1) {
    const writer = start(WRITER, argumentOf(place), String(round * 100_000));
    const output = linesOf(writer);
    await once(writer.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    writer.kill("SIGKILL");
    for (const line of await output) acknowledged.add(line);
  }

  const store = await openStore(place);
  expect(acknowledged.size).toBeGreaterThanOrEqual(10);
  for (const number of acknowledged) {
    expect(await store.known(`delivery-${number}`, "")).toBe(true);
    const jobs = await store.jobsOf(`command-${number}`);
    expect(jobs.map((job) => job.id)).toEqual([`job-${number}-1`, `job-${number}-2`]);
    expect(await store.get(`board-${number}`)).not.toBeNull();
  }
  await store.close();
  if ("file" in place) {
    expect(await sqlOn(place, "pragma integrity_check")).toEqual([{ integrity_check: "ok" }]);
  }
  // Nothing half stored either: what has a command has its delivery, two jobs and an act.
  const [counts] = await sqlOn(
    place,
    `select (select count(*) from commands) commands, (select count(*) from deliveries) deliveries,
       (select count(*) from jobs) / 2.0 jobs, (select count(*) from outbox) acts`,
  );
  expect(new Set(Object.values(counts ?? {}).map(Number)).size).toBe(1);
});

function start(script: URL, ...args: string[]): ChildProcessByStdio<Writable, Readable, null> {
  const child = spawn(process.execPath, [fileURLToPath(script), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** The whole lines a process printed until it ended; a line it was killed in the middle of is none. */
async function linesOf(child: ChildProcessByStdio<Writable, Readable, null>): Promise<string[]> {
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  await once(child, "close");
  return text.split("\n").slice(0, -1);
}
