import type { Kysely, Updateable } from "kysely";
import { type CapUse, tightest } from "../../core/caps.ts";
import { isTerminal } from "../../core/job.ts";
import type { Caps, LedgerStore, NewCall, Reserved, Settlement } from "../../core/ledger.ts";
import { createLock } from "../../core/lock.ts";
import { fittingOutput, worstCase } from "../../core/price.ts";
import { spentBy } from "./calls-of-jobs.ts";
import { capUses, underWay } from "./cap-uses.ts";
import type { Database, Tables } from "./schema.ts";

/** Characters of what a provider said, and of its ids, that are kept. */
const MAX_REASON = 1_000;
const MAX_ID = 200;
/** What one call can take at most, far above any: sums of a ledger then stay numbers that are exact. */
const MOST_TOKENS = 1e10;
const MOST_MICRO_DOLLARS = 1e12;

/**
 * The ledger of an open database. Reservations of all processes go one after another, each in one transaction
 * that sums the rows: what it sees is what all before it left.
 */
export function ledgerStore(database: Database): LedgerStore {
  const { tables, now } = database;
  const inTurn = createLock();

  return {
    // In line within this process first: those who wait for other processes hold a connection each.
    reserve: (call, caps) =>
      inTurn("ledger", () =>
        tables.transaction().execute(async (transaction) => {
          await database.alone(transaction, "ledger");
          return reserveIn(transaction, call, caps);
        }),
      ),

    async settle(id, how) {
      await tables.transaction().execute((transaction) =>
        transaction
          .updateTable("calls")
          .set(settled(how))
          .where("id", "=", id)
          // What was said first counts.
          .where("state", "=", "reserved")
          .execute(),
      );
    },

    spentBy: (jobIds) => spentBy(tables, jobIds),
  };

  async function reserveIn(
    transaction: Kysely<Tables>,
    call: NewCall,
    caps: Caps,
  ): Promise<Reserved> {
    const job = await transaction
      .selectFrom("jobs")
      .select(["state", now.as("at")])
      .where("id", "=", call.jobId)
      .where("fence", "=", call.fence)
      .executeTakeFirst();
    if (!job || isTerminal(job.state)) return { status: "lost" };
    const { uses, jobSpent } = await capUses(transaction, call, caps, job.at);
    const before = await transaction
      .selectFrom("calls")
      .select(["max_output", "micro_dollars"])
      .where("id", "=", call.id)
      .executeTakeFirst();
    if (before) {
      // Somebody was not told that his transaction was committed.
      const { max_output: maxOutput, micro_dollars: microDollars } = before;
      return { status: "reserved", maxOutput, microDollars, jobSpent };
    }
    const least = tightest(uses);
    const maxOutput = least === null ? call.wanted : fitting(call, least);
    if (maxOutput === null) {
      const full = uses.filter((use) => fitting(call, use) === null);
      return judged(transaction, call, full, job.at);
    }
    const reserved = call.price === null ? 0 : worstCase(call.price, call.promptTokens, maxOutput);
    await transaction
      .insertInto("calls")
      .values({
        id: call.id,
        job_id: call.jobId,
        fence: call.fence,
        command_id: call.commandId,
        actor_id: call.actorId,
        repo_id: call.repoId,
        installation_id: call.installationId,
        skill: call.skill,
        step: call.step,
        provider: call.provider,
        model: call.model,
        rule: call.rule,
        state: "reserved",
        micro_dollars: reserved,
        reserved,
        max_output: maxOutput,
        input_tokens: 0,
        cached_tokens: 0,
        output_tokens: 0,
        reasoning_tokens: null,
        price: call.price && JSON.stringify(call.price),
        reported: 0,
        latency_ms: null,
        request_id: null,
        reason: "",
        at: job.at,
      })
      .execute();
    return { status: "reserved", maxOutput, microDollars: reserved, jobSpent: jobSpent + reserved };
  }
}

/** With how many output tokens a call fits under a cap; null when it does not. */
function fitting(call: NewCall, { limit, spent }: CapUse): number | null {
  const { price } = call;
  return price === null ? call.wanted : fittingOutput({ ...call, price }, limit - spent);
}

/**
 * Whether a call that does not fit under these caps may do so soon: it is refused by those under which it would
 * not, even if all that is under way cost nothing.
 */
async function judged(
  transaction: Kysely<Tables>,
  call: NewCall,
  full: CapUse[],
  at: number,
): Promise<Reserved> {
  const usedUp: CapUse[] = [];
  for (const use of full) {
    const spent = use.spent - (await underWay(transaction, call, use.cap, at));
    if (fitting(call, { ...use, spent }) === null) usedUp.push(use);
  }
  const by = tightest(usedUp);
  if (by !== null) return { status: "refused", ...by };
  const held = tightest(full);
  if (held === null) throw new Error(`call ${call.id} fits nowhere, though nothing is capped`);
  return { status: "crowded", ...held };
}

/** The columns that the end of a call writes. */
function settled(how: Settlement): Updateable<Tables["calls"]> {
  const latency_ms = Math.max(0, Math.round(how.latencyMs)) || 0;
  if (how.kind === "unknown" || how.kind === "void") {
    const reason = plain(how.reason, MAX_REASON);
    return {
      state: how.kind,
      latency_ms,
      reason,
      ...(how.kind === "void" && { micro_dollars: 0 }),
    };
  }
  const { inputTokens, outputTokens, microDollars } = how;
  const request_id = how.requestId === null ? null : plain(how.requestId, MAX_ID);
  const answered = { state: "answered", latency_ms, request_id } as const;
  // What cannot be is as good as not told: the reservation stays what it cost.
  const figures = [inputTokens, how.cachedTokens, outputTokens, how.reasoningTokens ?? 0];
  if (!figures.every((each) => isCount(each, MOST_TOKENS))) return answered;
  if (!isCount(microDollars ?? 0, MOST_MICRO_DOLLARS)) return answered;
  return {
    ...answered,
    input_tokens: inputTokens,
    cached_tokens: Math.min(how.cachedTokens, inputTokens),
    output_tokens: outputTokens,
    reasoning_tokens: how.reasoningTokens,
    ...(microDollars !== null && { micro_dollars: microDollars, reported: 1 }),
  };
}

function isCount(value: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= most;
}

/** No database takes a NUL in a text. */
function plain(text: string, most: number): string {
  return text.replaceAll("\0", "").slice(0, most);
}
