import { LostLease } from "../core/errors.ts";
import { GETS_ON, type JobEvent } from "../core/event.ts";
import { type Job, type JobPatch, type JobState, mayMove } from "../core/job.ts";
import type { CommandStore, JobStore, KeptFiles } from "../core/ports.ts";
import { narrowed } from "../core/skill-manifest.ts";
import { refreshBoard, refreshBoards } from "./board.ts";
import type { Holder, Outbox } from "./outbox.ts";

/** One try of a job: its row as last written, and the only way to write it. */
export interface Attempt {
  readonly job: Job;
  /** The claim it rests on. */
  readonly holder: Holder;
  /** Throws unless its next step may begin: called before each. */
  goOn(): void;
  /** Writes fields, events and the files to keep under the fence. Throws LostLease when it is no longer ours. */
  write(patch: JobPatch, events?: JobEvent[], kept?: KeptFiles): Promise<void>;
  /** Changes the state, with the event that tells of it. */
  move(to: JobState, patch?: JobPatch & { reason?: string }, kept?: KeptFiles): Promise<void>;
}

/** Wraps a claimed job; every write shows on the board. */
export function createAttempt(
  claimed: Job,
  claim: Omit<Holder, "jobId" | "fence">,
  deps: {
    jobs: JobStore;
    commands: CommandStore;
    outbox: Outbox;
    /** Takes our own secrets out of a text: a model that knows one may say it anywhere. */
    redact: (text: string) => string;
    now: () => number;
  },
): Attempt {
  const job = { ...claimed };
  async function write(given: JobPatch, said: JobEvent[] = [], kept?: KeptFiles): Promise<void> {
    const { patch, events } = redacted({ patch: given, events: said }, deps.redact);
    if (!(await deps.jobs.write(job.id, job.fence, patch, events, kept))) {
      throw new LostLease(`job ${job.id} belongs to a newer attempt`);
    }
    Object.assign(job, patch);
    // A skill that was taken up makes the job's configuration stricter at once, as its row does when it is read.
    if (patch.skills)
      job.config = narrowed(
        job.config,
        patch.skills.pins.map(({ manifest }) => manifest),
      );
    if (events.some(({ type }) => GETS_ON.has(type))) job.attempts = 1;
    if (patch.state !== undefined) await refreshBoards(deps, job.commandId);
    else if (Object.keys(patch).length > 0) await refreshBoard(deps, job.commandId);
  }
  return {
    job,
    holder: { ...claim, jobId: job.id, fence: job.fence },
    goOn: claim.goOn,
    write,
    async move(to, patch = {}, kept) {
      if (!mayMove(job.state, to)) throw new Error(`a job cannot go from ${job.state} to ${to}`);
      const event: JobEvent = { type: "state", from: job.state, to, reason: patch.reason ?? "" };
      await write({ ...patch, state: to }, job.state === to ? [] : [event], kept);
    },
  };
}

/** Ids of git objects, which are ours: one may hold eight digits of a secret by chance. */
const OBJECT_IDS = new Set(["commit", "parent", "tree", "headSha", "sha", "digest"]);

/** The same value with every text in it redacted: text by text, so that its shape stays. */
function redacted<T>(value: T, redact: (text: string) => string): T {
  return JSON.parse(JSON.stringify(value), (key, each: unknown) =>
    typeof each !== "string" || (OBJECT_IDS.has(key) && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(each))
      ? each
      : redact(each),
  );
}
