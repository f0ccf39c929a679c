import type { CapUse } from "./caps.ts";
import type { History } from "./estimate.ts";
import type { Caps, LedgerRow, NewCall } from "./ledger.ts";

/** From when to before when, in ms since the epoch. */
interface Period {
  from: number;
  until: number;
}

/** What the pull requests of a repository cost, in micro-dollars. */
export interface PullCosts {
  repoId: number;
  /** `owner/name` by its newest job; empty where there is none. */
  repository: string;
  /** All calls of the period, those of jobs that came to nothing included. */
  spent: number;
  /** Pull requests that jobs opened in the period, and what their jobs cost, follow-ups included, whenever that was. */
  opened: { pulls: number; microDollars: number };
  /** The same of those that were merged in the period. */
  merged: { pulls: number; microDollars: number };
}

/** A row of the ledger with names for people. */
export interface NamedRow extends LedgerRow {
  repository: string;
  actor: string;
}

/** Which rows of the ledger are wanted. */
export interface RowFilter extends Period {
  /** Null: of all repositories. */
  repoId: number | null;
}

/** What the ledger tells besides the sums that caps need. */
export interface FiguresStore {
  /**
   * What up to 200 ended jobs cost, the newest first: of the repository and skill; of the repository where
   * those are fewer than five; then of the installation. What people stopped, and what cost nothing, is left out.
   */
  history(of: Pick<NewCall, "repoId" | "installationId" | "skill">): Promise<History>;
  /** What is used now of each cap there is. */
  used(
    of: Pick<NewCall, "jobId" | "commandId" | "actorId" | "repoId" | "installationId">,
    caps: Caps,
  ): Promise<CapUse[]>;
  /** By repository; of one alone unless `repoId` is null. Those in which nothing happened are not in it. */
  pullCosts(filter: RowFilter): Promise<PullCosts[]>;
  /** The next rows of the ledger by time; null begins. Fewer than `most` are the last. */
  ledgerPage(
    filter: RowFilter,
    after: Pick<LedgerRow, "at" | "id"> | null,
    most: number,
  ): Promise<NamedRow[]>;
}
