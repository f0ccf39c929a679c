import { type Kysely, sql } from "kysely";
import { isTerminal, JOB_STATES } from "../../core/job.ts";
import { createLock } from "../../core/lock.ts";
import type { Refusal, Usage } from "../../core/policy.ts";
import type { Admit, Delivery, Heard, IntakeStore, KeyedAct } from "../../core/ports.ts";
import type { SaidStop } from "../../core/stopped.ts";
import { rememberContinued, standsAsJudged } from "./continuations.ts";
import { encodeJob } from "./job-row.ts";
import { putAct } from "./outbox.ts";
import { openBefore, stopAfter } from "./said-stops.ts";
import type { Database, Tables } from "./schema.ts";
import { stopIn } from "./stops.ts";

const HOUR_MS = 3_600_000;

const OPEN = JOB_STATES.filter((state) => !isTerminal(state));

/**
 * The comments that were heard in an open database. They are taken one after another, so that of many
 * at once each counts what the ones before it added.
 */
export function intakeStore(database: Database): IntakeStore {
  const { tables, now } = database;
  const anHourAgo = sql<number>`${now} - ${HOUR_MS}`;
  const inTurn = createLock();

  /** In line within this process first: those who wait for other processes hold a connection each. */
  const alone = <T>(work: (transaction: Kysely<Tables>) => Promise<T>): Promise<T> =>
    inTurn("intake", () =>
      tables.transaction().execute(async (transaction) => {
        await database.alone(transaction, "intake");
        return work(transaction);
      }),
    );

  async function recordDelivery(
    transaction: Kysely<Tables>,
    { guid, event, action }: Delivery,
  ): Promise<void> {
    await transaction
      .insertInto("deliveries")
      .values({ guid, event, action, received_at: now })
      .onConflict((conflict) => conflict.column("guid").doNothing())
      .execute();
  }

  /** Stores the delivery with the comment it brought; `refused`: by which rule, and whether it is told. */
  async function record(
    transaction: Kysely<Tables>,
    heard: Heard,
    refused?: { rule: Refusal["rule"]; told: boolean },
  ): Promise<void> {
    await recordDelivery(transaction, heard.delivery);
    await transaction
      .insertInto("intakes")
      .values({
        key: heard.key,
        actor_id: heard.actorId,
        installation_id: heard.repo.installationId,
        repo_id: heard.repo.id,
        issue: heard.issue,
        rule: refused?.rule ?? null,
        told: refused?.told ? 1 : 0,
        at: now,
        stop: heard.stop ? JSON.stringify(heard.stop) : null,
      })
      .onConflict((conflict) => conflict.column("key").doNothing())
      .execute();
  }

  /** Whether the delivery or its comment is there already. */
  async function isKnown(reader: Kysely<Tables>, guid: string, key: string): Promise<boolean> {
    const delivery = reader.selectFrom("deliveries").select("guid as id").where("guid", "=", guid);
    const comment = reader.selectFrom("intakes").select("key as id").where("key", "=", key);
    return (await delivery.unionAll(comment).execute()).length > 0;
  }

  /**
   * Runs `work` in a transaction when the comment is new, the gate admits it on what is in use, and `obstacle`
   * finds none.
   */
  function taking<Obstacle = never>(
    heard: Heard,
    admit: Admit,
    work: (transaction: Kysely<Tables>) => Promise<void>,
    obstacle?: (transaction: Kysely<Tables>) => Promise<Obstacle | null>,
  ) {
    return alone(async (transaction) => {
      if (await isKnown(transaction, heard.delivery.guid, heard.key)) {
        // The next copy of this delivery is known whatever its comment.
        await record(transaction, heard);
        return "duplicate";
      }
      const verdict = admit(await usageOf(transaction, heard));
      if (verdict.status === "refused") return verdict;
      if (verdict.status === "undecided") throw new Error(`the gate lacks ${verdict.needs}`);
      const hindered = (await obstacle?.(transaction)) ?? null;
      if (hindered !== null) return hindered;
      await record(transaction, heard);
      await work(transaction);
      return "accepted";
    });
  }

  async function put(transaction: Kysely<Tables>, acts: KeyedAct[]): Promise<void> {
    for (const act of acts) await putAct(transaction, database, act, 0);
  }

  async function end(transaction: Kysely<Tables>, ids: string[], { by }: SaidStop): Promise<void> {
    await stopIn(transaction, database, ids, by);
  }

  async function heardOf(reader: Kysely<Tables>, actorId: number | null): Promise<number> {
    const { heard } = await reader
      .selectFrom("intakes")
      .select((eb) => eb.fn.countAll<number>().as("heard"))
      .where("actor_id", "=", actorId)
      .where("at", ">", anHourAgo)
      .executeTakeFirstOrThrow();
    return heard;
  }

  async function usageOf(transaction: Kysely<Tables>, heard: Heard): Promise<Usage> {
    const open = transaction
      .selectFrom("jobs")
      .select((eb) => eb.fn.countAll<number>().as("jobs"))
      .where("jobs.state", "in", OPEN);
    const jobsOf = async (counted: typeof open) => (await counted.executeTakeFirstOrThrow()).jobs;
    const person = open
      .innerJoin("commands", "commands.id", "jobs.command_id")
      .innerJoin("intakes", "intakes.key", "commands.key")
      .where("intakes.actor_id", "=", heard.actorId);
    const { id, installationId } = heard.repo;
    return {
      open: {
        person: (await person.executeTakeFirstOrThrow()).jobs,
        repository: await jobsOf(open.where("jobs.repo_id", "=", id)),
        installation: await jobsOf(open.where("jobs.installation_id", "=", installationId)),
      },
      heard: await heardOf(transaction, heard.actorId),
    };
  }

  /** Whether the person was told of this rule on this issue within the last hour. */
  async function wasTold(transaction: Kysely<Tables>, heard: Heard, rule: Refusal["rule"]) {
    const telling = await transaction
      .selectFrom("intakes")
      .select("key")
      .where("actor_id", "=", heard.actorId)
      .where("repo_id", "=", heard.repo.id)
      .where("issue", "=", heard.issue)
      .where("rule", "=", rule)
      .where("told", "=", 1)
      .where("at", ">", anHourAgo)
      .executeTakeFirst();
    return telling !== undefined;
  }

  return {
    known: (guid, key) => isKnown(tables, guid, key),
    heardOf: (actorId) => heardOf(tables, actorId),

    async saw(delivery) {
      // Most are copies of what came before.
      const seen = tables.selectFrom("deliveries").select("guid").where("guid", "=", delivery.guid);
      if (await seen.executeTakeFirst()) return;
      await tables.transaction().execute((transaction) => recordDelivery(transaction, delivery));
    },

    bury({ key, repo, issue }) {
      return alone(async (transaction) => {
        await transaction
          .insertInto("intakes")
          .values({
            key,
            actor_id: null,
            installation_id: repo.installationId,
            repo_id: repo.id,
            issue,
            rule: "deleted",
            told: 0,
            at: now,
          })
          .onConflict((conflict) => conflict.column("key").doNothing())
          .execute();
        const command = await transaction
          .selectFrom("commands")
          .select("id")
          .where("key", "=", key)
          .executeTakeFirst();
        return command?.id ?? null;
      });
    },

    accept({ delivery, command, jobs, takenUp = [], acts, admit }) {
      const { key, actor, repo, issue } = command;
      const heard = { delivery, key, actorId: actor.id, repo, issue };
      const work = async (transaction: Kysely<Tables>) => {
        await transaction
          .insertInto("commands")
          .values({
            id: command.id,
            key,
            detail: JSON.stringify(command),
            created_at: now,
          })
          .execute();
        await transaction
          .insertInto("repositories")
          .values({ repo_id: repo.id, installation_id: repo.installationId, served_at: 0 })
          .onConflict((conflict) =>
            // A repository moves to another installation when the App is installed anew.
            conflict.column("repo_id").doUpdateSet({ installation_id: repo.installationId }),
          )
          .execute();
        for (const job of jobs) {
          await transaction
            .insertInto("jobs")
            .values({ ...encodeJob(job), run_at: now })
            .execute();
          await rememberContinued(transaction, job);
        }
        const stop = await stopAfter(transaction, command);
        if (stop !== null)
          await end(
            transaction,
            jobs.map(({ id }) => id),
            stop,
          );
        await database.announce(transaction, jobs.length);
        await put(transaction, acts);
      };
      return taking(heard, admit, work, async (transaction) => {
        for (const each of takenUp) {
          if (!(await standsAsJudged(transaction, each))) return "overtaken" as const;
        }
        return null;
      });
    },

    answer: (heard, acts, admit) =>
      taking(heard, admit, async (transaction) => {
        const { repo, issue, stop } = heard;
        if (stop) {
          // Those that were taken since somebody looked for them.
          const open = await openBefore(transaction, { repoId: repo.id, issue, stop });
          await end(transaction, open, stop);
        }
        await put(transaction, acts);
      }),

    refuse(heard, { rule, told: when }, acts) {
      return alone(async (transaction) => {
        const known = await isKnown(transaction, heard.delivery.guid, heard.key);
        const told =
          !known &&
          when !== "never" &&
          (when === "always" || !(await wasTold(transaction, heard, rule)));
        await record(transaction, heard, { rule, told });
        if (told) await put(transaction, acts);
        return !known;
      });
    },
  };
}
