import type { Sandbox, Workspaces } from "../core/ports.ts";

/** What a job acts with. */
interface Means {
  sandbox: Sandbox;
  workspaces: Workspaces;
}

/**
 * The same means for one attempt: its claim is looked at before each command and each
 * snapshot, so that a process that slept or was cut off does nothing more when it wakes. A fetch, which
 * other jobs may share, is no longer waited for once `signal` aborts.
 */
export function fenced<D extends Means>(deps: D, insist: () => void, signal: AbortSignal): D {
  const { sandbox, workspaces } = deps;
  return {
    ...deps,
    sandbox: {
      check: () => sandbox.check(),
      room: () => sandbox.room(),
      run(command) {
        insist();
        return sandbox.run(command);
      },
    } satisfies Sandbox,
    workspaces: {
      ...workspaces,
      fetch: (repo, shas, token) => unless(signal, workspaces.fetch(repo, shas, token)),
      async pack(request) {
        insist();
        return workspaces.pack(request);
      },
      async snapshot(...given) {
        insist();
        return workspaces.snapshot(...given);
      },
    } satisfies Workspaces,
  };
}

/** Waits for `work` until the signal aborts; then throws its reason. */
async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
