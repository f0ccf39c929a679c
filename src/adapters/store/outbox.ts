import { isDeepStrictEqual } from "node:util";
import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import { type Act, type ActKind, ASKED_ACTS, type OutboxRow } from "../../core/act.ts";
import type { KeyedAct, OutboxStore } from "../../core/ports.ts";
import { decodeCommand, jobsOf } from "./commands.ts";
import { commandsBefore, laterThan } from "./continuations.ts";
import { putOff } from "./paces.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

/** Rows that are taken in one transaction. */
const MOST_AT_ONCE = 500;

/** How long a text that was given up is not tried again, whatever it says by then. */
const REST_MS = 5 * 60_000;

/** The outbox rows of an open database. Only its clock counts: processes may disagree about the time. */
export function outboxStore(database: Database): OutboxStore {
  const { tables, now } = database;
  const later = (ms: number) => sql<number>`${now} + ${whole(ms)}`;
  return {
    put(keyed, spacingMs) {
      return tables
        .transaction()
        .execute((transaction) => putAct(transaction, database, keyed, spacingMs));
    },

    putTold(commandId, tell) {
      return tables.transaction().execute(async (transaction) => {
        const row = await transaction
          .updateTable("commands")
          // Written as it stands: others that tell of it wait until this is stored.
          .set((eb) => ({ detail: eb.ref("detail") }))
          .where("id", "=", commandId)
          .returning("detail")
          .executeTakeFirst();
        if (!row) return [];
        const jobs = await jobsOf(transaction, commandId);
        const command = decodeCommand(row.detail, commandId);
        const later = await laterThan(transaction, jobs);
        for (const { keyed, spacingMs } of tell({ command, jobs, later })) {
          await putAct(transaction, database, keyed, spacingMs);
        }
        return commandsBefore(transaction, jobs);
      });
    },

    putHeld(keyed, { jobId, fence }) {
      return tables.transaction().execute(async (transaction) => {
        const held = await transaction
          .updateTable("jobs")
          // Written as it stands: nobody claims the job before the act is stored.
          .set({ fence })
          .where("id", "=", jobId)
          .where("fence", "=", fence)
          .where("lease_owner", "is not", null)
          .returning("id")
          .executeTakeFirst();
        return held ? putAct(transaction, database, keyed, 0) : null;
      });
    },

    async get(key) {
      const row = await tables
        .selectFrom("outbox")
        .selectAll()
        .where("key", "=", key)
        .executeTakeFirst();
      return row ? decode(row) : null;
    },

    async take({ owner, leaseMs, asked, except, most = MOST_AT_ONCE, paced = false }) {
      // Most looks find nothing: they need not write.
      if ((await due(tables, asked, except).limit(1).execute()).length === 0) return [];
      return tables.transaction().execute(async (transaction) => {
        const rows = await transaction
          .updateTable("outbox")
          .set({ lease_owner: owner, lease_until: later(leaseMs) })
          .where("id", "in", due(transaction, asked, except).orderBy("row.id").limit(most))
          // Another process may have come first since the row was read.
          .where("state", "=", "pending")
          .where((eb) => eb.or([eb("lease_until", "is", null), eb("lease_until", "<=", now)]))
          .returningAll()
          .execute();
        const waits = await putOff(transaction, database, rows, paced);
        return rows
          .map((row) => ({ ...decode(row), putOffMs: waits.get(row.id) ?? 0 }))
          .toSorted((one, other) => one.id - other.id);
      });
    },

    async dueIn(asked, except) {
      const { wait } = await ready(tables, asked, except)
        .select((eb) => sql<number | null>`${eb.fn.min("row.next_at")} - ${now}`.as("wait"))
        .executeTakeFirstOrThrow();
      return wait === null ? null : Math.max(0, wait);
    },

    done(id, owner, version, result) {
      return tables.transaction().execute(async (transaction) => {
        const current = await transaction
          .updateTable("outbox")
          .set({
            result: JSON.stringify(result ?? null),
            updated_at: now,
            told_at: now,
            lease_owner: null,
            lease_until: null,
          })
          .where("id", "=", id)
          .where("lease_owner", "=", owner)
          .returning(["version", "spacing_ms"])
          .executeTakeFirst();
        if (!current) return false;
        const row = transaction.updateTable("outbox").where("id", "=", id);
        if (current.version === version) {
          await row.set({ state: "done", last_error: null }).execute();
          return true;
        }
        const next = later(current.spacing_ms);
        await row.set({ next_at: next }).where("next_at", "<", next).execute();
        return false;
      });
    },

    async retry(id, owner, delayMs, error, burn = true) {
      await tables.transaction().execute((transaction) =>
        transaction
          .updateTable("outbox")
          .set((eb) => ({
            attempts: eb("attempts", "+", burn ? 1 : 0),
            next_at: later(delayMs),
            last_error: error,
            updated_at: now,
            lease_owner: null,
            lease_until: null,
          }))
          .where("id", "=", id)
          .where("lease_owner", "=", owner)
          .where("state", "=", "pending")
          .execute(),
      );
    },

    async dead(id, owner, version, reason) {
      await tables.transaction().execute(async (transaction) => {
        const row = await transaction
          .updateTable("outbox")
          .set({ lease_owner: null, lease_until: null, updated_at: now })
          .where("id", "=", id)
          .where("lease_owner", "=", owner)
          .returning("version")
          .executeTakeFirst();
        if (row?.version !== version) return;
        await transaction
          .updateTable("outbox")
          .set({ state: "dead", last_error: reason })
          .where("id", "=", id)
          .where("state", "=", "pending")
          .execute();
      });
    },
  };

  /** The earliest pending row of each lane that nobody performs: the only one that may be. */
  function ready(reader: Kysely<Tables>, asked: string[], except: ActKind[]) {
    return reader
      .selectFrom("outbox as row")
      .where("row.state", "=", "pending")
      .where((eb) => eb.or([eb("row.lease_until", "is", null), eb("row.lease_until", "<=", now)]))
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("outbox as earlier")
              .select("earlier.id")
              .where("earlier.state", "=", "pending")
              .whereRef("earlier.lane", "=", "row.lane")
              .whereRef("earlier.id", "<", "row.id"),
          ),
        ),
      )
      .where((eb) =>
        eb.or([
          eb("row.kind", "not in", [...ASKED_ACTS, ...except]),
          ...(asked.length > 0 ? [eb("row.key", "in", asked)] : []),
        ]),
      );
  }

  function due(reader: Kysely<Tables>, asked: string[], except: ActKind[]) {
    return ready(reader, asked, except).select("row.id").where("row.next_at", "<=", now);
  }
}

