import { csvLine } from "../core/csv.ts";
import type { FiguresStore, NamedRow, RowFilter } from "../core/figures.ts";

/** Rows that are in memory at once. */
const PAGE = 500;

/** What stands in each column. Money is in micro-dollars, prices in dollars per million tokens. */
const COLUMNS: Record<string, (row: NamedRow) => string | number | null> = {
  time: ({ at }) => new Date(at).toISOString(),
  id: ({ id }) => id,
  repository: ({ repository }) => repository,
  repository_id: ({ repoId }) => repoId,
  installation_id: ({ installationId }) => installationId,
  person: ({ actor }) => actor,
  person_id: ({ actorId }) => actorId,
  command: ({ commandId }) => commandId,
  job: ({ jobId }) => jobId,
  skill: ({ skill }) => skill,
  step: ({ step }) => step,
  provider: ({ provider }) => provider,
  model: ({ model }) => model,
  rule: ({ rule }) => rule,
  state: ({ state }) => state,
  micro_dollars: ({ microDollars }) => microDollars,
  reserved_micro_dollars: ({ reserved }) => reserved,
  input_tokens: ({ inputTokens }) => inputTokens,
  cached_tokens: ({ cachedTokens }) => cachedTokens,
  output_tokens: ({ outputTokens }) => outputTokens,
  reasoning_tokens: ({ reasoningTokens }) => reasoningTokens,
  usage_reported: ({ reported }) => (reported ? "yes" : "no"),
  price: ({ price }) => (price === null ? "unpriced" : JSON.stringify(price)),
  latency_ms: ({ latencyMs }) => latencyMs,
  request_id: ({ requestId }) => requestId,
  reason: ({ reason }) => reason,
};

/** Rows of the ledger as a CSV file with a line of names, piece by piece and oldest first. */
export async function* ledgerCsv(
  figures: Pick<FiguresStore, "ledgerPage">,
  filter: RowFilter,
): AsyncGenerator<string> {
  yield csvLine(Object.keys(COLUMNS));
  let after: NamedRow | null = null;
  for (;;) {
    const rows: NamedRow[] = await figures.ledgerPage(filter, after, PAGE);
    if (rows.length > 0) {
      yield rows.map((row) => csvLine(Object.values(COLUMNS).map((of) => of(row)))).join("");
    }
    after = rows.at(-1) ?? null;
    if (after === null || rows.length < PAGE) return;
  }
}
