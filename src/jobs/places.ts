import { setTimeout as sleep } from "node:timers/promises";
import { toError } from "../core/errors.ts";
import { isWorthTelling, placesInLine } from "../core/line.ts";
import type { Log, QueueStore, SharedStore } from "../core/ports.ts";
import { refreshBoard, refreshBoards } from "./board.ts";
import type { Outbox } from "./outbox.ts";

const NAME = "places";
const EVERY_MS = 15_000;
/** Longer than one look to the next: who keeps it is the only one that tells. It shows that a process is there, too. */
const HOLD_MS = 40_000;
/** How far boards were looked after whose jobs ended. */
const TOLD = "told";
/** How far before the last look the next one begins: clocks differ, and a board takes its time. */
const OVERLAP_MS = 2 * 60_000;
/** How far back the first look goes. */
const FIRST_MS = 24 * 60 * 60_000;
/** Boards that are told anew in one look: GitHub takes 80 such writes a minute. */
const MOST_BOARDS = 10;

interface PlacesDeps {
  queue: QueueStore;
  shared: SharedStore;
  outbox: Outbox;
  /** This process. */
  owner: string;
  now: () => number;
  log: Log;
}

/** Says on boards how many go before the jobs that wait, and endings that nobody told, until `stop`. Of many processes one does so. */
export function tellPlaces(deps: PlacesDeps): { stop(): Promise<void> } {
  const { shared, owner, log } = deps;
  const stopped = new AbortController();
  const { signal } = stopped;

  async function watch(): Promise<void> {
    while (!signal.aborted) {
      try {
        if (await shared.hold(NAME, owner, HOLD_MS)) {
          await tellEndings(deps);
          await tellOnce(deps);
        }
      } catch (thrown) {
        log.warn({ err: toError(thrown) }, "which jobs go first could not be told");
      }
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  const watching = watch();
  return {
    async stop() {
      stopped.abort(new Error("the server is stopping"));
      await watching;
      await shared
        .letGo(NAME, owner)
        .catch((thrown) => log.warn({ err: toError(thrown) }, "a lease was left to its end"));
    },
  };
}

/**
 * Tells the endings again that came since the last time: who stored one may have died before its board said
 * so. A board that says so already stays as it is.
 */
export async function tellEndings({
  queue,
  shared,
  outbox,
  now,
}: Pick<PlacesDeps, "queue" | "shared" | "outbox" | "now">): Promise<void> {
  const at = now();
  const before = await shared.cursor(TOLD);
  const since = before === null ? at - FIRST_MS : Math.min(Number(before), at) - OVERLAP_MS;
  for (const commandId of await queue.endedSince(since)) {
    await refreshBoards({ outbox }, commandId);
  }
  await shared.setCursor(TOLD, String(at));
}

/** Tells once, the next ones first; a board at most once. */
export async function tellOnce({ queue, outbox }: Pick<PlacesDeps, "queue" | "outbox">) {
  const queued = await queue.queued();
  const places = placesInLine(queued, await queue.served());
  const boards = new Set<string>();
  const moved = queued
    .flatMap((job) => {
      const place = places.get(job.id);
      return place === undefined ? [] : [{ ...job, place }];
    })
    .sort((a, b) => a.place - b.place);
  for (const { id, commandId, ahead, place } of moved) {
    const told = boards.has(commandId);
    if (!told && (boards.size >= MOST_BOARDS || !isWorthTelling(ahead, place))) continue;
    if (ahead !== place) await queue.place(id, place);
    boards.add(commandId);
  }
  for (const commandId of boards) await refreshBoard({ outbox }, commandId);
}
