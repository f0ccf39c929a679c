import { toError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";

/** Whoever asks more often gets the same answer: each costs a write. */
const KEPT_MS = 1_000;
/** From when on what has not answered does not work. */
const PATIENCE_MS = 8_000;

/**
 * Whether the server can do its work: each part is tried and throws when it does not work. What changed
 * since the last answer is logged.
 */
export function createHealth({
  parts,
  log,
}: {
  parts: Record<string, () => Promise<void>>;
  log: Log;
}): () => Promise<boolean> {
  const ill = new Map<string, string>();
  let kept: { answer: Promise<boolean>; until: number } | null = null;

  async function tryPart(name: string, works: () => Promise<void>): Promise<boolean> {
    const reason = await inTime(works()).then(
      () => null,
      (thrown: unknown) => toError(thrown).message,
    );
    const before = ill.get(name);
    if (reason !== null && before === undefined) log.error({ part: name, reason }, "degraded");
    if (reason === null && before !== undefined) log.info({ part: name }, "works again");
    if (reason === null) ill.delete(name);
    else ill.set(name, reason);
    return reason === null;
  }

  return () => {
    if (kept !== null && performance.now() < kept.until) return kept.answer;
    const all = Object.entries(parts).map(([name, works]) => tryPart(name, works));
    const answer = Promise.all(all).then((each) => each.every(Boolean));
    kept = { answer, until: performance.now() + KEPT_MS };
    return answer;
  };
}

function inTime(work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${PATIENCE_MS / 1000} s`));
    const timer = setTimeout(late, PATIENCE_MS);
    timer.unref();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
