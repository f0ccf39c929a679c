import type { ColumnDefinitionBuilder, Generated, Kysely, RawBuilder } from "kysely";
import type { OutboxRow } from "../../core/act.ts";
import { toError } from "../../core/errors.ts";
import type { JobEvent } from "../../core/event.ts";
import type { JobState, Target } from "../../core/job.ts";
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
  /** Comments that were heard: one row each, whatever became of it. */
  intakes: {
    /** Repository id and comment id. */
    key: string;
    actor_id: number | null;
    installation_id: number;
    repo_id: number;
    issue: number;
    /** The rule that refused it; null when it was admitted. */
    rule: Refusal["rule"] | null;
    /** 1 when the person was told of the refusal. */
    told: number;
    at: number;
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
    target_kind: Target["kind"];
    state: JobState;
    fence: number;
    lease_owner: string | null;
    lease_until: number | null;
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
    /** JSON of Job["conflicts"]. */
    conflicts: string;
    created_at: number;
    started_at: number | null;
    ended_at: number | null;
  };
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
  };
}

/** An open database: its tables, and the expressions in which the dialects differ. */
export interface Database {
  tables: Kysely<Tables>;
  /** The database's own clock, in ms since the epoch: the only one that decides about leases. */
  now: RawBuilder<number>;
  /** Makes a column the primary key that counts upwards by itself. */
  countingKey: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
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
