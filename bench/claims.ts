// What the store of rows carries: intakes and claims per second on SQLite and on PostgreSQL, side by side in
// one run, with bytes per job. `node bench/claims.ts [jobs] [processes]`; each process has eight slots.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { openStore, type StorePlace } from "../src/adapters/store/store.ts";
import { silentLog } from "../test/support/log.ts";
import { argumentOf } from "../test/support/place.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { aCommand, aComment, aDelivery, admitAll, aJob } from "../test/support/store-rows.ts";

const CLAIMER = fileURLToPath(new URL("../test/support/slot-claimer.ts", import.meta.url));
const [jobs, processes] = [Number(process.argv[2] ?? 2_000), Number(process.argv[3] ?? 2)];
const REPOSITORIES = 20;

/** Stores commands of one job each, eight at once; per second. */
async function takeIn(place: StorePlace): Promise<number> {
  const store = await openStore(place);
  const before = performance.now();
  let next = 0;
  async function one(): Promise<void> {
    for (; next < jobs; ) {
      next += 1;
      const number = next;
      const id = 1_000 + (number % REPOSITORIES);
      const repo = { installationId: 7, id, owner: "acme", name: `shop-${id}` };
      const command = aCommand(`command-${number}`, { repo, way: { kind: "comment", id: number } });
      await store.accept({
        delivery: aDelivery(`delivery-${number}`),
        command,
        jobs: [aJob(`job-${number}`, command)],
        acts: [aComment(`board-${number}`, "queued")],
        admit: admitAll,
      });
    }
  }
  await Promise.all(Array.from({ length: 8 }, one));
  const seconds = (performance.now() - before) / 1000;
  await store.close();
  return jobs / seconds;
}

/** Lets processes claim, begin and end all jobs; per second, and the memory of one process in MB. */
async function claimAll(place: StorePlace): Promise<{ perSecond: number; memoryMb: number }> {
  const claimers = Array.from({ length: processes }, (_, number) =>
    spawn(process.execPath, [CLAIMER, argumentOf(place), `w${number}`, "1000000"], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  const texts = claimers.map(() => "");
  for (const [index, { stdout }] of claimers.entries()) {
    stdout.setEncoding("utf8").on("data", (text: string) => {
      texts[index] += text;
    });
  }
  const closed = claimers.map((child) => once(child, "close"));
  await Promise.all(claimers.map(({ stdout }) => once(stdout, "data")));
  for (const { stdin } of claimers) stdin.write("go\n");
  await Promise.all(closed);
  const lines = texts.map((text) => text.trim().split("\n").at(-1) ?? "");
  const ends = lines.map((line): { claims: number; seconds: number; memoryMb: number } =>
    JSON.parse(line),
  );
  const seconds = Math.max(...ends.map((end) => end.seconds));
  const claims = ends.reduce((sum, end) => sum + end.claims, 0);
  if (claims !== jobs) throw new Error(`${claims} claims of ${jobs} jobs`);
  return { perSecond: claims / seconds, memoryMb: Math.max(...ends.map((end) => end.memoryMb)) };
}

const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-bench-"));
const server = await startPostgres(["-c", "fsync=on"]);
try {
  const url = await server.database();
  const file = path.join(dir, "draftsmith.db");
  const places: [string, StorePlace, () => Promise<number>][] = [
    ["SQLite", { file }, async () => statSync(file).size],
    ["PostgreSQL", { url, log: silentLog }, () => sizeOf(url)],
  ];
  console.log(`${jobs} jobs in ${REPOSITORIES} repositories, ${processes} processes of 8 slots`);
  const figures = [];
  for (const [name, place, size] of places) {
    await (await openStore(place)).close();
    const empty = await size();
    const intakes = await takeIn(place);
    const bytes = ((await size()) - empty) / jobs;
    const { perSecond, memoryMb } = await claimAll(place);
    figures.push({ name, intakes, perSecond, bytes, memoryMb });
    console.log(
      `${name.padEnd(10)}  ${intakes.toFixed(0)} intakes/s  ${perSecond.toFixed(0)} claims/s  ` +
        `${bytes.toFixed(0)} bytes per queued job  ${memoryMb.toFixed(0)} MB per process`,
    );
  }
  const [sqlite, postgres] = figures;
  if (sqlite && postgres) {
    console.log(
      `PostgreSQL/SQLite: intakes ${(postgres.intakes / sqlite.intakes).toFixed(2)}, ` +
        `claims ${(postgres.perSecond / sqlite.perSecond).toFixed(2)}`,
    );
  }
} finally {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}

async function sizeOf(url: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query("select pg_database_size(current_database()) as bytes");
  await client.end();
  return Number(rows[0]?.bytes);
}
