import { hostWords } from "../core/denied-hosts.ts";
import type { Sandbox, Workspace } from "../core/ports.ts";
import { exitWords, howStopped } from "../core/stopped.ts";
import type { Attempt } from "./attempt.ts";
import { runCommands } from "./verify.ts";

export interface PrepareDeps {
  sandbox: Sandbox;
}

/** Runs the repository's setup commands; a sentence when one fails. */
export async function prepare(
  workspace: Workspace,
  attempt: Attempt,
  deps: PrepareDeps,
  signal: AbortSignal,
): Promise<string | null> {
  const { job } = attempt;
  const evidence = await runCommands(deps.sandbox, workspace, job, job.config.setup, {
    signal,
    stopAtFailure: true,
  });
  await attempt.write(
    {},
    evidence.map((check) => ({ type: "evidence", evidence: check })),
  );
  const failed = evidence.find((check) => check.exitCode !== 0);
  if (!failed) return null;
  const how = failed.stopped
    ? `was ${howStopped(failed.stopped)}`
    : `ended with exit code ${exitWords(failed.exitCode)}`;
  const tail = failed.output.trim().split("\n").slice(-3).join(" / ");
  const { deniedHosts } = failed;
  const refused =
    deniedHosts.length > 0
      ? `; it tried to reach ${hostWords(deniedHosts, job.config.network)}`
      : "";
  return `the setup command \`${failed.command}\` ${how}${refused}: ${tail}`;
}
