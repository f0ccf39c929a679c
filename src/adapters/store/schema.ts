import type { ColumnDefinitionBuilder, Generated, Kysely, RawBuilder } from "kysely";
import type { OutboxRow } from "../../core/act.ts";
import { toError } from "../../core/errors.ts";
import type { JobEvent } from "../../core/event.ts";
import type { JobState, Target } from "../../core/job.ts";
import type { LedgerRow } from "../../core/ledger.ts";
import type { Refusal } from "../../core/policy.ts";

/**
 * The tables as repository code sees them. Times are ms since the epoch, JSON is text. A dialect
 * hands every integer over as a number: ids of GitHub and times stay far below 2^53.
 */
export interface Tables {
  deliveries: {
    guid: string;
    event: string;
    action: string | null;
    received_at: number;
  };
  /** Deliveries that GitHub is to be asked for again, and those it was asked for. */
  owed_deliveries: {
    guid: string;
    /** GitHub's number of one attempt: text, for it may be above 2^53. */
    delivery_id: string;
    event: string;
    delivered_at: number;
    asks: number;
    /** Not to be asked for before; null when it is settled. */
    next_at: number | null;
  };
  /** Comments that were heard: one row each, whatever became of it. */
  intakes: {
    /** Repository id and comment id. */
    key: string;
    actor_id: number | null;
    installation_id: number;
    repo_id: number;
    issue: number;
    /** The rule that refused it; null when it was admitted. "deleted": the comment is gone. */
    rule: Refusal["rule"] | "deleted" | null;
    /** 1 when the person was told of the refusal. */
    told: number;
    at: number;
    /** JSON of SaidStop: of a comment that ends what was asked for before it. */
    stop: string | null;
  };
  commands: {
    id: string;
    /** Unique. */
    key: string;
    /** JSON of Command. */
    detail: string;
    created_at: number;
  };
  jobs: {
    id: string;
    /** Unique. */
    key: string;
    command_id: string;
    number: number;
    repo_id: number;
    installation_id: number;
    target_kind: Target["kind"];
    state: JobState;
    /** Higher goes first. */
    priority: number;
    /** Not to be claimed before. */
    run_at: number;
    fence: number;
    /** Claims since it last got on, without those that ended with their process. */
    attempts: number;
    /** Processes that died with it since it last finished a step; and those that had no other job. */
    crashes: Generated<number>;
    crashes_alone: Generated<number>;
    /** The most jobs its process had at once during the present claim. */
    company: Generated<number>;
    lease_owner: string | null;
    lease_until: number | null;
    /** JSON of who wants it stopped. */
    stop: string | null;
    /** How many go before it, as its board tells. */
    ahead: number | null;
    /** JSON of what never changes: task, route, repository, base, target, configuration. */
    spec: string;
    /** JSON of Spend. */
    spend: string;
    /** JSON of PlanItem[]. */
    plan: string;
    last_action: string;
    reason: string;
    /** JSON of VerifiedChange. */
    change: string | null;
    /** JSON of Allowance. */
    allowance: string | null;
    /** JSON of Publication. */
    publication: string | null;
    /** The pull request of the publication. */
    pull: number | null;
    /** JSON of Sources. */
    sources: string | null;
    /** JSON of JobSkills. */
    skills: string | null;
    /** JSON of Ending. */
    ending: string | null;
    /** JSON of JobThread[]. */
    threads: string | null;
    /** JSON of Job["conflicts"]. */
    conflicts: string;
    created_at: number;
    started_at: number | null;
    ended_at: number | null;
  };
  /** Which jobs went on with which: a row for each that a job names in `continues`. */
  continuations: { before_id: string; job_id: string };
  events: {
    job_id: string;
    /** 1-based place in the history of its job. */
    seq: number;
    /** The attempt that wrote it. */
    fence: number;
    type: JobEvent["type"];
    /** JSON of JobEvent. */
    payload: string;
    at: number;
  };
  outbox: {
    id: Generated<number>;
    /** Unique. */
    key: string;
    lane: string;
    kind: string;
    /** JSON of Act. */
    act: string;
    version: number;
    attempts: number;
    state: OutboxRow["state"];
    next_at: number;
    last_error: string | null;
    /** JSON of the last success's value; kept when a newer act replaces the one that gave it. */
    result: string | null;
    created_at: number;
    updated_at: number;
    /** Which process performs it now, and until when nobody else does. */
    lease_owner: string | null;
    lease_until: number | null;
    /** When GitHub was last told. */
    told_at: number | null;
    /** How long after that it may be told the next version. */
    spacing_ms: Generated<number>;
  };
  /** Repositories that had a job: who was served longest ago is next. */
  repositories: {
    repo_id: number;
    installation_id: number;
    /** When one of its jobs was last claimed; 0 for never. */
    served_at: number;
  };
  /** What only one process does at a time. */
  leases: { name: string; owner: string; until: number };
  /** How far something was read. */
  cursors: { name: string; value: string };
  /** Installations that GitHub asked to wait. */
  pauses: { installation_id: number; until: number; why: string };
  /** Installations whose writes are paced: when each of their buckets (core/pace.ts) is full again. */
  paces: { installation_id: number; writes: number; minute: number; hour: number };
  /** Processes that work, by the place they keep their files in. */
  workers: { id: string; slots: number; busy: number; seen_at: number };
  /** Which mirrors lie at which worker's place. */
  mirrors: { worker: string; repo_id: number };
  /** The newest files of a job at work: a pack, or where on GitHub they lie. */
  snapshots: {
    job_id: string;
    fence: number;
    /** The commit of the files, made on the job's base. */
    commit_id: string;
    /** JSON of the Shelf that holds it on GitHub; null when it is in `pack`. */
    ref: string | null;
    /** A thin pack on the base, in base64. */
    pack: string | null;
  };
  /** The ledger: one row for each call of a model, written before it. Rows are never removed. */
  calls: {
    id: string;
    job_id: string;
    fence: number;
    command_id: string;
    actor_id: number;
    repo_id: number;
    /** The one that the repository was in then. */
    installation_id: number;
    skill: string | null;
    step: number;
    provider: string;
    model: string;
    rule: string;
    state: LedgerRow["state"];
    /** What counts against the caps. */
    micro_dollars: number;
    reserved: number;
    /** With how many tokens of output it was reserved. */
    max_output: number;
    input_tokens: number;
    cached_tokens: number;
    output_tokens: number;
    reasoning_tokens: number | null;
    /** JSON of Price; null for an unpriced model. */
    price: string | null;
    /** 1 when the provider told the tokens. */
    reported: number;
    latency_ms: number | null;
    request_id: string | null;
    reason: string;
    /** When it was reserved. */
    at: number;
  };
  /** Pull requests that were merged, of those that jobs opened or added to. */
  merges: { repo_id: number; pull: number; merged_at: number };
}

/** Tells, together with a transaction, that so many jobs more can be claimed. */
export type Announce = (transaction: Kysely<Tables>, jobs: number) => Promise<void>;

/** An open database: its tables, and that in which the dialects differ. */
export interface Database {
  engine: "sqlite" | "postgres";
  tables: Kysely<Tables>;
  /** The database's own clock, in ms since the epoch: the only one that decides about leases. */
  now: RawBuilder<number>;
  /** Makes a column the primary key that counts upwards by itself. */
  countingKey: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  /** Lets one transaction of all processes at a time go on from here to its end; the others wait. */
  alone: (
    transaction: Kysely<Tables>,
    what: "schema" | "intake" | "claim" | "ledger",
  ) => Promise<void>;
  announce: Announce;
}

/** A JSON column as the value written there; throws naming `where` when it cannot be read. */
export function fromJson<T>(text: string, where: string): T {
  try {
    const value: T = JSON.parse(text);
    return value;
  } catch (error) {
    throw new Error(`${where} holds no JSON`, { cause: toError(error) });
  }
}
