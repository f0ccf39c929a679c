import { toError } from "../core/errors.ts";
import type { Log, SharedStore, Workspaces } from "../core/ports.ts";

/** How often it is looked whether there is news. */
const LOOK_MS = 1_000;
/** How often the others hear that this worker lives, news or not. */
const TELL_MS = 5_000;

/**
 * Tells the others again and again how much this worker has to do and which mirrors it has: jobs go first
 * to where their repository is. Gives what ends it.
 */
export function tellPresence(
  worker: { id: string; slots: () => Promise<number>; busy: () => number },
  {
    shared,
    workspaces,
    log,
  }: { shared: SharedStore; workspaces: Pick<Workspaces, "mirrors">; log: Log },
): { stop(): Promise<void> } {
  let told = "";
  let toldAt = Number.NEGATIVE_INFINITY;
  let telling: Promise<void> = Promise.resolve();

  async function tell(): Promise<void> {
    const mirrors = await workspaces.mirrors();
    const slots = await worker.slots();
    const news = { id: worker.id, slots, busy: worker.busy(), mirrors };
    const text = JSON.stringify(news);
    // After a failure, too.
    const recent = performance.now() - toldAt < TELL_MS;
    if (recent && (told === text || told === "")) return;
    await shared.seen(news);
    told = text;
    toldAt = performance.now();
  }

  let under = false;
  function look(): void {
    if (under) return;
    under = true;
    telling = tell()
      .catch((thrown) => {
        toldAt = performance.now();
        told = "";
        log.warn({ err: toError(thrown) }, "the other workers could not be told of this one");
      })
      .finally(() => {
        under = false;
      });
  }

  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  look();
  return {
    async stop() {
      clearInterval(timer);
      await telling;
    },
  };
}
