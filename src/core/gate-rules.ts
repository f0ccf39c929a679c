import { count } from "./messages/words.ts";
import type { Account, GateFacts, Place, Refusal, ServerFacts, Standing, Usage } from "./policy.ts";
import type { Way } from "./request.ts";
import { includesRole } from "./role.ts";

/** Refuses by one rule, or lets the next one look. */
type Check<F> = (facts: F) => Refusal | null;

/** The events that bring each kind of request. */
const BROUGHT_BY: Record<Way["kind"], readonly string[]> = {
  comment: ["issue_comment.created"],
  review_comment: ["pull_request_review_comment.created"],
  review: ["pull_request_review.submitted"],
  opened: ["issues.opened", "pull_request.opened"],
  labeled: ["issues.labeled"],
  assigned: ["issues.assigned"],
};

/** Comments in an hour, as a multiple of what is allowed, after which GitHub is not even asked. */
const FLOOD = 2;

/** What the webhook says by itself: something new, written and sent by one and the same person. */
export const SAID_RULES: readonly Check<GateFacts>[] = [
  function event({ asked, said }) {
    const holds =
      said.by === "request"
        ? asked.kind !== "publish" &&
          BROUGHT_BY[said.way.kind].includes(`${said.event}.${said.action}`)
        : asked.kind === "publish";
    return holds ? null : refuse("event", "only what is new can start or steer work", "never");
  },
  function person({ said }) {
    if (said.by === "earlier") return null;
    if (isPerson(said.author) && isPerson(said.sender)) return null;
    return refuse("person", "only people can start work, not bots or organisations", "never");
  },
  function sender({ said }) {
    if (said.by === "earlier" || said.author?.id === said.sender?.id) return null;
    return refuse("sender", "the sender did not write the comment", "never");
  },
  function app({ said }) {
    if (said.by === "earlier" || !said.viaApp) return null;
    const reason = "an App wrote the comment in your name; write it yourself";
    return refuse("app", reason, toldTo(said.association, "hourly"));
  },
  function edited({ said }) {
    if (said.by === "earlier" || !said.edited) return null;
    const reason = "an edited comment cannot start work; write a new comment instead";
    return refuse("edited", reason, toldTo(said.association, "hourly"));
  },
];

/** What this server knows before it asks GitHub anything. */
export const SERVER_RULES: readonly Check<GateFacts & { server: ServerFacts }>[] = [
  function listed({ asked, server }) {
    if (server.listed) return null;
    const reason = "the operator of this server does not let it work for this repository";
    return refuse("listed", unpublished(asked, reason), "never");
  },
  function flood({ asked, server }) {
    if (asked.kind === "publish" || server.heard < FLOOD * server.quotas.commandsPerHour) {
      return null;
    }
    return refuse("flood", "far too many commands came in the last hour", "never");
  },
];

/** Who the person is to this repository, and whether the operator lets anything happen at all. */
export const STANDING_RULES: readonly Check<
  GateFacts & { server: ServerFacts; standing: Standing }
>[] = [
  function installation({ asked, said, standing }) {
    switch (standing.installation) {
      case "active":
        return null;
      case "suspended":
        return refuse("installation", unpublished(asked, "the App is suspended here"), "never");
      case "absent":
        // GitHub sent the comment for an installation: what it says now may be of this moment only.
        return refuse(
          "installation",
          unpublished(asked, "the App is not installed here"),
          toldToAuthor(said, "always"),
        );
      default:
        return passing("installation", unanswered(asked), toldToAuthor(said, "always"));
    }
  },
  function role({ asked, said, standing }) {
    const admin = asked.kind === "allow" || (asked.kind === "publish" && asked.needs === "admin");
    if (standing.role === "unknown") {
      return passing("role", unanswered(asked), toldToAuthor(said, "always"));
    }
    if (includesRole(standing.role, admin ? "admin" : "write")) return null;
    if (said.by === "earlier") {
      const lost = admin
        ? `${said.login} is no longer an admin of this repository`
        : `${said.login} may no longer write to this repository`;
      return refuse("role", unpublished(asked, lost), "always");
    }
    const reason = admin
      ? "only people with admin access to this repository can allow a change that was held"
      : `only people with write access to this repository can ${asked.kind === "stop" ? "stop" : "start"} work here`;
    const known = includesRole(standing.role, "write");
    return refuse("role", reason, known ? "always" : toldTo(said.association, "hourly"));
  },
  function paused({ asked, server }) {
    if (server.paused === null || asked.kind === "stop") return null;
    return passing("paused", `the operator of this server paused it: ${server.paused}`, "hourly");
  },
];

