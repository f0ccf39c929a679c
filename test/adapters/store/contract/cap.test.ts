import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { newPlace, sqlOn, storeOn } from "../../../support/open-test-store.ts";
import { argumentOf } from "../../../support/place.ts";
import { aCommand, acceptJobs, aJob } from "../../../support/store-rows.ts";

const CLAIMER = fileURLToPath(new URL("../../../support/slot-claimer.ts", import.meta.url));

const PROCESSES = 4;
const REPOSITORIES = 4;
/** Of each repository; a hundred at night. */
const JOBS = Number(process.env.DRAFTSMITH_TEST_RACE ?? 25);
const HOLD_MS = 15;

interface Stay {
  repo: number;
  from: number;
  to: number;
}

/** The most stays of one repository that overlap. */
function most(stays: Stay[], repo: number): number {
  const edges = stays
    .filter((stay) => stay.repo === repo)
    .flatMap(({ from, to }) => [
      { at: from, change: 1 },
      { at: to, change: -1 },
    ])
    // Who ends in the very millisecond in which another begins was before it.
    .toSorted((a, b) => a.at - b.at || a.change - b.change);
  let open = 0;
  let found = 0;
  for (const { change } of edges) {
    open += change;
    found = Math.max(found, open);
  }
  return found;
}

test.each([1, 3])(
  "four processes of eight slots never have more than %i jobs of a repository at a time",
  {
    timeout: 300_000,
  },
  async (cap) => {
    const place = await newPlace();
    if ("url" in place) {
      // A default that some set: what is looked at under a lock would be as it was before the lock.
      const database = new URL(place.url).pathname.slice(1);
      const level = "default_transaction_isolation = 'repeatable read'";
      await sqlOn(place, `alter database ${database} set ${level}`);
    }
    const store = await storeOn(place);
    for (let id = 1; id <= REPOSITORIES; id += 1) {
      const repo = { installationId: 7, id, owner: "acme", name: `shop-${id}` };
      const command = aCommand(`c${id}`, { repo });
      const jobs = Array.from({ length: JOBS }, (_, index) =>
        aJob(`job-${id}-${index}`, command, { number: index + 1 }),
      );
      await acceptJobs(store, command, jobs);
    }
    const claimers = Array.from({ length: PROCESSES }, (_, number) => {
      const words = [CLAIMER, argumentOf(place), `w${number}`, String(cap), String(HOLD_MS)];
      const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
      onTestFinished(() => void child.kill("SIGKILL"));
      return child;
    });
    await Promise.all(claimers.map(({ stdout }) => once(stdout, "data")));
    const ends = claimers.map((child) => once(child, "exit"));
    const counts = claimers.map(({ stdout }) => once(stdout, "data"));
    for (const { stdin } of claimers) stdin.write("go\n");
    await Promise.all(ends);

    const rows = await sqlOn(
      place,
      `select jobs.repo_id as repo, min(events.at) as begun, max(events.at) as ended, count(*) as events
     from jobs join events on events.job_id = jobs.id and events.fence = 1
     where jobs.state = 'failed' and jobs.fence = 1 group by jobs.id, jobs.repo_id`,
    );
    // Each was claimed once and ended once.
    expect(rows).toHaveLength(REPOSITORIES * JOBS);
    const stays = rows.map((row) => ({
      repo: Number(row.repo),
      from: Number(row.begun),
      to: Number(row.ended),
    }));
    for (let repo = 1; repo <= REPOSITORIES; repo += 1) {
      expect(most(stays, repo)).toBeLessThanOrEqual(cap);
    }
    // All four took part, or nothing was tried.
    const claims = (await Promise.all(counts)).map(([text]) => JSON.parse(String(text)).claims);
    expect(claims.filter((count) => count > 0)).toHaveLength(PROCESSES);
  },
);
