import type { Selectable, Updateable } from "kysely";
import { JOB_STATES, type Job, type JobPatch, type VerifiedChange } from "../../core/job.ts";
import type { Spent } from "../../core/ledger.ts";
import { completeRepoConfig } from "../../core/repo-config.ts";
import { narrowed } from "../../core/skill-manifest.ts";
import { withCalls } from "../../core/spend.ts";
import { fromJson, type Tables } from "./schema.ts";

type JobRow = Selectable<Tables["jobs"]>;

/** What is settled when a job is made, kept in one JSON column. */
type Spec = Omit<
  Job,
  | keyof JobPatch
  | "id"
  | "key"
  | "commandId"
  | "number"
  | "fence"
  | "priority"
  | "attempts"
  | "crashes"
  | "stop"
  | "ahead"
  | "allowance"
  | "conflicts"
  | "createdAt"
>;

/** A new job as its row; nobody holds it. */
export function encodeJob(job: Job): JobRow {
  const { id, key, commandId, number, state, fence, spend, plan, lastAction, reason, ...more } =
    job;
  const { change, allowance, publication, sources, conflicts, createdAt, ...rest } = more;
  const {
    startedAt,
    endedAt,
    priority,
    attempts,
    crashes,
    stop,
    ahead,
    skills,
    ending,
    threads,
    ...spec
  } = rest;
  spec satisfies Spec;
  return {
    id,
    key,
    command_id: commandId,
    number,
    repo_id: spec.repo.id,
    installation_id: spec.repo.installationId,
    target_kind: spec.target.kind,
    state,
    priority,
    run_at: 0,
    fence,
    attempts,
    crashes: crashes?.all ?? 0,
    crashes_alone: crashes?.alone ?? 0,
    company: 0,
    stop: stop && JSON.stringify(stop),
    ahead: ahead ?? null,
    lease_owner: null,
    lease_until: null,
    spec: JSON.stringify(spec),
    spend: JSON.stringify(spend),
    plan: JSON.stringify(plan),
    last_action: lastAction,
    reason,
    change: change && JSON.stringify(change),
    allowance: allowance && JSON.stringify(allowance),
    publication: publication && JSON.stringify(publication),
    pull: publication?.pull ?? null,
    sources: sources && JSON.stringify(sources),
    skills: skills ? JSON.stringify(skills) : null,
    threads: threads ? JSON.stringify(threads) : null,
    ending: ending ? JSON.stringify(ending) : null,
    conflicts: JSON.stringify(conflicts),
    created_at: createdAt,
    started_at: startedAt,
    ended_at: endedAt,
  };
}

/** The columns that a patch writes. */
export function encodePatch(patch: JobPatch): Updateable<Tables["jobs"]> {
  const { state, spend, plan, lastAction, reason, change, publication, ...more } = patch;
  const { sources, skills, threads, ending, startedAt, endedAt, ...forgotten } = more;
  // Does not compile when JobPatch has a field that is not written here.
  forgotten satisfies Record<string, never>;
  return {
    ...(state !== undefined && { state }),
    ...(spend !== undefined && { spend: JSON.stringify(spend) }),
    ...(plan !== undefined && { plan: JSON.stringify(plan) }),
    ...(lastAction !== undefined && { last_action: lastAction }),
    ...(reason !== undefined && { reason }),
    ...(change !== undefined && { change: change && JSON.stringify(change) }),
    ...(publication !== undefined && {
      publication: publication && JSON.stringify(publication),
      pull: publication?.pull ?? null,
    }),
    ...(sources !== undefined && { sources: sources && JSON.stringify(sources) }),
    ...(skills !== undefined && { skills: JSON.stringify(skills) }),
    ...(threads !== undefined && { threads: JSON.stringify(threads) }),
    ...(ending !== undefined && { ending: ending && JSON.stringify(ending) }),
    ...(startedAt !== undefined && { started_at: startedAt }),
    ...(endedAt !== undefined && { ended_at: endedAt }),
  };
}

/** A row as the job it holds, with its calls; throws naming the row and the column that cannot be read. */
export function decodeJob(row: JobRow, called: Spent | undefined): Job {
  const where = `job ${row.id}`;
  const state = JOB_STATES.find((known) => known === row.state);
  if (!state) throw new Error(`${where} has the unknown state ${row.state}`);
  const spec = fromJson<Spec>(row.spec, `${where}, spec`);
  const skills =
    row.skills === null
      ? null
      : fromJson<NonNullable<Job["skills"]>>(row.skills, `${where}, skills`);
  const manifests = (skills?.pins ?? []).map(({ manifest }) => manifest);
  return {
    ...spec,
    config: narrowed(completeRepoConfig(spec.config), manifests),
    ...(skills && { skills }),
    ...(row.threads !== null && {
      threads: fromJson<NonNullable<Job["threads"]>>(row.threads, `${where}, threads`),
    }),
    id: row.id,
    key: row.key,
    commandId: row.command_id,
    number: row.number,
    state,
    fence: row.fence,
    priority: row.priority,
    attempts: row.attempts,
    ...(row.crashes === 0 ? {} : { crashes: { all: row.crashes, alone: row.crashes_alone } }),
    stop: row.stop === null ? null : fromJson<Job["stop"]>(row.stop, `${where}, stop`),
    ...(row.ahead === null ? {} : { ahead: row.ahead }),
    spend: withCalls(fromJson<Job["spend"]>(row.spend, `${where}, spend`), called),
    plan: fromJson<Job["plan"]>(row.plan, `${where}, plan`),
    lastAction: row.last_action,
    reason: row.reason,
    ...(row.ending !== null && {
      ending: fromJson<NonNullable<Job["ending"]>>(row.ending, `${where}, ending`),
    }),
    change: row.change === null ? null : decodeChange(row.change, `${where}, change`),
    allowance:
      row.allowance === null
        ? null
        : fromJson<Job["allowance"]>(row.allowance, `${where}, allowance`),
    publication:
      row.publication === null
        ? null
        : fromJson<Job["publication"]>(row.publication, `${where}, publication`),
    sources:
      row.sources === null ? null : fromJson<Job["sources"]>(row.sources, `${where}, sources`),
    conflicts: fromJson<Job["conflicts"]>(row.conflicts, `${where}, conflicts`),
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

/** A change that an earlier version stored was held by nothing, showed nothing first and named no host. */
function decodeChange(text: string, where: string): VerifiedChange {
  const stored = fromJson<VerifiedChange>(text, where);
  const evidence = stored.evidence.map((check) => ({ ...NOTHING_DENIED, ...check }));
  return { ...NOTHING_HELD, ...NOTHING_DENIED, ...stored, evidence };
}

const NOTHING_DENIED = { deniedHosts: [] };

const NOTHING_HELD = { cautions: [], violations: [], excerpt: "" };
