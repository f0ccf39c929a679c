import type { Kysely } from "kysely";
import { type Command, isTerminal, JOB_STATES } from "../../core/job.ts";
import { isBefore, type SaidStop } from "../../core/stopped.ts";
import { decodeCommand } from "./commands.ts";
import { fromJson, type Tables } from "./schema.ts";

const OPEN = JOB_STATES.filter((state) => !isTerminal(state));

/** The migration that keeps which comments were to end what was asked for before them. */
export async function keepStops({ schema }: Kysely<Tables>): Promise<void> {
  await schema.alterTable("intakes").addColumn("stop", "text").execute();
  await schema
    .createIndex("intakes_of_issue")
    .on("intakes")
    .columns(["repo_id", "issue"])
    .execute();
}

/** The word that ends a command which is taken only now; null when none was said after it. */
export async function stopAfter(
  reader: Kysely<Tables>,
  command: Command,
): Promise<SaidStop | null> {
  const rows = await reader
    .selectFrom("intakes")
    .select(["key", "stop"])
    .where("repo_id", "=", command.repo.id)
    .where("issue", "=", command.issue)
    .where("stop", "is not", null)
    .execute();
  const said = rows.map(({ key, stop }) => fromJson<SaidStop>(stop ?? "", `comment ${key}, stop`));
  return said.find((stop) => isBefore(command, stop)) ?? null;
}

/** The jobs that were asked for on an issue before it was to stop, and have not ended. */
export async function openBefore(
  reader: Kysely<Tables>,
  { repoId, issue, stop }: { repoId: number; issue: number; stop: SaidStop },
): Promise<string[]> {
  const rows = await reader
    .selectFrom("jobs")
    .innerJoin("commands", "commands.id", "jobs.command_id")
    .innerJoin("intakes", "intakes.key", "commands.key")
    .select(["jobs.id", "commands.detail"])
    .where("intakes.repo_id", "=", repoId)
    .where("intakes.issue", "=", issue)
    .where("jobs.state", "in", OPEN)
    .execute();
  const before = ({ id, detail }: (typeof rows)[number]) =>
    isBefore(decodeCommand(detail, `of job ${id}`), stop);
  return rows.filter(before).map(({ id }) => id);
}
