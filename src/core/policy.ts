import {
  PLACE_RULES,
  SAID_RULES,
  SERVER_RULES,
  STANDING_RULES,
  USAGE_RULES,
} from "./gate-rules.ts";
import type { RepoRef } from "./job.ts";
import type { Request } from "./request.ts";
import type { Role } from "./role.ts";

export type { Account } from "./request.ts";

/** What is to happen. `publish` is the second look, at work that was admitted when it was asked for. */
export type Asked =
  | { kind: "help" }
  /** `reads`: nothing of it writes to the repository. */
  | { kind: "start"; tasks: number; reads?: boolean }
  /** To let a change leave that was held back. */
  | { kind: "allow" }
  /** To end work that is under way. */
  | { kind: "stop" }
  | { kind: "publish"; needs: "write" | "admin" };

/** How many jobs may be open at a time, and how many commands are heard from one person in an hour. */
export interface Quotas {
  person: number;
  repository: number;
  installation: number;
  commandsPerHour: number;
}

/** Jobs that have not ended, and comments heard from the person in the last hour without this one. */
export interface Usage {
  open: { person: number; repository: number; installation: number };
  heard: number;
}

/** What the webhook said; or, for a second look, whose work it is that was admitted `earlier`. */
export type Said =
  | ({ by: "request"; event: string; action: string | null } & Pick<
      Request,
      "way" | "author" | "sender" | "viaApp" | "edited" | "association"
    >)
  | { by: "earlier"; login: string };

/** What this server knows by itself. */
export interface ServerFacts {
  /** Whether the operator lets it work for the repository. */
  listed: boolean;
  /** Why the operator paused it; null when it runs. */
  paused: string | null;
  quotas: Quotas;
  /** As in Usage, counted some time before. */
  heard: number;
}

/** What GitHub says about the person; "unknown" when it did not. */
export interface Standing {
  installation: "active" | "suspended" | "absent" | "unknown";
  role: Role | "unknown";
}

/** What GitHub says about the place of the work; "unknown" when it did not. */
export interface Place {
  archived: boolean | "unknown";
  /** Whether the repository has Draftsmith switched on. */
  enabled: boolean | "unknown";
  /** Where the code lies that would be run. */
  head: "here" | "fork" | "unknown";
}

/** Everything the gate looks at, in the order in which it is learnt. */
export interface GateFacts {
  asked: Asked;
  said: Said;
  server?: ServerFacts;
  standing?: Standing;
  place?: Place;
  usage?: Usage;
}

export interface Refusal {
  status: "refused";
  rule:
    | "event"
    | "person"
    | "sender"
    | "app"
    | "edited"
    | "listed"
    | "flood"
    | "installation"
    | "role"
    | "paused"
    | "archived"
    | "enabled"
    | "fork"
    | "rate"
    | "quota";
  /** A clause for the person who asked. */
  reason: string;
  /** Whether that person is told: each time, once an hour on the same issue, or not at all. */
  told: "always" | "hourly" | "never";
  /** Whether it may be otherwise soon without anybody asking again. */
  passing: boolean;
}

/** `undecided` names what has to be learnt next; nothing is admitted before all of it is known. */
export type Verdict =
  | { status: "admitted" }
  | { status: "undecided"; needs: "server" | "standing" | "place" | "usage" }
  | Refusal;

/**
 * The one gate: every way to start, steer or end work passes it. The first rule that does not hold
 * refuses, and a fact that nobody could tell holds nowhere.
 */
export function gate(facts: GateFacts): Verdict {
  const { server, standing, place, usage } = facts;
  const said = firstRefusal(SAID_RULES, facts);
  if (said) return said;
  if (!server) return { status: "undecided", needs: "server" };
  const refusedHere = firstRefusal(SERVER_RULES, { ...facts, server });
  if (refusedHere) return refusedHere;
  if (!standing) return { status: "undecided", needs: "standing" };
  const refusedPerson = firstRefusal(STANDING_RULES, { ...facts, server, standing });
  if (refusedPerson) return refusedPerson;
  // Ending work takes nothing that a place or a quota could refuse.
  if (facts.asked.kind === "stop") return { status: "admitted" };
  if (!place) return { status: "undecided", needs: "place" };
  const refusedPlace = firstRefusal(PLACE_RULES, { ...facts, place });
  if (refusedPlace) return refusedPlace;
  // It was counted when its command came.
  if (facts.asked.kind === "publish") return { status: "admitted" };
  if (!usage) return { status: "undecided", needs: "usage" };
  return firstRefusal(USAGE_RULES, { ...facts, server, usage }) ?? { status: "admitted" };
}

function firstRefusal<F>(rules: readonly ((facts: F) => Refusal | null)[], facts: F) {
  for (const rule of rules) {
    const refusal = rule(facts);
    if (refusal) return refusal;
  }
  return null;
}

/** Whether a repository is on the operator's list of `owner/name` and `owner/*`; null lists all. */
export function isListed(list: readonly string[] | null, repo: RepoRef): boolean {
  if (list === null) return true;
  const owner = repo.owner.toLowerCase();
  const names = [`${owner}/*`, `${owner}/${repo.name.toLowerCase()}`];
  return list.some((entry) => names.includes(entry.toLowerCase()));
}
