// Whether caps hold: jobs with 16 calls in flight in four processes, which are killed at random moments, against
// a model server with its own books. `node bench/budget.ts [jobs] [sqlite|postgres]`; prints what was spent
// under each cap by both books.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openStore, type StorePlace } from "../src/adapters/store/store.ts";
import type { Caps, LedgerRow } from "../src/core/ledger.ts";
import { worstCase } from "../src/core/price.ts";
import { silentLog } from "../test/support/log.ts";
import { argumentOf } from "../test/support/place.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { aCommand, aDelivery, admitAll, aJob } from "../test/support/store-rows.ts";
import { type Bill, PRICE, startBillingServer } from "./budget/model.ts";

const CALLER = fileURLToPath(new URL("./budget/caller.ts", import.meta.url));
const jobs = Number(process.argv[2] ?? 1_000);
const engine = process.argv[3] ?? "sqlite";
const PROCESSES = 4;
const PER_COMMAND = 4;
const [REPOSITORIES, PERSONS, INSTALLATIONS] = [20, 5, 2];

/** In micro-dollars, for `jobs` jobs of about $0.05: narrow enough that each cap is met by some. */
const share = (dollars: number) => Math.round((dollars * 1_000_000 * jobs) / 1_000);
const caps: Caps = {
  call: 150_000,
  job: 80_000,
  command: 220_000,
  personDay: share(2.6),
  repositoryDay: share(0.95),
  repositoryMonth: null,
  installationMonth: share(6.4),
  operatorMonth: share(12.5),
};

async function bench(place: StorePlace): Promise<void> {
  const model = await startBillingServer();
  const store = await openStore(place);
  for (let number = 0; number < jobs / PER_COMMAND; number++) {
    const id = 1_000 + (number % REPOSITORIES);
    const installationId = 7 + (id % INSTALLATIONS);
    const repo = { installationId, id, owner: "acme", name: `shop-${id}` };
    const command = aCommand(`command-${number}`, { repo, way: { kind: "comment", id: number } });
    const issue = 1 + (number % PERSONS);
    const row = (nth: number) =>
      aJob(`job-${number}-${nth}`, command, { number: nth + 1, key: `${number}/${nth}`, issue });
    await store.accept({
      delivery: aDelivery(`delivery-${number}`),
      command,
      jobs: Array.from({ length: PER_COMMAND }, (_, nth) => row(nth)),
      acts: [],
      admit: admitAll,
    });
  }
  const begun = performance.now();
  const { kills, refusals } = await runAll(
    place,
    model.url,
    async () => (await store.unfinished()).length,
  );
  const rows: LedgerRow[] = [];
  const all = { from: 0, until: Number.MAX_SAFE_INTEGER, repoId: null };
  for (let last: LedgerRow | null = null; ; ) {
    const page: LedgerRow[] = await store.ledgerPage(all, last, 1_000);
    rows.push(...page);
    last = page.at(-1) ?? null;
    if (page.length < 1_000) break;
  }
  await store.close();
  await model.close();
  console.log(
    `${jobs} jobs, ${PROCESSES} processes of 4 slots, ${kills} killed, ` +
      `${((performance.now() - begun) / 1000).toFixed(0)} s, ${model.bills.length} calls billed`,
  );
  compare(rows, model.bills);
  underUse(refusals);
}

/** What was left under the cap that refused a call, beside what the call needed. */
function underUse(refusals: Refusal[]): void {
  for (const [cap, group] of Map.groupBy(refusals, ({ cap }) => cap)) {
    const most = group.reduce((a, b) => (b.left > a.left ? b : a));
    console.log(
      `refused by ${cap}: ${group.length} calls; the most that was left is ${most.left} µ$, where one call needed ${most.needed}`,
    );
    if (group.some(({ left, needed }) => left >= needed)) process.exitCode = 1;
  }
}

interface Refusal {
  cap: keyof Caps;
  left: number;
  needed: number;
}

