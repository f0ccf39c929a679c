import { setTimeout as sleep } from "node:timers/promises";
import { TransientError, toError } from "../core/errors.ts";
import type {
  DeliveryStore,
  Log,
  OwedDelivery,
  SentDeliveries,
  SentDelivery,
  SharedStore,
} from "../core/ports.ts";

/** The name under which one process at a time looks, and under which it is kept how far. */
const NAME = "deliveries";
const EVERY_MS = 5 * 60_000;
/** How soon to look after something was turned away. */
const SOON_MS = 20_000;
/** How soon to look again when GitHub or the store did not answer. */
const RETRY_MS = 30_000;
const HOLD_MS = 30_000;
/** How soon to try again while another process looks. */
const TAKEN_MS = 10_000;
/** How long GitHub keeps deliveries (docs.github.com: handling failed webhook deliveries). */
const KEPT_MS = 3 * 24 * 60 * 60_000;
/** How far behind the last one seen is looked again: an attempt that timed out is listed late. */
const OVERLAP_MS = 10 * 60_000;
/** A fault in the list must not keep us reading for ever: 200,000 deliveries. */
const MOST_PAGES = 2000;
/** Between two that are asked for: GitHub allows 180 such calls a minute. */
const PACE_MS = 400;
/** How often one is asked for at most, and how long until the second time; it doubles after that. */
const MOST_ASKS = 8;
const AGAIN_MS = 15 * 60_000;
const MOST_AGAIN_MS = 12 * 60 * 60_000;
const AT_ONCE = 100;
/** How soon a host is asked again that says it has no list: it may have said so in passing. */
const NONE_MS = 60 * 60_000;
/** How long it is remembered that a delivery came: GitHub forgets it sooner. */
const REMEMBERED_MS = 8 * 24 * 60 * 60_000;
/** What we act on; of the rest nothing is stored when it came. */
const ACTED_ON = new Set([
  "issue_comment.created",
  "issue_comment.deleted",
  "pull_request_review_comment.created",
  "pull_request_review_comment.deleted",
  "pull_request_review.submitted",
  "issues.opened",
  "issues.labeled",
  "issues.assigned",
  "pull_request.opened",
  "pull_request.closed",
]);

export interface DeliveriesDeps {
  github: SentDeliveries;
  deliveries: DeliveryStore;
  shared: SharedStore;
  /** This process. */
  owner: string;
  now: () => number;
  log: Log;
  /** Between two that are asked for, in ms; what GitHub allows unless a test says otherwise. */
  paceMs?: number;
  /** How soon it looks after something was turned away, in ms. */
  soonMs?: number;
}

/** How far the list was read, and since when it is read. In ms since the epoch, by GitHub's clock. */
interface Seen {
  at: number;
  since: number;
}

/**
 * Reads GitHub's list of what it sent now and every few minutes, and asks again for what failed or never
 * came, until `stop`. Many processes may do so: one at a time looks. `soon` says that something was turned
 * away, which is asked for within a minute then.
 */
export function watchDeliveries(deps: DeliveriesDeps): { soon(): void; stop(): Promise<void> } {
  const { shared, owner, log, soonMs = SOON_MS } = deps;
  const stopped = new AbortController();
  const { signal } = stopped;
  let hurry = new AbortController();

  const rest = (ms: number, until = signal) =>
    // Several servers need not look at the same moment.
    sleep(ms * (1 + Math.random() / 10), undefined, { signal: until }).catch(() => undefined);

  async function watch(): Promise<void> {
    let told = false;
    let without = false;
    while (!signal.aborted) {
      let wait: number | null = null;
      try {
        if (await shared.hold(NAME, owner, HOLD_MS)) {
          const looked = look(deps, signal).finally(() => shared.letGo(NAME, owner));
          if (!(await looked)) {
            if (!without)
              log.warn(
                {},
                "this GitHub host keeps no list of deliveries: one that fails is not sent again",
              );
            without = true;
            wait = NONE_MS;
          }
        } else wait = TAKEN_MS;
        told = false;
      } catch (thrown) {
        if (signal.aborted) return;
        const error = toError(thrown);
        const passing = error instanceof TransientError;
        if (!told) log.warn({ err: error }, "GitHub's list of deliveries could not be read");
        told = true;
        const asked = passing && error.retryAt !== undefined ? error.retryAt - deps.now() : 0;
        wait = Math.max(asked, passing ? RETRY_MS : EVERY_MS);
      }
      // What failed waits as long as it was asked to.
      if (wait !== null) await rest(wait);
      else await rest(EVERY_MS, AbortSignal.any([signal, hurry.signal]));
      if (wait === null && hurry.signal.aborted) {
        hurry = new AbortController();
        await rest(soonMs);
      }
    }
  }

  const watching = watch();
  return {
    soon: () => hurry.abort(),
    async stop() {
      stopped.abort(new Error("the server is stopping"));
      await watching;
    },
  };
}

/** One look; false when this host has nothing to look at. */
async function look(deps: DeliveriesDeps, signal: AbortSignal): Promise<boolean> {
  const { shared, deliveries, log, now } = deps;
  const before = parseSeen(await shared.cursor(NAME));
  const kept = now() - KEPT_MS;
  const read = await readBack(before, kept, deps, signal);
  if (read === null) {
    // It showed its list before: whatever answers so now will pass.
    if (before !== null) throw new TransientError("GitHub says that it has no such list");
    return false;
  }
  await sortOut(read.met, before, kept, deps);
  if (before !== null && before.at < kept) {
    log.error(
      { from: iso(before.at), until: iso(kept) },
      "what GitHub sent in this time and we did not take is lost: it keeps deliveries for 3 days",
    );
  }
  const at = Math.max(read.newest ?? 0, before?.at ?? 0) || now();
  const seen: Seen = { at, since: before?.since ?? at };
  await shared.setCursor(NAME, JSON.stringify(seen));
  await askAgain(kept, deps, signal);
  await deliveries.forget(REMEMBERED_MS);
  return true;
}

