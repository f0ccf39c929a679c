import { type Kysely, type Selectable, sql } from "kysely";
import type { Act } from "../../core/act.ts";
import { type Buckets, pace, slowed, type Wish } from "../../core/pace.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

/** The columns of `paces` that hold a time. */
export const BUCKETS = ["writes", "minute", "hour"] as const;

/** The migration that lets all processes share what GitHub takes of an installation. */
export async function pacesWrites({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable("paces")
    .addColumn("installation_id", "bigint", (column) => column.primaryKey())
    .addColumn("writes", "bigint", (column) => column.notNull())
    .addColumn("minute", "bigint", (column) => column.notNull())
    .addColumn("hour", "bigint", (column) => column.notNull())
    .execute();
}

/** A row that a transaction just took from the outbox. */
type Taken = Selectable<Tables["outbox"]>;

/**
 * How long rows that this transaction took have to wait, by their ids, in ms; those are free again, and due
 * by then. Without `always` only installations are paced that GitHub told to slow down.
 */
export async function putOff(
  transaction: Kysely<Tables>,
  database: Database,
  rows: Taken[],
  always: boolean,
): Promise<Map<number, number>> {
  const waits = new Map<number, number>();
  const asked = rows.flatMap((row) => {
    const act = fromJson<Act>(row.act, `outbox row ${row.id}, act`);
    const wish = wishOf(row, act);
    return wish === null ? [] : { row, installation: act.repo.installationId, wish };
  });
  const byInstallation = Map.groupBy(asked, ({ installation }) => installation);
  // All in one order, so that two who take at once do not wait for each other.
  for (const [installation, group] of [...byInstallation].toSorted(([a], [b]) => a - b)) {
    const found = await bucketsOf(transaction, database, installation, always);
    if (found === null) continue;
    const line = group.toSorted((a, b) => a.wish.leaves - b.wish.leaves || a.row.id - b.row.id);
    const wishes = line.map(({ wish }) => wish);
    const paced = pace(found.buckets, wishes, found.at);
    await setBuckets(transaction, installation, paced.buckets);
    for (const [place, { row }] of line.entries()) {
      const ms = paced.waits[place] ?? 0;
      if (ms === 0) continue;
      waits.set(row.id, ms);
      await transaction
        .updateTable("outbox")
        .set({ lease_owner: null, lease_until: null, next_at: found.at + ms })
        .where("id", "=", row.id)
        .execute();
    }
  }
  return waits;
}

/** Paces an installation from now on, with little left after a limit that lasts `ms` more. */
export async function slowDown(
  transaction: Kysely<Tables>,
  database: Database,
  installation: number,
  ms: number,
): Promise<void> {
  const found = await bucketsOf(transaction, database, installation, true);
  if (found === null) return;
  await setBuckets(transaction, installation, slowed(found.buckets, found.at + Math.ceil(ms)));
}

/** The buckets of an installation, which nobody else changes from here on; null when it is not paced. */
async function bucketsOf(
  transaction: Kysely<Tables>,
  { now }: Database,
  installation_id: number,
  always: boolean,
): Promise<{ buckets: Buckets; at: number } | null> {
  if (always) {
    await transaction
      .insertInto("paces")
      .values({ installation_id, writes: 0, minute: 0, hour: 0 })
      // Written as it stands: nobody takes it away meanwhile.
      .onConflict((conflict) =>
        conflict.column("installation_id").doUpdateSet((eb) => ({ hour: eb.ref("paces.hour") })),
      )
      .execute();
  }
  const row = await transaction
    .updateTable("paces")
    .set((eb) => ({ hour: eb.ref("hour") }))
    .where("installation_id", "=", installation_id)
    .returning([...BUCKETS, sql<number>`${now}`.as("at")])
    .executeTakeFirst();
  if (!row) return null;
  const { at, ...buckets } = row;
  return { buckets, at };
}

async function setBuckets(
  transaction: Kysely<Tables>,
  installation: number,
  buckets: Buckets,
): Promise<void> {
  await transaction
    .updateTable("paces")
    .set(buckets)
    .where("installation_id", "=", installation)
    .execute();
}

/**
 * What GitHub counts an act as; words that somebody waits for come first, and what is edited again last.
 * Null for what goes by git: of that nothing is documented but the answer that it was too much.
 */
function wishOf(row: Taken, act: Act): Wish | null {
  switch (act.kind) {
    case "push":
    case "delete_ref":
      return null;
    case "comment": {
      const stands = row.result !== null;
      return { creates: !stands, leaves: stands && row.spacing_ms > 0 ? 10 : 0 };
    }
    case "pull":
      return { creates: true, leaves: 2 };
    case "reaction":
    case "check_run":
      return { creates: true, leaves: 5 };
    case "pull_body":
      return { creates: false, leaves: 5 };
    default:
      return { creates: false, leaves: 2 };
  }
}
