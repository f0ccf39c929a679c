import { NoInstallation, TransientError, toError, UserError } from "../core/errors.ts";
import type { RepoRef } from "../core/job.ts";
import {
  type Account,
  type Asked,
  type GateFacts,
  gate,
  isListed,
  type Place,
  type Quotas,
  type Refusal,
  type Standing,
} from "../core/policy.ts";
import type { Delivery, GitHub, IntakeStore, KillSwitch, Log, PullFacts } from "../core/ports.ts";
import { type ConfigProblem, parseRepoConfig, type RepoConfig } from "../core/repo-config.ts";
import type { Request } from "../core/request.ts";

/** Where repositories keep their configuration; read from the default branch only. */
export const CONFIG_PATH = ".github/codex.yml";

export interface GateDeps {
  github: GitHub;
  killSwitch: KillSwitch;
  /** The operator's list of `owner/name` and `owner/*`; null: wherever the App is installed. */
  repositories: readonly string[] | null;
  /** Domains of which repositories may allow some; null: any public one. */
  network: readonly string[] | null;
  quotas: Quotas;
  log: Log;
}

/** What GitHub answered on a repository; without `ground` when it did not, or the file is wrong. */
interface Survey {
  place: Place;
  ground: { defaultBranch: string; config: RepoConfig; pull: PullFacts | null } | null;
  problems: ConfigProblem[];
  failure: Error | null;
}

/** A request that came through everything but the count of what is in use. */
export interface Passed {
  status: "passed";
  facts: GateFacts;
  actor: Account;
  ground: NonNullable<Survey["ground"]>;
}

type Passage =
  | Passed
  /** Nothing more is asked of who ends work. */
  | { status: "admitted"; facts: GateFacts; actor: Account }
  | { status: "refused"; refusal: Refusal; problems: ConfigProblem[] };

/** Asks the gate about a request, learning what it wants to know: cheap questions come first. */
export async function admitRequest(
  asked: Asked,
  request: Request,
  { event, action }: Delivery,
  deps: GateDeps & { intake: IntakeStore },
): Promise<Passage> {
  const { repo, author, issue } = request;
  let facts: GateFacts = { asked, said: { by: "request", event, action, ...request } };
  let survey: Survey | null = null;
  let failure: Error | null = null;
  for (;;) {
    const verdict = gate(facts);
    if (verdict.status === "refused") return refused(verdict, survey, failure);
    if (author === null) throw new Error("the gate stands open");
    if (verdict.status === "admitted") return { status: "admitted", facts, actor: author };
    switch (verdict.needs) {
      case "server": {
        const heard = await deps.intake.heardOf(author.id);
        facts = { ...facts, server: { ...(await serverFacts(repo, deps)), heard } };
        break;
      }
      case "standing": {
        const read = await readStanding(repo, author, deps);
        facts = { ...facts, standing: read.standing };
        // What it was otherwise is in the log, and the person can only ask again.
        failure = read.failure instanceof UserError ? read.failure : null;
        break;
      }
      case "place":
        survey = await surveyPlace(
          repo,
          issue.isPull && asked.kind !== "help" ? issue.number : null,
          deps,
        );
        facts = { ...facts, place: survey.place };
        failure = survey.failure;
        break;
      case "usage":
        if (!survey?.ground) throw new Error("the gate let an unknown place through");
        return { status: "passed", facts, actor: author, ground: survey.ground };
    }
  }
}

/** What this server knows about a repository by itself. */
export async function serverFacts(repo: RepoRef, deps: GateDeps) {
  return {
    listed: isListed(deps.repositories, repo),
    paused: await deps.killSwitch.paused(),
    quotas: deps.quotas,
  };
}

/** What GitHub says about a person and, on the way, about the App; and why it did not say it. */
export async function readStanding(
  repo: RepoRef,
  actor: { id: number; login: string },
  deps: GateDeps,
): Promise<{ standing: Standing; failure: Error | null }> {
  try {
    const role = await deps.github.permission(repo, actor);
    return { standing: { installation: "active", role }, failure: null };
  } catch (thrown) {
    const failure = toError(thrown);
    deps.log[levelOf(failure)]({ err: failure }, "the permission of a person could not be read");
    const installation = failure instanceof NoInstallation ? failure.state : "unknown";
    return { standing: { installation, role: "unknown" }, failure };
  }
}

/** What GitHub says about a repository and, if there is one, the pull request that is worked on. */
export async function surveyPlace(
  repo: RepoRef,
  number: number | null,
  { github, network, log }: GateDeps,
): Promise<Survey> {
  try {
    const [{ archived, defaultBranch }, text, pull] = await Promise.all([
      github.repository(repo),
      github.file(repo, CONFIG_PATH),
      number === null ? null : github.pull(repo, number),
    ]);
    const head = pull === null || pull.sameRepo ? "here" : "fork";
    const read = parseRepoConfig(text ?? "", network);
    return read.ok
      ? {
          place: { archived, enabled: read.config.enabled, head },
          ground: { defaultBranch, config: read.config, pull },
          problems: [],
          failure: null,
        }
      : {
          place: { archived, enabled: "unknown", head },
          ground: null,
          problems: read.problems,
          failure: null,
        };
  } catch (thrown) {
    const failure = toError(thrown);
    log[levelOf(failure)]({ err: failure }, "a repository could not be read");
    const place = { archived: "unknown", enabled: "unknown", head: "unknown" } as const;
    return { place, ground: null, problems: [], failure };
  }
}

/** What GitHub refused or did not answer is expected; everything else is a bug. */
function levelOf(failure: Error): "warn" | "error" {
  const known = failure instanceof UserError || failure instanceof TransientError;
  return known ? "warn" : "error";
}

function refused(refusal: Refusal, survey: Survey | null, failure: Error | null): Passage {
  const reason = failure ? reasonOf(failure, refusal) : refusal.reason;
  return { status: "refused", refusal: { ...refusal, reason }, problems: survey?.problems ?? [] };
}

/** Why something could not be read says more than that it is unknown. */
function reasonOf(failure: Error, refusal: Refusal): string {
  if (failure instanceof UserError) return failure.message;
  if (failure instanceof TransientError) return refusal.reason;
  return "something went wrong on this server; its log has it";
}