/** The newest attempt of each delivery, back to the last one seen; null when the host has no list. */
async function readBack(
  before: Seen | null,
  kept: number,
  { github, shared, owner, log }: DeliveriesDeps,
  signal: AbortSignal,
): Promise<{ met: Map<string, SentDelivery>; newest: number | null } | null> {
  const until = Math.max(kept, (before?.at ?? 0) - OVERLAP_MS);
  const met = new Map<string, SentDelivery>();
  let newest: number | null = null;
  let cursor: string | null = null;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    signal.throwIfAborted();
    const page = await github.sent(cursor);
    if (page === null) return null;
    await insistOnTurn(shared, owner);
    for (const delivery of page.deliveries) {
      newest = Math.max(newest ?? 0, delivery.deliveredAt);
      if (!met.has(delivery.guid)) met.set(delivery.guid, delivery);
    }
    const last = page.deliveries.at(-1);
    if (page.next === null || last === undefined || last.deliveredAt < until) {
      return { met, newest };
    }
    cursor = page.next;
  }
  log.error({ pages: MOST_PAGES }, "GitHub's list of deliveries is too long to be read whole");
  return { met, newest };
}

/** Keeps what failed or never came, and settles what came meanwhile. */
async function sortOut(
  met: Map<string, SentDelivery>,
  before: Seen | null,
  kept: number,
  { deliveries, log }: DeliveriesDeps,
): Promise<void> {
  const came = await deliveries.came([...met.keys()]);
  const owed: OwedDelivery[] = [];
  const settled: string[] = [];
  const lost: string[] = [];
  for (const delivery of met.values()) {
    const { guid, ok, deliveredAt } = delivery;
    const missing = ok && neverCame(delivery, before);
    if (came.has(guid) || (ok && !missing)) settled.push(guid);
    else if (deliveredAt < kept) {
      // Once: what the last one seen is newer than was told before.
      if (before === null || deliveredAt > before.at) lost.push(guid);
    } else owed.push(delivery);
  }
  await deliveries.owe(owed);
  await deliveries.settleOwed(settled);
  if (lost.length > 0) {
    log.error(
      { count: lost.length, guids: lost.slice(0, 20) },
      "deliveries that failed are lost: they are older than the 3 days that GitHub keeps them",
    );
  }
}

/**
 * Whether something else answered for us. Only of what was sent since we look: what came before was
 * answered by an earlier server with rows of its own, and must not be done twice.
 */
function neverCame({ event, action, deliveredAt }: SentDelivery, before: Seen | null): boolean {
  return ACTED_ON.has(`${event}.${action}`) && before !== null && deliveredAt > before.since;
}

/** Asks for what is owed, one after another. */
async function askAgain(kept: number, deps: DeliveriesDeps, signal: AbortSignal): Promise<void> {
  const { deliveries, shared, owner, log, paceMs = PACE_MS } = deps;
  let asked = 0;
  try {
    for (;;) {
      const owed = await deliveries.owed(AT_ONCE);
      if (owed.length === 0) return;
      for (const each of owed) {
        signal.throwIfAborted();
        await insistOnTurn(shared, owner);
        if (!(await askFor(each, kept, deps))) continue;
        asked += 1;
        await sleep(paceMs, undefined, { signal });
      }
    }
  } finally {
    if (asked > 0) log.info({ deliveries: asked }, "GitHub was asked to send deliveries again");
  }
}

/** Whether GitHub was asked; if not, it is settled. */
async function askFor(
  { guid, id, event, asks, deliveredAt }: OwedDelivery & { asks: number },
  kept: number,
  { deliveries, github, log }: DeliveriesDeps,
): Promise<boolean> {
  const came = (await deliveries.came([guid])).has(guid);
  if (!came && deliveredAt >= kept && asks < MOST_ASKS) {
    const againInMs = Math.min(MOST_AGAIN_MS, AGAIN_MS * 2 ** asks);
    // Before it is asked for: a crash in between costs a wait, not a delivery sent twice.
    await deliveries.ask(guid, { asks: asks + 1, againInMs });
    try {
      if (await github.sendAgain(id)) return true;
    } catch (thrown) {
      // The others come first the next time.
      await deliveries.ask(guid, { asks, againInMs: EVERY_MS });
      throw thrown;
    }
  }
  await deliveries.settleOwed([guid]);
  if (!came) log.error({ guid, event, asks }, "a delivery is lost: GitHub cannot send it again");
  return false;
}

async function insistOnTurn(shared: SharedStore, owner: string): Promise<void> {
  if (await shared.hold(NAME, owner, HOLD_MS)) return;
  throw new TransientError("another process looks at the deliveries now");
}

function parseSeen(text: string | null): Seen | null {
  if (text === null) return null;
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) return null;
  const at = Number(Reflect.get(value, "at"));
  const since = Number(Reflect.get(value, "since"));
  return Number.isFinite(at) && Number.isFinite(since) ? { at, since } : null;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
