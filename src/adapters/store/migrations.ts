import type { ColumnDefinitionBuilder, Kysely } from "kysely";
import { UserError } from "../../core/errors.ts";
import { type Command, PRIORITY, type RepoRef } from "../../core/job.ts";
import { keepContinuations } from "./continuations.ts";
import { countCrashes } from "./count-crashes.ts";
import { keepLedger } from "./keep-ledger.ts";
import { keepThreads } from "./keep-threads.ts";
import { oweDeliveries } from "./owe-deliveries.ts";
import { pacesWrites } from "./paces.ts";
import { rememberSkills } from "./remember-skills.ts";
import { keepStops } from "./said-stops.ts";
import { type Database, fromJson, type Tables } from "./schema.ts";

/** Works in the transaction that brings the schema up to date. */
type Migration = (transaction: Kysely<Tables>, database: Database) => Promise<void>;

/** Number N is at index N - 1. A released one is never edited: a change is a new one at the end. */
const MIGRATIONS: Migration[] = [
  createTables,
  addAllowance,
  createIntakes,
  addSources,
  shareJobs,
  oweDeliveries,
  countCrashes,
  pacesWrites,
  findEndings,
  keepStops,
  findOldTexts,
  keepLedger,
  rememberSkills,
  keepContinuations,
  keepThreads,
];

/** Which schema this program has. */
export const NEWEST_SCHEMA = MIGRATIONS.length;

/** Brings the schema up to date, or up to a number, in one transaction; of a newer program it is a UserError. */
export async function migrate(database: Database, upTo = NEWEST_SCHEMA): Promise<void> {
  await database.tables.transaction().execute(async (transaction) => {
    await database.alone(transaction, "schema");
    const tables = transaction.withTables<{ migrations: { number: number; applied_at: number } }>();
    await tables.schema
      .createTable("migrations")
      .ifNotExists()
      .addColumn("number", "integer", (column) => column.primaryKey())
      .addColumn("applied_at", "bigint", (column) => column.notNull())
      .execute();
    const { last } = await tables
      .selectFrom("migrations")
      .select((eb) => eb.fn.max("number").as("last"))
      .executeTakeFirstOrThrow();
    const applied = last ?? 0;
    if (applied > MIGRATIONS.length) {
      throw new UserError(
        "it was written by a newer Draftsmith " +
          `(schema ${applied}; this one knows ${MIGRATIONS.length}): start that version`,
      );
    }
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < applied || index >= upTo) continue;
      await migration(transaction, database);
      await tables
        .insertInto("migrations")
        .values({ number: index + 1, applied_at: database.now })
        .execute();
    }
  });
}

