import { setTimeout as sleep } from "node:timers/promises";
import {
  type Act,
  type ActKind,
  type ActOf,
  type ActValues,
  jobOfLane,
  type OutboxRow,
  redactedAct,
} from "../core/act.ts";
import { TransientError, toError, UserError } from "../core/errors.ts";
import { isTerminal } from "../core/job.ts";
import type { JobStore, KeyedAct, KillSwitch, Log, OutboxStore, Performer } from "../core/ports.ts";

/**
 * Tries before an act of a job is given up; with the waits below about half an hour. Texts are never
 * given up for a failure that may pass: the last one tells how everything ended.
 */
const MAX_ATTEMPTS = 15;
const MAX_REFUSALS = 5;
const MAX_WAIT_MS = 5 * 60_000;
/** How soon to try again when the store failed. */
const STORE_RETRY_MS = 1000;
/** How soon to look again while something due could not be performed. */
const BUSY_LOOK_MS = 250;
/** How soon to look again whether a job asks again for what it left behind. */
const LEFT_LOOK_MS = 1000;
/** Between two edits of one comment. */
const EDIT_INTERVAL_MS = 3000;

/** The one gate for writes to GitHub: stored first, then performed, in order within a lane. */
export interface Outbox {
  /** Stores an act and lets it be performed soon; an edit waits for its turn unless it is the `last`. */
  put(act: KeyedAct, options?: { last?: boolean }): Promise<void>;
  /** Stores an act and waits until it is done. Throws UserError when it never will be. */
  perform<K extends ActKind>(key: string, lane: string, act: ActOf<K>): Promise<ActValues[K]>;
  /** Performs whatever is due; called after acts were stored by other means. */
  wake(): void;
  /** Lets running acts end and performs no more. */
  stop(): Promise<void>;
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * Starts the outbox. Texts that an earlier process left pending are performed at the first wake; what
 * publishes a change is performed only while its job waits for it.
 */
export function createOutbox(deps: {
  store: OutboxStore;
  jobs: Pick<JobStore, "job">;
  /** While the operator pauses the server nothing is published, whoever waits for it. */
  killSwitch: KillSwitch;
  performer: Performer;
  /** Takes secrets out of every text that leaves. */
  redact: (text: string) => string;
  now: () => number;
  log: Log;
}): Outbox {
  const { store, jobs, killSwitch, performer, redact, now, log } = deps;
  const waiters = new Map<string, Waiter[]>();
  const busyLanes = new Set<string>();
  const running = new Set<Promise<void>>();
  /** When each comment was last written, in ms since the epoch; pull requests are edited seldom. */
  const written = new Map<string, number>();
  /** Keys whose last edit is under way: it does not wait for its turn. */
  const unpaced = new Set<string>();
  const stopped = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let draining: Promise<void> | null = null;
  let again = false;
  let left = false;

  function wake(): void {
    if (stopped.signal.aborted) return;
    again = true;
    draining ??= drain()
      .catch((error) => {
        log.error({ err: toError(error) }, "the outbox cannot read its store; trying again");
        schedule(now() + STORE_RETRY_MS);
      })
      .finally(() => {
        draining = null;
        if (again) wake();
      });
  }

  async function drain(): Promise<void> {
    while (again && !stopped.signal.aborted) {
      again = false;
      left = false;
      for (const row of await store.due(now())) {
        if (busyLanes.has(row.lane)) continue;
        if (isAsked(row.act) && !waiters.has(row.key)) {
          left = true;
          await giveUp(row);
          continue;
        }
        if (isAsked(row.act) && (await killSwitch.paused()) !== null) {
          left = true;
          continue;
        }
        busyLanes.add(row.lane);
        const work = deliver(row).finally(() => {
          busyLanes.delete(row.lane);
          running.delete(work);
          wake();
        });
        running.add(work);
      }
    }
    const next = await store.nextDue();
    // What is due already waits for its lane or came due since the last look.
    if (next !== null) schedule(Math.max(next, now() + (left ? LEFT_LOOK_MS : BUSY_LOOK_MS)));
  }

  /**
   * Nobody asks (any more) for what would publish a change: its job has to pass the gate again first.
   * One that ended will never ask.
   */
  async function giveUp(row: OutboxRow): Promise<void> {
    const id = jobOfLane(row.lane);
    const job = id === null ? null : await jobs.job(id);
    if (job !== null && !isTerminal(job.state)) return;
    await store.dead(row.id, row.version, "its job ended before");
    again = true;
  }

  function schedule(at: number): void {
    clearTimeout(timer);
    timer = setTimeout(wake, Math.min(Math.max(0, at - now()), MAX_WAIT_MS));
    timer.unref();
  }

  async function deliver(row: OutboxRow): Promise<void> {
    let value: ActValues[ActKind];
    try {
      // Anew: a secret may have been learnt since it was stored.
      value = await performer.perform(redactedAct(row.act, redact), previousOf(row), row.lane);
    } catch (thrown) {
      return stored(row, () => fail(row, toError(thrown)));
    }
    await stored(row, async () => {
      if (row.act.kind === "comment") note(row.key);
      const newest = await store.done(row.id, row.version, value, nextEdit(row.key));
      if (newest) settle(row.key, (waiter) => waiter.resolve(value));
    });
  }

  /** An outcome that could not be stored is found out again: every act may be performed twice. */
  async function stored(row: OutboxRow, store: () => Promise<void>): Promise<void> {
    try {
      await store();
    } catch (thrown) {
      log.error({ err: toError(thrown), act: row.act.kind }, "the outbox cannot store an outcome");
      await sleep(STORE_RETRY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  }

  function note(key: string): void {
    for (const [old, at] of written) {
      if (at > now() - EDIT_INTERVAL_MS) continue;
      written.delete(old);
      unpaced.delete(old);
    }
    written.set(key, now());
  }

  function nextEdit(key: string): number {
    const last = unpaced.has(key) ? undefined : written.get(key);
    return last === undefined ? now() : Math.max(now(), last + EDIT_INTERVAL_MS);
  }

  async function fail(row: OutboxRow, error: Error): Promise<void> {
    const attempts = row.attempts + 1;
    const passing = error instanceof TransientError;
    // A text that is refused is tried a few times more: the last one tells how everything ended.
    const most = isText(row.act)
      ? passing
        ? Number.POSITIVE_INFINITY
        : MAX_REFUSALS
      : passing
        ? MAX_ATTEMPTS
        : 1;
    if (attempts < most) {
      const wait =
        Math.min(MAX_WAIT_MS, 1000 * 2 ** Math.min(row.attempts, 10)) * (0.75 + Math.random() / 2);
      const at = Math.max((passing && error.retryAt) || 0, now() + wait);
      log.warn(
        { act: row.act.kind, attempts, reason: error.message },
        "a write to GitHub will be tried again",
      );
      await store.retry(row.id, at, redact(error.message));
      return;
    }
    log.error({ err: error, act: row.act.kind, key: row.key }, "a write to GitHub was given up");
    await store.dead(row.id, row.version, redact(error.message));
    const told =
      error instanceof UserError
        ? error
        : new UserError(`GitHub did not take a write (${row.act.kind}): ${error.message}`);
    settle(row.key, (waiter) => waiter.reject(told));
  }

  function settle(key: string, how: (waiter: Waiter) => void): void {
    const waiting = waiters.get(key) ?? [];
    waiters.delete(key);
    for (const waiter of waiting) how(waiter);
  }

  return {
    wake,
    async put(keyed, options) {
      if (options?.last) unpaced.add(keyed.key);
      else unpaced.delete(keyed.key);
      const act = redactedAct(keyed.act, redact);
      await store.put({ ...keyed, act }, nextEdit(keyed.key));
      wake();
    },
    async perform(key, lane, act) {
      stopped.signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      // It may be rejected by stop() before anybody waits for it here.
      promise.catch(() => undefined);
      const waiter = { resolve, reject };
      waiters.set(key, [...(waiters.get(key) ?? []), waiter]);
      try {
        const row = await store.put({ key, lane, act: redactedAct(act, redact) }, now());
        if (row.state === "done") resolve(row.result);
        else if (row.state === "dead") reject(new UserError(String(row.result)));
        else wake();
        // It may have stopped while the act was stored.
        stopped.signal.throwIfAborted();
        return (await promise) as ActValues[typeof act.kind];
      } finally {
        const others = (waiters.get(key) ?? []).filter((each) => each !== waiter);
        if (others.length > 0) waiters.set(key, others);
        else waiters.delete(key);
      }
    },
    async stop() {
      stopped.abort(new Error("the server is stopping"));
      clearTimeout(timer);
      for (const key of [...waiters.keys()]) {
        settle(key, (waiter) => waiter.reject(toError(stopped.signal.reason)));
      }
      await draining;
      await Promise.allSettled(running);
    },
  };
}

/** What publishes a change is never done behind the back of its job. */
function isAsked(act: Act): boolean {
  return ["push", "commit", "branch", "pull"].includes(act.kind);
}

/** Texts may be edited again and again; everything else is done once. */
function isText(act: Act): boolean {
  return act.kind === "comment" || act.kind === "pull_body";
}

function previousOf(row: OutboxRow): ActValues[ActKind] | null {
  return row.result as ActValues[ActKind] | null;
}
