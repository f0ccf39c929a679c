import type { Mutation } from "./mutation.ts";

const RULES = "src/core/gate-rules.ts";
const ROLE = "src/adapters/github/read-role.ts";
const GATE = "src/jobs/gate.ts";

const anyType = { file: RULES, find: `account.type === "User" &&`, replace: "" };
const anyLogin = { file: RULES, find: "/^[\\w-][\\w.-]*$/.test(account.login) &&", replace: "" };

/** The role that is enough, whatever is asked for. */
const enough = (role: string) => ({
  file: RULES,
  find: `if (includesRole(standing.role, admin ? "admin" : "write")) return null;`,
  replace: `if (includesRole(standing.role, "${role}")) return null;`,
});

/** Somebody whom the association vouches for. */
const vouches = (association: string) => ({
  file: RULES,
  find: `if (includesRole(standing.role, admin ? "admin" : "write")) return null;`,
  replace: `if (includesRole(standing.role, admin ? "admin" : "write")) return null;
    if (said.by === "comment" && said.association === "${association}") return null;`,
});

/** Who cannot be asked about is let in. */
const open = {
  file: GATE,
  find: `return { standing: { installation, role: "unknown" }, failure };`,
  replace: `return { standing: { installation: "active", role: "write" }, failure };`,
};

const anyNumber = {
  file: ROLE,
  find: `return isAbout(data, actor) ? roleOf(data) : "none";`,
  replace: "return roleOf(data);",
};

const anySwitch = {
  file: RULES,
  find: "if (place.enabled === true) return null;",
  replace: "return null;",
};

const noPause = {
  file: RULES,
  find: 'if (server.paused === null || asked.kind === "stop") return null;',
  replace: "return null;",
};

const anyRepository = {
  file: RULES,
  find: "if (server.listed) return null;",
  replace: "return null;",
};