/** Stores an act within a transaction, as OutboxStore.put says. */
export async function putAct(
  transaction: Kysely<Tables>,
  { now }: Database,
  { key, lane, act }: KeyedAct,
  spacingMs: number,
): Promise<OutboxRow> {
  const text = JSON.stringify(act);
  const spacing_ms = whole(spacingMs);
  // A known row is written as it stands: that returns it and keeps others off it meanwhile.
  const row = await transaction
    .insertInto("outbox")
    .values({
      key,
      lane,
      kind: act.kind,
      act: text,
      version: 1,
      attempts: 0,
      state: "pending",
      spacing_ms,
      next_at: now,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet((eb) => ({ key: eb.ref("excluded.key") })),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  const stored = decode(row);
  if (isDeepStrictEqual(stored.act, fromJson<Act>(text, "the act"))) return stored;
  // Another body does not make GitHub well again: what failed waits out its time.
  const failed = row.state === "pending" && row.attempts > 0;
  const spaced = row.told_at === null ? now : latest(now, sql`${row.told_at + spacing_ms}`);
  // Nor does it open what was refused: but for the last one, which must be tried, an edit changes it in place.
  const rests =
    row.state === "dead" && spacing_ms > 0
      ? sql<boolean>`${row.updated_at + REST_MS} > ${now}`
      : sql<boolean>`1 = 0`;
  const replaced = await transaction
    .updateTable("outbox")
    .set({
      lane,
      kind: act.kind,
      act: text,
      version: row.version + 1,
      attempts: failed ? row.attempts : 0,
      state: sql<OutboxRow["state"]>`case when ${rests} then 'dead' else 'pending' end`,
      spacing_ms,
      next_at: failed ? latest(spaced, sql`${row.next_at}`) : spaced,
      last_error: failed || row.state === "dead" ? row.last_error : null,
      updated_at: sql<number>`case when ${rests} then ${row.updated_at} else ${now} end`,
    })
    .where("id", "=", row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return decode(replaced);
}

function latest(one: RawBuilder<number>, other: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`case when ${one} > ${other} then ${one} else ${other} end`;
}

function decode(row: Selectable<Tables["outbox"]>): OutboxRow {
  const where = `outbox row ${row.id}`;
  const value = row.result === null ? null : fromJson<unknown>(row.result, `${where}, result`);
  return {
    id: row.id,
    key: row.key,
    lane: row.lane,
    act: fromJson<Act>(row.act, `${where}, act`),
    version: row.version,
    attempts: row.attempts,
    state: row.state,
    result: row.state === "dead" ? row.last_error : value,
  };
}

/** Waits are computed with fractions; a time is stored in whole ms and never earlier than asked. */
function whole(ms: number): number {
  return Math.ceil(ms);
}