/** What the repository says about itself, and whose code would run. */
export const PLACE_RULES: readonly Check<GateFacts & { place: Place }>[] = [
  function archived({ asked, place }) {
    if (place.archived === false) return null;
    if (place.archived === "unknown") {
      return passing("archived", "GitHub did not answer; try again in a new comment", "always");
    }
    return refuse("archived", unpublished(asked, "this repository is archived"), "always");
  },
  function enabled({ asked, place }) {
    if (place.enabled === true) return null;
    const reason =
      place.enabled === false
        ? "`enabled: false` in `.github/codex.yml` switches Draftsmith off in this repository"
        : "`.github/codex.yml` on the default branch cannot be read, so nobody knows whether Draftsmith is switched on here";
    // Who mends the file tries again at once.
    const told = place.enabled === false ? "hourly" : "always";
    return refuse("enabled", unpublished(asked, reason), told);
  },
  function fork({ asked, place }) {
    if (place.head === "here" || asked.kind === "help") return null;
    if (place.head === "fork" && asked.kind === "start" && asked.reads) return null;
    const reason =
      place.head === "fork"
        ? "this pull request comes from a fork, whose code is not run here; `/codex ask` and `/codex plan` only read"
        : "GitHub does not say where this pull request comes from";
    return refuse("fork", unpublished(asked, reason), "always");
  },
];

/** How much is in use already, counted in the transaction that adds to it. */
export const USAGE_RULES: readonly Check<GateFacts & { server: ServerFacts; usage: Usage }>[] = [
  function rate({ server, usage }) {
    const most = server.quotas.commandsPerHour;
    if (usage.heard < most) return null;
    const reason = `you wrote ${count(usage.heard, "command")} in the last hour, and ${most} are heard (DRAFTSMITH_COMMANDS_PER_HOUR); try again later`;
    return refuse("rate", reason, "hourly");
  },
  function quota({ asked, server, usage }) {
    if (asked.kind !== "start") return null;
    const { open } = usage;
    const shares = [
      ["you have", open.person, server.quotas.person, "JOBS_PER_PERSON"],
      ["this repository has", open.repository, server.quotas.repository, "JOBS_PER_REPOSITORY"],
      [
        "all repositories of this installation together have",
        open.installation,
        server.quotas.installation,
        "JOBS_PER_INSTALLATION",
      ],
    ] as const;
    for (const [who, jobs, most, setting] of shares) {
      if (jobs + asked.tasks <= most) continue;
      const more = asked.tasks === 1 ? "1 more does" : `${asked.tasks} more do`;
      const reason = `${who} ${count(jobs, "open job")}, and ${most} may be open at a time (DRAFTSMITH_${setting}), so ${more} not fit; try again when some have ended`;
      return refuse("quota", reason, "hourly");
    }
    return null;
  },
];

/**
 * GitHub's logins hold letters, digits, hyphens and (for managed accounts) underscores: a bracket is
 * the mark of an App, and `ghost` stands for whoever deleted the account.
 */
function isPerson(account: Account | null): boolean {
  return (
    account !== null &&
    account.type === "User" &&
    Number.isSafeInteger(account.id) &&
    account.id > 0 &&
    /^[\w-][\w.-]*$/.test(account.login) &&
    account.login.toLowerCase() !== "ghost"
  );
}

type Told = Refusal["told"];

function refuse(rule: Refusal["rule"], reason: string, told: Told): Refusal {
  return { status: "refused", rule, reason, told, passing: false };
}

function passing(rule: Refusal["rule"], reason: string, told: Told): Refusal {
  return { status: "refused", rule, reason, told, passing: true };
}

/** Nobody knows yet whether the person may write here: only who seems close is owed a reply. */
function toldTo(association: string, told: Told): Told {
  return ["OWNER", "MEMBER", "COLLABORATOR"].includes(association) ? told : "never";
}

function toldToAuthor(said: GateFacts["said"], told: Told): Told {
  return said.by === "earlier" ? told : toldTo(said.association, told);
}

function unanswered(asked: GateFacts["asked"]): string {
  return asked.kind === "publish"
    ? "GitHub does not say whether this may be published"
    : "GitHub did not say whether you may write to this repository; try again in a new comment";
}

function unpublished(asked: GateFacts["asked"], reason: string): string {
  return asked.kind === "publish" ? `${reason}, so nothing was published` : reason;
}
