// What a reservation takes when the month has many calls, on SQLite and on PostgreSQL, side by side in one run.
// `node bench/ledger.ts [calls]`; all of them are of one installation, a tenth of one repository.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { openStore, type StorePlace } from "../src/adapters/store/store.ts";
import type { Caps } from "../src/core/ledger.ts";
import { aCall, answered, caps } from "../test/support/calls.ts";
import { silentLog } from "../test/support/log.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../test/support/store-rows.ts";

const calls = Number(process.argv[2] ?? 200_000);
const ROUNDS = 60;
const BIG = 1_000_000_000_000;

const CAPS: Record<string, Caps> = {
  "the defaults: job, command, repository's day": caps({
    job: BIG,
    command: BIG,
    repositoryDay: BIG,
  }),
  "and the person's day, the repository's month": caps({
    job: BIG,
    command: BIG,
    personDay: BIG,
    repositoryDay: BIG,
    repositoryMonth: BIG,
  }),
  "all, the operator's month included": caps({
    call: BIG,
    job: BIG,
    command: BIG,
    personDay: BIG,
    repositoryDay: BIG,
    repositoryMonth: BIG,
    installationMonth: BIG,
    operatorMonth: BIG,
  }),
};

/** Repeats the one call there is, over the hours since the month began. */
const filled = (series: string, month: number, until: number) => `
  insert into calls (id, job_id, fence, command_id, actor_id, repo_id, installation_id, skill, step, provider, model, rule,
    state, micro_dollars, reserved, max_output, input_tokens, cached_tokens, output_tokens, reported, reason, at)
  select 'old-' || i, job_id, fence, 'c' || (i % 2000), i % 50, case when i % 10 = 0 then repo_id else i % 40 end, installation_id,
    skill, step, provider, model, rule, 'answered', 1000 + i % 777, reserved, max_output, 900, 500, 40, 1, '',
    ${month} + (i * ${Math.max(1, Math.floor((until - month) / calls))}) from calls, ${series} where id = 'first'`;

async function fill(place: StorePlace): Promise<void> {
  const now = new Date();
  const month = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  if ("file" in place) {
    const database = new DatabaseSync(place.file);
    const series = `(with recursive n(i) as (select 1 union all select i + 1 from n where i < ${calls}) select i from n)`;
    database.exec(filled(series, month, now.getTime()));
    database.close();
    return;
  }
  const client = new pg.Client(place.url);
  await client.connect();
  await client.query(filled(`generate_series(1, ${calls}) i`, month, now.getTime()));
  await client.end();
}

async function measure(name: string, place: StorePlace): Promise<void> {
  const store = await openStore(place);
  const command = aCommand("c1");
  await acceptJobs(store, command, [aJob("j1", command), aJob("j2", command, { number: 2 })]);
  await claimNext(store);
  await claimNext(store);
  await store.reserve(aCall("first", "j2", { commandId: "c" }), caps());
  await fill(place);
  for (const [words, bound] of Object.entries(CAPS)) {
    const took: number[] = [];
    const settling: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const id = `${words}-${round}`;
      const before = performance.now();
      const got = await store.reserve(aCall(id, "j1"), bound);
      const between = performance.now();
      await store.settle(id, answered(800));
      if (got.status !== "reserved") throw new Error(`it was ${got.status}`);
      took.push(between - before);
      settling.push(performance.now() - between);
    }
    const at = (times: number[], share: number) =>
      (times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? 0).toFixed(1);
    console.log(
      `${name}, ${calls} calls, ${words}: reserve ${at(took, 0.5)} ms (median), ${at(took, 0.9)} ms (p90); settle ${at(settling, 0.5)} ms`,
    );
  }
  await store.close();
}

const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-bench-"));
const server = await startPostgres();
try {
  await measure("SQLite", { file: path.join(dir, "draftsmith.db") });
  await measure("PostgreSQL", { url: await server.database(), log: silentLog });
} finally {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}