async function createTables({ schema }: Kysely<Tables>, database: Database): Promise<void> {
  await schema
    .createTable("deliveries")
    .addColumn("guid", "text", (column) => column.primaryKey())
    .addColumn("event", "text", (column) => column.notNull())
    .addColumn("action", "text")
    .addColumn("received_at", "bigint", (column) => column.notNull())
    .execute();

  await schema
    .createTable("commands")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("key", "text", (column) => column.notNull().unique())
    .addColumn("detail", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();

  await schema
    .createTable("jobs")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("key", "text", (column) => column.notNull().unique())
    .addColumn("command_id", "text", (column) => column.notNull().references("commands.id"))
    .addColumn("number", "integer", (column) => column.notNull())
    .addColumn("repo_id", "bigint", (column) => column.notNull())
    .addColumn("target_kind", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("fence", "integer", (column) => column.notNull())
    .addColumn("lease_owner", "text")
    .addColumn("lease_until", "bigint")
    .addColumn("spec", "text", (column) => column.notNull())
    .addColumn("spend", "text", (column) => column.notNull())
    .addColumn("plan", "text", (column) => column.notNull())
    .addColumn("last_action", "text", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("change", "text")
    .addColumn("publication", "text")
    .addColumn("pull", "bigint")
    .addColumn("conflicts", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("started_at", "bigint")
    .addColumn("ended_at", "bigint")
    .execute();
  await schema
    .createIndex("jobs_of_command")
    .on("jobs")
    .columns(["command_id", "number"])
    .execute();
  await schema.createIndex("jobs_by_state").on("jobs").columns(["state", "created_at"]).execute();
  await schema.createIndex("jobs_by_pull").on("jobs").columns(["repo_id", "pull"]).execute();

  await schema
    .createTable("events")
    .addColumn("job_id", "text", (column) => column.notNull().references("jobs.id"))
    .addColumn("seq", "integer", (column) => column.notNull())
    .addColumn("fence", "integer", (column) => column.notNull())
    .addColumn("type", "text", (column) => column.notNull())
    .addColumn("payload", "text", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("events_key", ["job_id", "seq"])
    .execute();

  await schema
    .createTable("outbox")
    .addColumn("id", "integer", database.countingKey)
    .addColumn("key", "text", (column) => column.notNull().unique())
    .addColumn("lane", "text", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("act", "text", (column) => column.notNull())
    .addColumn("version", "integer", (column) => column.notNull())
    .addColumn("attempts", "integer", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("next_at", "bigint", (column) => column.notNull())
    .addColumn("last_error", "text")
    .addColumn("result", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("updated_at", "bigint", (column) => column.notNull())
    .execute();
  await schema
    .createIndex("outbox_by_lane")
    .on("outbox")
    .columns(["state", "lane", "id"])
    .execute();
}

/** The word of an admin that lets a held change out. */
async function addAllowance({ schema }: Kysely<Tables>): Promise<void> {
  await schema.alterTable("jobs").addColumn("allowance", "text").execute();
}

/** Comments by person, for quotas; those that became commands before count too. */
async function createIntakes(transaction: Kysely<Tables>): Promise<void> {
  const { schema } = transaction;
  await schema
    .createTable("intakes")
    .addColumn("key", "text", (column) => column.primaryKey())
    .addColumn("actor_id", "bigint")
    .addColumn("installation_id", "bigint", (column) => column.notNull())
    .addColumn("repo_id", "bigint", (column) => column.notNull())
    .addColumn("issue", "bigint", (column) => column.notNull())
    .addColumn("rule", "text")
    .addColumn("told", "integer", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .execute();
  await schema.createIndex("intakes_of_person").on("intakes").columns(["actor_id", "at"]).execute();
  const commands = await transaction
    .selectFrom("commands")
    .select(["id", "key", "detail", "created_at"])
    .execute();
  for (const row of commands) {
    const { actor, repo, issue } = fromJson<Command>(row.detail, `command ${row.id}`);
    await transaction
      .insertInto("intakes")
      .values({
        key: row.key,
        actor_id: actor.id,
        installation_id: repo.installationId,
        repo_id: repo.id,
        issue,
        rule: null,
        told: 0,
        at: row.created_at,
      })
      .execute();
  }
}

/** What the agent of a job was told. */
async function addSources({ schema }: Kysely<Tables>): Promise<void> {
  await schema.alterTable("jobs").addColumn("sources", "text").execute();
}

/** What several processes need to share jobs and writes. */
async function shareJobs(transaction: Kysely<Tables>): Promise<void> {
  const { schema } = transaction;
  const whole = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0);
  const addTo = (table: string) => schema.alterTable(table);
  await addTo("jobs").addColumn("installation_id", "bigint", whole).execute();
  await addTo("jobs").addColumn("priority", "integer", whole).execute();
  await addTo("jobs").addColumn("run_at", "bigint", whole).execute();
  await addTo("jobs").addColumn("attempts", "integer", whole).execute();
  await addTo("jobs").addColumn("stop", "text").execute();
  await addTo("outbox").addColumn("lease_owner", "text").execute();
  await addTo("outbox").addColumn("lease_until", "bigint").execute();
  await addTo("outbox").addColumn("told_at", "bigint").execute();
  await addTo("outbox").addColumn("spacing_ms", "bigint", whole).execute();
  await schema
    .createIndex("jobs_of_repository")
    .on("jobs")
    .columns(["repo_id", "lease_until"])
    .execute();
  await schema.createIndex("jobs_of_owner").on("jobs").column("lease_owner").execute();

  await schema
    .createTable("repositories")
    .addColumn("repo_id", "bigint", (column) => column.primaryKey())
    .addColumn("installation_id", "bigint", (column) => column.notNull())
    .addColumn("served_at", "bigint", whole)
    .execute();
  await schema
    .createIndex("repositories_of_installation")
    .on("repositories")
    .columns(["installation_id", "served_at"])
    .execute();
  await schema
    .createTable("leases")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("owner", "text", (column) => column.notNull())
    .addColumn("until", "bigint", (column) => column.notNull())
    .execute();
  await schema
    .createTable("cursors")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("value", "text", (column) => column.notNull())
    .execute();
  await schema
    .createTable("pauses")
    .addColumn("installation_id", "bigint", (column) => column.primaryKey())
    .addColumn("until", "bigint", (column) => column.notNull())
    .addColumn("why", "text", (column) => column.notNull())
    .execute();
  await schema
    .createTable("workers")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("slots", "integer", (column) => column.notNull())
    .addColumn("busy", "integer", (column) => column.notNull())
    .addColumn("seen_at", "bigint", (column) => column.notNull())
    .execute();
  await schema
    .createTable("mirrors")
    .addColumn("worker", "text", (column) => column.notNull())
    .addColumn("repo_id", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("mirrors_key", ["worker", "repo_id"])
    .execute();
  await schema
    .createTable("snapshots")
    .addColumn("job_id", "text", (column) => column.primaryKey().references("jobs.id"))
    .addColumn("fence", "integer", (column) => column.notNull())
    .addColumn("commit_id", "text", (column) => column.notNull())
    .addColumn("ref", "text")
    .addColumn("pack", "text")
    .execute();

  const jobs = await transaction.selectFrom("jobs").select(["id", "spec", "repo_id"]).execute();
  for (const row of jobs) {
    const { repo } = fromJson<{ repo: RepoRef }>(row.spec, `job ${row.id}, spec`);
    const installation_id = repo.installationId;
    await transaction
      .updateTable("jobs")
      .set({ installation_id, priority: PRIORITY.person })
      .where("id", "=", row.id)
      .execute();
    await transaction
      .insertInto("repositories")
      .values({ repo_id: row.repo_id, installation_id, served_at: 0 })
      .onConflict((conflict) => conflict.column("repo_id").doNothing())
      .execute();
  }
}

/** Lets the endings of the last minutes be found among all jobs: who tells them looks every few seconds. */
async function findEndings({ schema }: Kysely<Tables>): Promise<void> {
  await schema.createIndex("jobs_by_end").on("jobs").column("ended_at").execute();
}

/** Lets texts be found by their age and ending: the janitor looks every few minutes. */
async function findOldTexts({ schema }: Kysely<Tables>): Promise<void> {
  await schema.createIndex("outbox_by_age").on("outbox").columns(["state", "updated_at"]).execute();
}
