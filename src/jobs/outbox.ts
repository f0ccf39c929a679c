import { setTimeout as sleep } from "node:timers/promises";
import {
  type ActKind,
  type ActOf,
  type ActValues,
  ASKED_ACTS,
  type OutboxRow,
  redactedAct,
} from "../core/act.ts";
import { LostLease, TransientError, toError, UserError } from "../core/errors.ts";
import type { RepoRef } from "../core/job.ts";
import type { KeyedAct, KillSwitch, Log, OutboxStore, Performer, Told } from "../core/ports.ts";
import { mostTries, waitAfter } from "./act-tries.ts";
import { createPutOff, LONG_WAIT_MS, spacingOf } from "./pacing.ts";
import { createWaiters } from "./waiters.ts";

/** How soon to try again when the store failed. */
const STORE_RETRY_MS = 1000;
/** How soon to look again for what another process left. */
const LOOK_MS = 2000;
/** How soon to look again while a row that is due waits for its turn. */
const BUSY_LOOK_MS = 250;
/** How long a process may take to perform an act before another takes it over. */
const LEASE_MS = 30_000;
/** Of a lease, what is kept for the way to GitHub. */
const MARGIN_MS = 5000;
/** Acts that are performed at the same time: GitHub takes 100 calls at once, and there are others. */
const MOST_AT_ONCE = 50;

/** A claim of a job: what it asks for is done only while the claim holds. */
export interface Holder {
  jobId: string;
  fence: number;
  /** Aborted when nobody waits for its acts any more, with why. */
  signal: AbortSignal;
  /** Throws when the claim may have gone to another, or the job is to end at once: asked before each write. */
  insist(): void;
  /** The same, and throws when the next act is not to begin. */
  goOn(): void;
}

/** An act that tells of rows; whether it is the last of its kind. */
export type Telling = { keyed: KeyedAct; last: boolean };

/** The one gate for writes to GitHub: stored first, then performed, in order within a lane. */
export interface Outbox {
  /** Stores an act and lets it be performed soon; an edit waits for its turn unless it is the `last`. */
  put(act: KeyedAct, options?: { last?: boolean }): Promise<void>;
  /** The same for what tells of a command's present rows; gives the commands whose jobs those go on with. */
  tell(commandId: string, make: (told: Told) => Telling[]): Promise<string[]>;
  /**
   * Stores an act of a job and waits until it is done. Throws UserError when it never will be, LostLease
   * when the job went to another, and why it is to end when it is: after the request that is under way, so
   * that what GitHub did is known.
   */
  perform<K extends ActKind>(
    key: string,
    lane: string,
    act: ActOf<K>,
    holder: Holder,
  ): Promise<ActValues[K]>;
  /** What an act gave that was done; null before that. */
  valueOf<K extends ActKind>(key: string): Promise<ActValues[K] | null>;
  /** Performs whatever is due; called after acts were stored by other means. */
  wake(): void;
  /** Lets running acts end and performs no more. */
  stop(): Promise<void>;
}

/**
 * Starts the outbox. Texts that any process left pending are performed by whoever comes first; what
 * publishes a change is performed only while its job waits for it.
 */
