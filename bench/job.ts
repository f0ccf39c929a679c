// What one job costs a server: rows and bytes in the database, requests to GitHub, disk, CPU time; on SQLite and on
// PostgreSQL, one after another. A job of twelve steps whose commands print 4 KB each. `node bench/job.ts [jobs]`
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { StorePlace } from "../src/adapters/store/store.ts";
import { silentLog } from "../test/support/log.ts";
import { sqlOn } from "../test/support/open-test-store.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { plays, type World, withWorld } from "../test/support/world.ts";

const jobs = Number(process.argv[2] ?? 5);
const STEPS = 12;
/** Of /proc/PID/stat. */
const TICKS_PER_S = 100;

const calls = Array.from({ length: STEPS - 1 }, (_, step) =>
  step % 3 === 0
    ? {
        name: "write",
        arguments: { path: `src/part-${step}.js`, content: "// a line\n".repeat(40) },
      }
    : {
        name: "shell",
        arguments: { command: `yes 'a line of a log' | head -c 4000; echo ${step}` },
      },
);
const model = plays({ "task ": { calls, report: "Write parts\n\nAs asked." } });

/** What is counted at one moment. */
interface Count {
  rows: Map<string, number>;
  bytes: number;
  requests: number;
  disk: number;
  cpu: number;
  commands: number;
}

/** What stays of a job on the disk beside the rows; its workspace goes with it. */
function mirrorBytes({ dataDir }: World): number {
  const words = ["-sk", "--exclude=trash", "--exclude=workspaces", `${dataDir}/work`];
  // It may go while it is counted.
  const { stdout } = spawnSync("du", words, { encoding: "utf8" });
  return Number.parseInt(stdout, 10) * 1024;
}

async function count(world: World, place: StorePlace): Promise<Count> {
  const tables = ["deliveries", "intakes", "commands", "jobs", "events", "outbox"];
  const rows = new Map<string, number>();
  for (const table of tables) {
    const [row] = await sqlOn(place, `select count(*) as rows from ${table}`);
    rows.set(table, Number(row?.rows));
  }
  const size =
    "file" in place
      ? "select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()"
      : "select pg_database_size(current_database()) as bytes";
  const [stored] = await sqlOn(place, size);
  const stat = readFileSync(`/proc/${world.child().pid}/stat`, "utf8").split(") ")[1]?.split(" ");
  const seconds = (at: number) => Number(stat?.[at]) / TICKS_PER_S;
  return {
    rows,
    bytes: Number(stored?.bytes),
    requests: world.github.requests.length,
    disk: mirrorBytes(world),
    // utime and stime; those of children that ended are the jobs' commands and git.
    cpu: seconds(11) + seconds(12),
    commands: seconds(13) + seconds(14),
  };
}

async function measure(name: string, url: string | null): Promise<void> {
  const options = {
    model,
    config: "checks: ['true']\n",
    ...(url ? { env: { DATABASE_URL: url } } : {}),
  };
  await withWorld(options, async (world) => {
    const place = url === null ? world.place : { url, log: silentLog };
    await world.say("/codex task warm-up");
    await world.ended(1, 1);
    const before = await count(world, place);
    for (let job = 0; job < jobs; job += 1) {
      await world.say(`/codex task number ${job}`);
      await world.ended(1, 2 + job);
    }
    const after = await count(world, place);
    const each = (key: Exclude<keyof Count, "rows">) => (after[key] - before[key]) / jobs;
    const rows = [...after.rows].map(
      ([table, now]) => `${((now - (before.rows.get(table) ?? 0)) / jobs).toFixed(1)} ${table}`,
    );
    console.log(
      `${name}, one job of ${STEPS} steps: ${(each("bytes") / 1024).toFixed(0)} KB in the database (${rows.join(", ")}), ` +
        `${each("requests").toFixed(1)} requests to GitHub, ${(each("disk") / 1024).toFixed(0)} KB of mirror, ` +
        `${each("cpu").toFixed(2)} s CPU of the server, ${each("commands").toFixed(2)} s of git and commands`,
    );
  });
}

await measure("SQLite", null);
const server = await startPostgres();
try {
  await measure("PostgreSQL", await server.database());
} finally {
  await server.stop();
}