/** Lets processes work until all jobs ended, and kills one of them now and then; how many, and what was refused. */
async function runAll(
  place: StorePlace,
  url: string,
  unfinished: () => Promise<number>,
): Promise<{ kills: number; refusals: Refusal[] }> {
  let number = 0;
  let kills = 0;
  const refusals: Refusal[] = [];
  const start = (): ChildProcess => {
    const words = [CALLER, argumentOf(place), `w${number++}`, url, JSON.stringify(caps)];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    let line = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (line + text).split("\n");
      line = lines.pop() ?? "";
      refusals.push(...lines.map((each): Refusal => JSON.parse(each)));
    });
    return child;
  };
  const children = Array.from({ length: PROCESSES }, start);
  while ((await unfinished()) > 0) {
    await sleep(500 + Math.random() * 2_500);
    const at = Math.floor(Math.random() * PROCESSES);
    const child = children[at];
    if (!child) continue;
    if (child.exitCode === null) {
      kills += 1;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    children[at] = start();
  }
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(
    children.map((child) =>
      child.exitCode === null && child.signalCode === null ? once(child, "exit") : null,
    ),
  );
  return { kills, refusals };
}

/** The books of the ledger beside those of the server. */
function compare(rows: LedgerRow[], bills: Bill[]): void {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const billed = new Map<string, number>();
  for (const { callId, microDollars } of bills) {
    if (!byId.has(callId))
      throw new Error(`the server billed ${callId}, which is not in the ledger`);
    billed.set(callId, microDollars);
  }
  const answered = rows.filter(({ state }) => state === "answered");
  const lost = rows.filter(({ state }) => state === "reserved" || state === "unknown");
  const sum = (some: LedgerRow[], of: (row: LedgerRow) => number) =>
    some.reduce((total, row) => total + of(row), 0);
  const ledger = (row: LedgerRow) => row.microDollars;
  const server = (row: LedgerRow) => billed.get(row.id) ?? 0;
  console.log(
    `answered: ${answered.length} calls, ledger ${sum(answered, ledger)} µ$, server ${sum(answered, server)} µ$, difference ${sum(answered, ledger) - sum(answered, server)}`,
  );
  console.log(
    `cut off: ${lost.length} calls, ledger ${sum(lost, ledger)} µ$, server ${sum(lost, server)} µ$`,
  );
  const least = worstCase(PRICE, 12_000, 2_000);
  const scopes: [keyof Caps, (row: LedgerRow) => string | number][] = [
    ["call", (row) => row.id],
    ["job", (row) => row.jobId],
    ["command", (row) => row.commandId],
    ["personDay", (row) => row.actorId],
    ["repositoryDay", (row) => row.repoId],
    ["installationMonth", (row) => row.installationId],
    ["operatorMonth", () => "all"],
  ];
  let overshoot = 0;
  for (const [cap, scope] of scopes) {
    const limit = caps[cap] ?? Number.POSITIVE_INFINITY;
    const groups = [...Map.groupBy(rows, scope).values()];
    const spent = groups.map((group) => sum(group, server));
    const counted = groups.map((group) => sum(group, ledger));
    const over = Math.max(
      0,
      ...spent.map((each) => each - limit),
      ...counted.map((each) => each - limit),
    );
    overshoot = Math.max(overshoot, over);
    const met = counted.filter((each) => limit - each < least).length;
    console.log(
      `${cap.padEnd(18)} ${String(limit).padStart(9)} µ$  most spent by the server's books ${Math.max(...spent)}, by the ledger ${Math.max(...counted)}; overshoot ${over}; ${met} of ${groups.length} within one call of the cap`,
    );
  }
  console.log(`overshoot: ${overshoot} µ$`);
  if (overshoot > 0 || sum(answered, ledger) !== sum(answered, server)) process.exitCode = 1;
}

const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-bench-"));
const server = engine === "postgres" ? await startPostgres() : null;
try {
  await bench(
    server
      ? { url: await server.database(), log: silentLog }
      : { file: path.join(dir, "draftsmith.db") },
  );
} finally {
  await server?.stop();
  rmSync(dir, { recursive: true, force: true });
}