export function createOutbox(deps: {
  store: OutboxStore;
  /** This process. */
  owner: string;
  /** Whether this process can push; another one performs what takes a push then. */
  byGit: boolean;
  /** Whether the host is known to take only so many writes; of another one that is learnt from its answers. */
  paced?: boolean;
  /** While the operator pauses the server nothing is published, whoever waits for it. */
  killSwitch: KillSwitch;
  performer: Performer;
  /** Where a repository is by now, which the rows say from then on; null where it was. */
  follow: (repo: RepoRef) => Promise<RepoRef | null>;
  /** Takes secrets out of every text that leaves. */
  redact: (text: string) => string;
  now: () => number;
  log: Log;
}): Outbox {
  const except: ActKind[] = deps.byGit ? [] : ["keep", "delete_ref"];
  const { store, owner, paced = false, killSwitch, performer, redact, now, log } = deps;
  const waiters = createWaiters<Holder>();
  const { reject } = waiters;
  const running = new Map<number, Promise<void>>();
  /** The acts that are performed now by their keys, and what cuts them off. */
  const underWay = new Map<string, AbortController>();
  const stopped = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const putOff = createPutOff({ reject, now, log });
  let draining: Promise<void> | null = null;
  let again = false;

  function wake(): void {
    if (stopped.signal.aborted) return;
    again = true;
    draining ??= drain()
      .catch((error) => {
        log.error({ err: toError(error) }, "the outbox cannot read its store; trying again");
        schedule(STORE_RETRY_MS);
      })
      .finally(() => {
        draining = null;
        if (again) wake();
      });
  }

  async function drain(): Promise<void> {
    let asked: string[] = [];
    while (again && !stopped.signal.aborted) {
      again = false;
      const most = MOST_AT_ONCE - running.size;
      // The next one that ends wakes it.
      if (most <= 0) break;
      asked = (await killSwitch.paused()) === null ? waiters.keys() : [];
      const until = performance.now() + LEASE_MS - MARGIN_MS;
      const due = await store.take({ owner, leaseMs: LEASE_MS, asked, except, most, paced });
      if (due.length === most) again = true;
      putOff(due);
      for (const row of due) {
        // Ours since a lease that ran out: it is under way still.
        if (row.putOffMs > 0 || running.has(row.id)) continue;
        const cut = new AbortController();
        underWay.set(row.key, cut);
        const work = deliver(row, until, cut.signal).finally(() => {
          running.delete(row.id);
          underWay.delete(row.key);
          for (const waiter of waiters.of(row.key)) {
            if (waiter.holder.signal.aborted) waiter.reject(toError(waiter.holder.signal.reason));
          }
          wake();
        });
        running.set(row.id, work);
      }
    }
    const wait = await store.dueIn(asked, except);
    schedule(wait === null ? LOOK_MS : Math.max(wait, BUSY_LOOK_MS));
  }

  function schedule(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(wake, Math.min(ms, LOOK_MS));
    timer.unref();
  }

  async function deliver(row: OutboxRow, until: number, signal: AbortSignal): Promise<void> {
    let value: ActValues[ActKind];
    let refused: Error | null = null;
    // Called right before each write: a process that was stopped for a while must not go on with it.
    const insist = () => {
      try {
        const holders = waiters.of(row.key).map(({ holder }) => holder);
        for (const holder of holders) holder.insist();
        if (performance.now() > until) throw new LostLease("the act was taken over");
        if (holders.length === 0 && ASKED_ACTS.includes(row.act.kind)) {
          throw new LostLease("nobody waits for the act any more");
        }
      } catch (thrown) {
        refused = toError(thrown);
        throw refused;
      }
    };
    try {
      // Anew: a secret may have been learnt since it was stored.
      const act = redactedAct(row.act, redact);
      const by = { lane: row.lane, insist, signal };
      value = await performer.perform(act, previousOf(row), by);
    } catch (thrown) {
      const end = refused ?? (thrown instanceof LostLease ? thrown : null);
      if (end !== null) return reject(row.key, end);
      if (signal.aborted) {
        // Nothing was wrong with it: whoever asks for it next finds what stands.
        await stored(row, () => store.retry(row.id, owner, 0, "cut off", false));
        return reject(row.key, toError(signal.reason));
      }
      return stored(row, () => fail(row, toError(thrown)));
    }
    await stored(row, async () => {
      const newest = await store.done(row.id, owner, row.version, value);
      if (newest) waiters.resolve(row.key, value);
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

  async function fail(row: OutboxRow, error: Error): Promise<void> {
    const attempts = row.attempts + 1;
    const passing = error instanceof TransientError;
    if (attempts < mostTries(row.act, passing)) {
      // A job that waits has looked for its repository itself.
      const wandered = error instanceof UserError && !ASKED_ACTS.includes(row.act.kind);
      if (wandered && (await deps.follow(row.act.repo)) !== null) {
        return store.retry(row.id, owner, 0, redact(error.message));
      }
      const asked = passing && error.retryAt !== undefined ? error.retryAt - now() : 0;
      log.warn(
        { act: row.act.kind, attempts, reason: error.message },
        "a write to GitHub will be tried again",
      );
      const unknown = passing && row.result === null;
      const wait = Math.max(asked, waitAfter(row.attempts, row.act, unknown));
      // A job gives its place up for so long; that it has to wait is no fault of the act.
      const parted = asked > LONG_WAIT_MS && ASKED_ACTS.includes(row.act.kind);
      await store.retry(row.id, owner, wait, redact(error.message), !parted);
      if (parted) reject(row.key, error);
      return;
    }
    log.error({ err: error, act: row.act.kind, key: row.key }, "a write to GitHub was given up");
    await store.dead(row.id, owner, row.version, redact(error.message));
    const told =
      error instanceof UserError
        ? error
        : new UserError(`GitHub did not take a write (${row.act.kind}): ${error.message}`);
    reject(row.key, told);
  }

  function redacted(keyed: KeyedAct): KeyedAct {
    return { ...keyed, act: redactedAct(keyed.act, redact) };
  }

  return {
    wake,
    async put(keyed, options) {
      await store.put(redacted(keyed), spacingOf(keyed.act, options?.last));
      wake();
    },
    async tell(commandId, make) {
      const ready = ({ keyed, last }: Telling) => {
        return { keyed: redacted(keyed), spacingMs: spacingOf(keyed.act, last) };
      };
      const before = await store.putTold(commandId, (told) => make(told).map(ready));
      wake();
      return before;
    },
    async perform(key, lane, act, holder) {
      stopped.signal.throwIfAborted();
      holder.goOn();
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      // It may be rejected by stop() before anybody waits for it here.
      promise.catch(() => undefined);
      const waiter = { holder, resolve, reject };
      const { signal } = holder;
      const end = () => {
        underWay.get(key)?.abort(signal.reason);
        if (signal.reason instanceof LostLease || !underWay.has(key)) reject(signal.reason);
      };
      signal.addEventListener("abort", end, { once: true });
      waiters.add(key, waiter);
      try {
        const row = await store.putHeld(redacted({ key, lane, act }), holder);
        if (row === null) throw new LostLease(`job ${holder.jobId} belongs to a newer attempt`);
        if (row.state === "done") resolve(row.result);
        else if (row.state === "dead") reject(new UserError(String(row.result)));
        else wake();
        // It may have stopped while the act was stored.
        stopped.signal.throwIfAborted();
        return (await promise) as ActValues[typeof act.kind];
      } finally {
        signal.removeEventListener("abort", end);
        waiters.remove(key, waiter);
      }
    },
    async valueOf<K extends ActKind>(key: string) {
      const row = await store.get(key);
      return row?.state === "done" ? (row.result as ActValues[K] | null) : null;
    },
    async stop() {
      stopped.abort(new Error("the server is stopping"));
      clearTimeout(timer);
      for (const key of waiters.keys()) reject(key, toError(stopped.signal.reason));
      for (const cut of underWay.values()) cut.abort(stopped.signal.reason);
      await draining;
      await Promise.allSettled(running.values());
    },
  };
}

function previousOf(row: OutboxRow): ActValues[ActKind] | null {
  return row.result as ActValues[ActKind] | null;
}