const mutations: Mutation[] = [
  {
    attack: "gate-01",
    defence: "the type of the account, and its login",
    edits: [anyType, anyLogin],
  },
  { attack: "gate-02", defence: "no bracket in a person's login", ...anyLogin },
  { attack: "gate-03", defence: "a role that may write", ...enough("read") },
  { attack: "gate-04", defence: "a role that may write", ...enough("triage") },
  {
    attack: "gate-05",
    defence: "the name of a custom role raises nothing",
    file: ROLE,
    find: "return includesRole(permission, name) ? name : permission;",
    replace: "return name;",
  },
  {
    attack: "gate-06",
    defence: "not found means no role",
    file: ROLE,
    find: `(await isMissing(octokit, repo, error))) return "none";`,
    replace: `(await isMissing(octokit, repo, error))) return "write";`,
  },
  { attack: "gate-07", defence: "no answer is no", ...open },
  { attack: "gate-08", defence: "no answer in time is no", ...open },
  {
    attack: "gate-09",
    defence: "an unknown word is no permission",
    file: ROLE,
    find: "if (!isRole(permission)) {",
    replace: `if (!isRole(permission)) {
    return "write";`,
  },
  { attack: "gate-10", defence: "the association decides nothing", ...vouches("OWNER") },
  { attack: "gate-11", defence: "the association decides nothing", ...vouches("MEMBER") },
  { attack: "gate-12", defence: "the answer is about this very number", ...anyNumber },
  {
    attack: "gate-13",
    defence: "the sender is the author",
    file: RULES,
    find: `if (said.by === "earlier" || said.author?.id === said.sender?.id) return null;`,
    replace: "if (said) return null;",
  },
  {
    attack: "gate-14",
    defence: "no App in a person's name",
    file: RULES,
    find: `if (said.by === "earlier" || !said.viaApp) return null;`,
    replace: "if (said) return null;",
  },
  { attack: "gate-15", defence: "the type of the account", ...anyType },
  {
    attack: "gate-16",
    defence: "a comment as it was written",
    file: "src/handlers/requests.ts",
    find: "edited: Date.parse(at) !== Date.parse(updated),",
    replace: "edited: false,",
  },
  {
    attack: "gate-17",
    defence: "new comments only, at the door and at the gate",
    edits: [
      {
        file: "src/app.ts",
        find: `app.on("issue_comment.created",`,
        replace: `app.on(["issue_comment.created", "issue_comment.edited"],`,
      },
      {
        file: RULES,
        find: "BROUGHT_BY[said.way.kind].includes(`${said.event}.${said.action}`)",
        replace: "BROUGHT_BY[said.way.kind].length > 0",
      },
    ],
  },
  {
    attack: "gate-18",
    defence: "top-level text only",
    file: "src/core/command-blocks.ts",
    find: "if (!mark || quotes > 0 || html > 0) continue;",
    replace: "if (!mark) continue;",
  },
  {
    attack: "gate-19",
    defence: "unknown flags are refused",
    file: "src/core/command-flags.ts",
    find: "return wrong(unknown(name));",
    replace: "kept.push(word);",
  },
  {
    attack: "gate-20",
    defence: "one comment, one command",
    edits: [
      {
        file: "src/jobs/submit.ts",
        find: "const key = requestKey(request);",
        replace: "const key = delivery.guid;",
      },
      {
        file: "src/jobs/intake.ts",
        find: "    key: requestKey(request),",
        replace: "    key: uuidv7(),",
      },
    ],
  },
  {
    attack: "gate-21",
    defence: "only admins let a held change out",
    file: RULES,
    find: `const admin = asked.kind === "allow" ||`,
    replace: "const admin =",
  },
  {
    attack: "gate-22",
    defence: "the code of forks is not run",
    file: RULES,
    find: `if (place.head === "here" || asked.kind === "help") return null;`,
    replace: "if (place) return null;",
  },
  { attack: "gate-23", defence: "the repository's switch", ...anySwitch },
  { attack: "gate-24", defence: "a switch nobody can read is off", ...anySwitch },
  {
    attack: "gate-25",
    defence: "the repository is known by its number",
    file: "src/adapters/github/reads.ts",
    find: "data?.id !== undefined && data.id !== repo.id",
    replace: "false",
  },
  { attack: "gate-26", defence: "the operator's pause", ...noPause },
  {
    attack: "gate-27",
    defence: "the operator's pause, before publishing and at the outbox",
    edits: [
      noPause,
      {
        file: "src/jobs/outbox.ts",
        find: "(await killSwitch.paused()) === null",
        replace: "true",
      },
    ],
  },
  {
    attack: "gate-28",
    defence: "no job starts while paused",
    file: "src/jobs/worker.ts",
    find: "if (paused !== null)",
    replace: "if (paused === undefined)",
  },
  {
    attack: "gate-29",
    defence: "the second look before publishing",
    file: "src/jobs/publish.ts",
    find: "  await recheck(job, deps);\n  // Once it stands",
    replace: "  // Once it stands",
  },
  { attack: "gate-30", defence: "the answer is about this very number", ...anyNumber },
  { attack: "gate-31", defence: "the repository's switch, looked at again", ...anySwitch },
  { attack: "gate-32", defence: "no installation, no role", ...open },
  {
    attack: "gate-33",
    defence: "who let it out is asked about again",
    file: "src/jobs/recheck.ts",
    find: `return job.allowance ? [asked, { ...job.allowance, needs: "admin" } as const] : [asked];`,
    replace: "return [asked];",
  },
  { attack: "gate-34", defence: "the operator's list, looked at again", ...anyRepository },
  { attack: "gate-35", defence: "the operator's list", ...anyRepository },
  {
    attack: "gate-36",
    defence: "a person's share of open jobs",
    file: RULES,
    find: `["you have", open.person,`,
    replace: `["you have", 0 * open.person,`,
  },
  {
    attack: "gate-37",
    defence: "the repository's share of open jobs",
    file: RULES,
    find: `["this repository has", open.repository,`,
    replace: `["this repository has", 0 * open.repository,`,
  },
  {
    attack: "gate-38",
    defence: "a person's commands in an hour",
    file: RULES,
    find: "if (usage.heard < most) return null;",
    replace: "if (usage) return null;",
  },
  {
    attack: "gate-39",
    defence: "a look before each push",
    file: "src/jobs/publish.ts",
    find: "if (carries > 0) await recheck(job, deps);",
    replace: "",
  },
];

export default mutations;
