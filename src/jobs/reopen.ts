import { broughtBack } from "../agents/notices.ts";
import type {
  GitHub,
  KeptFiles,
  Log,
  SnapshotStore,
  Workspace,
  Workspaces,
} from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";
import { type PrepareDeps, prepare } from "./prepare.ts";
import { packOf } from "./shelf.ts";
import type { Transcript } from "./transcript.ts";

export interface ReopenDeps extends PrepareDeps {
  github: GitHub;
  workspaces: Workspaces;
  snapshots: SnapshotStore;
  log: Log;
}

/**
 * The workspace in which a conversation goes on: the one it stopped in, or, where that is lost or was
 * another worker's, a new one with the files that were kept. `transcript` is told which.
 */
export async function reopen(
  attempt: Attempt,
  transcript: Transcript,
  deps: ReopenDeps,
  signal: AbortSignal,
): Promise<Workspace> {
  const { job } = attempt;
  const { repo, baseSha: sha, fence } = job;
  let commit: string | null = null;
  const workspace = await deps.workspaces.open({
    ...{ jobId: job.id, repo, sha, fence, resume: transcript.fence },
    async from() {
      const kept = await deps.snapshots.kept(job.id);
      commit = kept !== null && (await unpacked(attempt, kept, deps)) ? kept.commit : null;
      return commit;
    },
  });
  if (workspace.resumed) return workspace;
  // What setup made is in no snapshot. The files may be in any state, so that it fails is no end.
  const setup = await prepare(workspace, attempt, deps, signal);
  const stands = commit ?? sha;
  const lost = (transcript.commit === undefined ? sha : transcript.commit) !== stands;
  const restored = { type: "restored", fence, commit: stands, lost, setup } as const;
  transcript.commit = stands;
  transcript.notice = broughtBack(restored);
  if (lost) deps.log.warn({ jobId: job.id }, "a job goes on with the files of an earlier step");
  await attempt.write({}, [restored]);
  return workspace;
}

async function unpacked(
  { job }: Attempt,
  kept: KeptFiles,
  { github, workspaces, log }: ReopenDeps,
): Promise<boolean> {
  const { commit } = kept;
  const pack = await packOf(job, kept, { github, workspaces });
  const { id: jobId, repo, baseSha: parent } = job;
  const whole = pack !== null && (await workspaces.unpack({ jobId, repo, parent, commit, pack }));
  if (!whole) log.warn({ jobId: job.id, commit }, "the files that were kept cannot be read");
  return whole;
}
