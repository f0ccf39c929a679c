import { setTimeout as sleep } from "node:timers/promises";
import { toError } from "../core/errors.ts";
import { MB, megabytes } from "../core/limits.ts";
import type { Busy, LeftoverStore, Log, Premises, SharedStore } from "../core/ports.ts";
import type { Outbox } from "./outbox.ts";

/** Between two rounds. */
const ROUND_MS = 10 * 60_000;
/** Between two looks at the size of what lies on the disk. */
const LOOK_MS = 60_000;
/** How long a round is nobody else's. */
const LEASE_MS = 10 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
/** How often, and for how long, a text is tried again that GitHub refused: a suspension may be lifted. */
const REFUSED_REST_MS = 60 * 60_000;
const REFUSED_DAYS = 3;
/** What is removed beyond the bound, so that not every job finds it reached. */
const SLACK = 0.1;
/** How long a stop waits for the round under way. */
const PATIENCE_MS = 2_000;

export interface JanitorDeps {
  premises: Premises;
  leftovers: LeftoverStore;
  shared: SharedStore;
  outbox: Pick<Outbox, "put">;
  busy: Busy;
  /** This process, and the place it keeps its files in. */
  owner: string;
  worker: string;
  /** What DATA_DIR may take of the disk, in MB, and how long the rows of ended jobs are kept, in days. */
  keep: { dataMb: number; days: number };
  log: Log;
}

/** Takes away what no live job owns, beside jobs that run. */
export interface Janitor {
  /** Begins with a round, and goes on with one every ten minutes. */
  start(): void;
  /** One round; what fails in it is logged, and tried again in the next. */
  round(): Promise<void>;
  /** Why no job should begin now, in words for the operator; null while there is room. */
  full(): string | null;
  stop(): Promise<void>;
}

/** Makes a janitor; it does nothing before `start`. */
export function createJanitor(deps: JanitorDeps): Janitor {
  const { premises, leftovers, shared, outbox, busy, owner, worker, keep, log } = deps;
  const bound = keep.dataMb * MB;
  const keepMs = keep.days * DAY_MS;
  const stopped = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let work: Promise<void> = Promise.resolve();
  let roundAt = Number.NEGATIVE_INFINITY;
  let full: string | null = null;

  /** Does what only one process at a time should; a failure waits for the next round. */
  async function alone(name: string, what: () => Promise<void>): Promise<void> {
    if (stopped.signal.aborted) return;
    try {
      if (!(await shared.hold(name, owner, LEASE_MS))) return;
      try {
        await what();
      } finally {
        await shared.letGo(name, owner);
      }
    } catch (thrown) {
      if (!stopped.signal.aborted) {
        log.warn({ err: toError(thrown), name }, "what jobs left could not be cleared away");
      }
    }
  }

  async function clearMachine(): Promise<void> {
    // First what is here, then who of them has ended: what comes in between is in neither.
    const over = await leftovers.over(await premises.jobs(), keepMs);
    await premises.clear(over, busy);
    await measure();
  }

  async function clearShared(): Promise<void> {
    const acts = await leftovers.leftRefs();
    for (const act of acts) await outbox.put(act);
    const texts = await leftovers.revive(REFUSED_REST_MS, REFUSED_DAYS * DAY_MS);
    if (texts > 0) log.info({ texts }, "texts that GitHub refused are tried once more");
    const rows = await leftovers.prune(keepMs);
    if (acts.length + rows > 0) log.info({ refs: acts.length, rows }, "what ended jobs left goes");
  }

  async function measure(): Promise<void> {
    let size = await premises.size();
    if (size > bound) {
      const freed = await premises.shrink(size - bound * (1 - SLACK), busy);
      size -= freed;
    }
    const before = full;
    full =
      size <= bound
        ? null
        : `DATA_DIR takes ${megabytes(size)} of the ${megabytes(bound)} it may (DRAFTSMITH_DATA_MB)`;
    if (full !== null && before === null)
      log.error({ reason: full }, "no job begins until there is room");
    if (full === null && before !== null) log.info({}, "there is room again for jobs");
  }

  async function round(): Promise<void> {
    roundAt = performance.now();
    await alone(`janitor:${worker}`, clearMachine);
    await alone("janitor", clearShared);
  }

  function next(what: () => Promise<void>): void {
    work = what()
      .catch((thrown) => log.warn({ err: toError(thrown) }, "the size of DATA_DIR is not known"))
      .finally(() => {
        if (stopped.signal.aborted) return;
        timer = setTimeout(
          () => next(performance.now() - roundAt >= ROUND_MS ? round : measure),
          LOOK_MS,
        );
        timer.unref();
      });
  }

  return {
    start: () => next(round),
    round,
    full: () => full,
    async stop() {
      stopped.abort();
      clearTimeout(timer);
      await Promise.race([work, sleep(PATIENCE_MS, undefined, { ref: false })]);
    },
  };
}
