import { generateKeyPairSync } from "node:crypto";
import { Probot } from "probot";
import { beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/adapters/store/store.ts";
import { createApp } from "../../src/app.ts";
import { NoInstallation, StoreFailure, TransientError } from "../../src/core/errors.ts";
import { branchOf, type Job } from "../../src/core/job.ts";
import type { Quotas } from "../../src/core/policy.ts";
import type { GitHub, PullFacts } from "../../src/core/ports.ts";
import type { Outbox } from "../../src/jobs/outbox.ts";
import type { StopRequest } from "../../src/jobs/stop.ts";
import type { AllowRequest } from "../../src/jobs/submit.ts";
import { anyModel } from "../support/any-model.ts";
import { type CommentEventOptions, commentEvent } from "../support/comment-event.ts";
import { silentLog } from "../support/log.ts";
import { storeOn } from "../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob, due } from "../support/store-rows.ts";
import { treeOf } from "../support/tree-of.ts";

const privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs1", format: "pem" })
  .toString();
const SHA = "c".repeat(40);

let store: Store;
let started: string[];
let asked: string[];
let github: GitHub;
let sandboxOk: boolean | "busy";
let paused: string | null;
let repositories: string[] | null;
let network: string[] | null;
let quotas: Quotas;
let history: Store["history"];
let allowed: AllowRequest[];
let stopped: StopRequest[];
let told: string[];
let models: ReturnType<typeof anyModel>;
/** GitHub does not answer who asks for the skills of a repository. */
let homeless: boolean;
let probot: Probot;

const openPull: PullFacts = {
  number: 12,
  state: "open",
  headRef: "feature",
  headSha: "d".repeat(40),
  sameRepo: true,
  baseRef: "main",
  url: "https://github.com/acme/shop/pull/12",
};

beforeEach(async () => {
  store = await storeOn();
  started = [];
  asked = [];
  sandboxOk = true;
  paused = null;
  repositories = null;
  network = null;
  history = (of) => store.history(of);
  quotas = { person: 30, repository: 100, installation: 300, commandsPerHour: 60 };
  models = anyModel();
  homeless = false;
  allowed = [];
  stopped = [];
  told = [];
  github = {
    permission: async (_, actor) => {
      asked.push(`permission ${actor.login} ${actor.id}`);
      return "write";
    },
    repository: async () => ({ defaultBranch: "main", archived: false }),
    branchSha: async (_, branch) => {
      asked.push(`branch ${branch}`);
      return branch === "main" ? SHA : null;
    },
    file: async () => null,
    pull: async () => openPull,
    conversation: async () => ({ remarks: [], unread: 0 }),
    threads: async () => [],
    readGit: () => Promise.reject(new Error("a handler reads nothing by git")),
  };
  const outbox: Outbox = {
    put: async () => undefined,
    tell: async (commandId) => {
      told.push(commandId);
      return [];
    },
    perform: () => Promise.reject(new Error("a handler performs nothing")),
    valueOf: async () => null,
    wake: () => undefined,
    stop: async () => undefined,
  };
  probot = new Probot({ appId: 1, privateKey, secret: "x", logLevel: "fatal" });
  await probot.load((app, options) =>
    createApp({
      intake: store,
      self: { login: async () => "draftsmith[bot]" },
      commands: store,
      figures: { history: (of) => history(of) },
      stops: store,
      outbox,
      killSwitch: { paused: async () => paused },
      get repositories() {
        return repositories;
      },
      get network() {
        return network;
      },
      get quotas() {
        return quotas;
      },
      stop: async (request) => {
        stopped.push(request);
        return { text: `Stopped ${request.job ?? "all"}.` };
      },
      allow: async (request) => {
        allowed.push(request);
        return { text: `Let out ${request.job}.`, start: ["held-job"] };
      },
      // Tests replace its methods one by one.
      get github() {
        return github;
      },
      sandbox: {
        check: async () =>
          sandboxOk === true
            ? { ok: true }
            : sandboxOk === "busy"
              ? { ok: false, remedy: "too busy to tell", passing: true }
              : { ok: false, remedy: "apt-get install bubblewrap" },
      },
      homes: {
        organisation: async () => null,
        files: async () => {
          asked.push("files");
          if (homeless) throw new TransientError("GitHub did not answer");
          return treeOf({ ".claude/skills/group/release-notes/SKILL.md": "" });
        },
      },
      skills: [{ name: "refactor", description: "Changes structure, keeps behaviour." }],
      get models() {
        return models;
      },
      redact: (text) => text,
      start: (ids) => void started.push(...ids),
      now: () => 1000,
      log: silentLog,
    })(app, options),
  );
});

async function receive(options: CommentEventOptions = {}): Promise<void> {
  await deliver(commentEvent(options));
}

async function deliver(event: { id: string; name: string; payload: object }): Promise<void> {
  await probot.receive(event as unknown as Parameters<Probot["receive"]>[0]);
}

async function jobs(): Promise<Job[]> {
  const found = await Promise.all((await store.unfinished()).map((id) => store.job(id)));
  return found.flatMap((job) => job ?? []).sort((a, b) => a.number - b.number);
}

async function acts() {
  return (await due(store)).map((row) => row.act);
}

/** The one text that answers the comment. */
async function answer(): Promise<string> {
  const bodies = (await acts()).flatMap((act) => (act.kind === "comment" ? [act.body] : []));
  expect(bodies).toHaveLength(1);
  return bodies[0] ?? "";
}

async function expectNothing(): Promise<void> {
  expect(await jobs()).toEqual([]);
  expect(await acts()).toEqual([]);
  expect(started).toEqual([]);
}

describe("a command", () => {
  it("becomes a job per task, an 👀 and one board, stored before the answer", async () => {
    await receive({
      body: "/codex\n- refactor auth to use JWT\n- write tests\n- document the API",
    });
    const stored = await jobs();
    expect(stored.map((job) => [job.number, job.task, job.skill, job.state, job.baseSha])).toEqual([
      [1, "refactor auth to use JWT", "refactor", "queued", SHA],
      [2, "write tests", null, "queued", SHA],
      [3, "document the API", null, "queued", SHA],
    ]);
    expect(started).toEqual(stored.map((job) => job.id));
    expect((await acts()).map((act) => act.kind)).toEqual(["reaction", "comment"]);
    expect(new Set(stored.map((job) => branchOf(job.target))).size).toBe(3);
    for (const job of stored) {
      expect(job.target).toMatchObject({ kind: "new_pull", base: "main", draft: true });
      expect(branchOf(job.target)).toMatch(/^codex\/12-[a-z0-9-]+-[0-9a-f]{8}$/);
      expect(job.model).toBe("gpt-5-mini");
    }
    // One command, one look at the branch.
    expect(asked.filter((each) => each === "branch main")).toHaveLength(1);
  });

  it("asks GitHub for skills only when a flag names one that the server does not have", async () => {
    const looked = () => asked.filter((each) => each === "files");
    await receive({ body: "/codex --skill refactor a\n/codex --skill none refactor b\n/codex c" });
    expect(looked()).toEqual([]);
    expect((await jobs()).map((job) => [job.skill, job.skillBy])).toEqual([
      ["refactor", "flag"],
      [null, "none"],
      [null, undefined],
    ]);
    await receive({ guid: "2", commentId: 2, body: "/codex --skill release-notes tell the news" });
    expect((await jobs()).map((job) => job.skill)).toContain("release-notes");
    expect(looked()).toHaveLength(1);
  });

  it("is taken once, however often and at whatever time its webhook comes", async () => {
    await Promise.all(Array.from({ length: 5 }, () => receive({ guid: "same" })));
    await receive({ guid: "another" });
    expect(await jobs()).toHaveLength(1);
    expect((await acts()).map((act) => act.kind)).toEqual(["reaction", "comment"]);
    expect(started).toHaveLength(1);
  });

  it("obeys flags and the configuration of the default branch", async () => {
    github.file = async (_, path) =>
      path === ".github/codex.yml"
        ? "model: big\nchecks: [npm test]\nlimits: {minutes: 5}\n"
        : null;
    await receive({ body: "/codex tidy up --ready" });
    await receive({ body: "/codex tidy up --model small", commentId: 1002 });
    const [one, two] = await jobs();
    expect(one).toMatchObject({ model: "big", target: { draft: false } });
    expect(one?.config).toMatchObject({ checks: ["npm test"], limits: { minutes: 5, steps: 60 } });
    expect(two?.model).toBe("small");
  });

  it("chooses the models by the rules, and stores which rule did and why", async () => {
    github.file = async (_, path) =>
      path === ".github/codex.yml"
        ? `routes:
  - {name: easy, match: {labels: Easy}, use: {model: small, fallback: [usual]}}
  - {match: {paths: "docs/**"}, use: {model: writer, effort: low}, escalate: {model: strong}}
`
        : null;
    await receive({ labels: ["bug", "easy"] });
    await receive({ commentId: 1002, body: "/codex mend docs/a.md" });
    await receive({ commentId: 1003, body: "/codex mend it --effort high" });
    const routes = (await jobs()).map(({ model, route }) => ({ model, route }));
    expect(routes).toEqual([
      {
        model: "small",
        route: {
          rule: "rule 1 (easy)",
          why: "the label is Easy",
          choices: [
            { model: "small", effort: null },
            { model: "usual", effort: null },
          ],
          escalation: null,
        },
      },
      {
        model: "writer",
        route: {
          rule: "rule 2",
          why: "a path matches docs/**",
          choices: [{ model: "writer", effort: "low" }],
          escalation: { afterFailedChecks: 2, to: { model: "strong", effort: null } },
        },
      },
      {
        model: "gpt-5-mini",
        route: {
          rule: "default",
          why: "no rule matches; --effort asked for high",
          effort: "high",
          choices: [{ model: "gpt-5-mini", effort: "high" }],
          escalation: null,
        },
      },
    ]);
  });

  it("refuses an effort that the model does not take, by name", async () => {
    await receive({ body: "/codex tidy up --model big --effort wild" });
    expect(await jobs()).toEqual([]);
    const [answer] = (await acts()).filter(({ kind }) => kind === "comment");
    expect(JSON.stringify(answer)).toMatch(
      /the model `big` does not take the effort `wild`; it takes `low`, `medium`, `high`/,
    );
  });

  it("that goes on with a job is taken from one of two comments that come at one moment", async () => {
    const command = aCommand("old", {
      repo: { installationId: 7, id: 42, owner: "acme", name: "shop" },
    });
    await acceptJobs(store, command, [aJob("old-job-3f9a0c1b", command, { state: "over_budget" })]);
    await Promise.all([
      receive({ guid: "1", commentId: 1, body: "/codex continue" }),
      receive({ guid: "2", commentId: 2, body: "/codex continue 3f9a0c1b with tests" }),
    ]);
    const [next, ...others] = await jobs();
    expect(others).toEqual([]);
    expect(started).toEqual([next?.id]);
    // The board of the job that is gone on with is told so, too.
    expect(told).toEqual([next?.commandId]);
    const texts = (await acts()).flatMap((act) => (act.kind === "comment" ? [act.body] : []));
    expect(texts.filter((text) => /goes on with job|is still at work/.test(text))).toHaveLength(1);
  });

  it("asks the permission API, not author_association", async () => {
    await receive({ association: "NONE" });
    expect(await jobs()).toHaveLength(1);
    expect(asked).toContain("permission ada 5");
  });
});

describe("on a pull request", () => {
  it("becomes a commit on its branch when it is ours", async () => {
    const command = aCommand("old", {
      repo: { installationId: 7, id: 42, owner: "acme", name: "shop" },
    });
    const job = aJob("old-job", command, {
      publication: { pull: 12, url: "u", headSha: SHA, draft: true },
      state: "done",
    });
    await acceptJobs(store, command, [job]);
    await receive({ isPull: true, body: "/codex use a clock argument" });
    expect(await jobs()).toMatchObject([
      {
        baseSha: openPull.headSha,
        target: { kind: "follow_up", branch: "feature", base: "main", pull: 12 },
      },
    ]);
  });

  it("becomes a draft onto its branch when it is a person's", async () => {
    await receive({ isPull: true });
    expect(await jobs()).toMatchObject([
      { baseSha: openPull.headSha, target: { kind: "new_pull", base: "feature", draft: true } },
    ]);
  });

  it.each([
    ["a fork's", { sameRepo: false }, "/codex x y", /fork/],
    ["a closed one", { state: "closed" as const }, "/codex x y", /closed/],
    ["a base branch named", {}, "/codex x y --base main", /no meaning on a pull request/],
  ])("refuses %s, and says so", async (_, facts, body, reason) => {
    github.pull = async () => ({ ...openPull, ...facts });
    await receive({ isPull: true, body });
    expect(await answer()).toMatch(reason);
    expect(await jobs()).toEqual([]);
  });
});

describe("the gate", () => {
  it.each(["triage", "read", "none"] as const)(
    "refuses the role %s; an insider gets one reply",
    async (role) => {
      github.permission = async () => role;
      await receive({ association: "MEMBER" });
      expect(await answer()).toMatch(/ada.*write access/);
      expect(await jobs()).toEqual([]);
    },
  );

  it.each(["NONE", "CONTRIBUTOR", "FIRST_TIMER"])(
    "gives a stranger (%s) no answer at all",
    async (association) => {
      github.permission = async () => "read";
      await receive({ association });
      await expectNothing();
    },
  );

  it.each([
    [
      "a bot's comment",
      {
        author: { id: 9, login: "dependabot[bot]", type: "Bot" },
        sender: { id: 9, login: "dependabot[bot]", type: "Bot" },
      },
    ],
    ["an organisation's", { author: { id: 9, login: "acme", type: "Organization" } }],
    ["a mannequin's", { author: { id: 9, login: "old", type: "Mannequin" } }],
    ["a deleted account's", { author: null }],
    ["one whose sender is somebody else", { sender: { id: 6, login: "eve", type: "User" } }],
  ])("never listens to %s", async (_, options) => {
    await receive(options);
    await expectNothing();
    expect(asked).toEqual([]);
  });

  it("refuses a comment that was edited before we saw it", async () => {
    await receive({ updatedAt: "2026-03-01T10:00:09Z" });
    expect(await answer()).toMatch(/edited/);
    expect(await jobs()).toEqual([]);
  });

  it("refuses when GitHub does not answer about the permission", async () => {
    github.permission = () => Promise.reject(new TransientError("502"));
    await receive();
    expect(await answer()).toMatch(/GitHub did not say/);
    await receive({ association: "NONE", commentId: 1002 });
    expect(await jobs()).toEqual([]);
  });

  it.each([
    ["a login with brackets", { id: 9, login: "ada[bot]", type: "User" }],
    ["the ghost of deleted accounts", { id: 10137, login: "ghost", type: "User" }],
    ["a number that is none", { id: -1, login: "ada", type: "User" }],
  ])("never listens to %s", async (_, author) => {
    await receive({ author, sender: author });
    await expectNothing();
    expect(asked).toEqual([]);
  });

  it("refuses an App that writes in somebody's name", async () => {
    const event = commentEvent();
    const comment = { ...event.payload.comment, performed_via_github_app: { id: 1 } };
    await deliver({ ...event, payload: { ...event.payload, comment } });
    expect(await answer()).toMatch(/an App wrote the comment in your name/);
    expect(await jobs()).toEqual([]);
    expect(asked).toEqual([]);
  });

  it("starts nothing for an edited comment, whatever its edit says", async () => {
    const event = commentEvent();
    await deliver({ ...event, payload: { ...event.payload, action: "edited" } });
    await expectNothing();
  });

  it("tells a reader once an hour on the same issue", async () => {
    github.permission = async () => "read";
    for (let at = 0; at < 5; at++) await receive({ association: "MEMBER", commentId: 1001 + at });
    expect(await answer()).toMatch(/write access/);
  });

  it("says nothing in a repository that the operator did not list, and asks GitHub nothing", async () => {
    repositories = ["acme/tools", "other/*"];
    await receive();
    await expectNothing();
    expect(asked).toEqual([]);
    repositories = ["acme/*"];
    await receive({ commentId: 1002 });
    expect(await jobs()).toHaveLength(1);
  });

  it("starts nothing with a domain that the operator does not let repositories reach, and names it", async () => {
    network = ["*.example.org"];
    github.file = async () =>
      "checks: [npm test]\nnetwork:\n  - packages.example.org\n  - registry.example.net\n";
    await receive();
    expect(await answer()).toMatch(
      /- line 4: .*`registry\.example\.net`.*`\*\.example\.org`.*DRAFTSMITH_NETWORK/,
    );
    expect(await answer()).not.toContain("packages.example.org");
    expect(await jobs()).toEqual([]);
    github.file = async () => "network: [packages.example.org, '*.cdn.example.org']";
    await receive({ commentId: 1002 });
    expect(await jobs()).toHaveLength(1);
  });

  it("starts nothing while the operator pauses the server, and tells why to whoever may write", async () => {
    paused = "the disk is being changed";
    await receive({ association: "NONE" });
    expect(await answer()).toMatch(/ada.*paused it: the disk is being changed/);
    expect(await jobs()).toEqual([]);
    github.permission = async () => "read";
    await receive({ association: "NONE", commentId: 1002 });
    expect((await acts()).map(({ kind }) => kind)).toEqual(["comment", "reaction"]);
  });

  it.each(["/codex do it", "/codex help", `/codex allow 0a1b2c3d ${SHA}`])(
    "does nothing for %s in a repository that switched it off",
    async (body) => {
      github.permission = async () => "admin";
      github.file = async () => "enabled: false\n";
      await receive({ body });
      expect(await answer()).toMatch(/`enabled: false`/);
      expect(await jobs()).toEqual([]);
      expect(allowed).toEqual([]);
    },
  );

  it("says nothing where the installation is suspended: it could not anyway", async () => {
    github.permission = () => Promise.reject(new NoInstallation("suspended", "It is suspended."));
    await receive();
    await expectNothing();
  });

  it("tells an insider, and no stranger, that the App is not installed there, and the remedy", async () => {
    const gone = new NoInstallation("absent", "It is gone. Install it, then write a new comment.");
    github.permission = () => Promise.reject(gone);
    await receive({ association: "NONE" });
    await expectNothing();
    await receive({ commentId: 1002 });
    expect(await answer()).toContain("It is gone. Install it, then write a new comment.");
    expect(await jobs()).toEqual([]);
  });

  it("refuses on an answer it does not understand", async () => {
    github.permission = () => Promise.reject(new TypeError("cannot read properties of null"));
    await receive();
    expect(await answer()).toMatch(/GitHub did not say/);
    expect(await jobs()).toEqual([]);
  });

  it("asks GitHub nothing about comments that are not for us", async () => {
    await receive({ body: "see /codex in the docs\n\n> /codex refactor" });
    await expectNothing();
    expect(asked).toEqual([]);
  });
});

describe("what cannot be done is told", () => {
  it.each([
    ["no task", "/codex", /usage|at the start of a line/i],
    ["help", "/codex help", /refactor.*Changes structure/s],
    ["an unknown flag", "/codex --modle x do it", /--model/],
    ["too many tasks", `/codex\n${"- one more\n".repeat(9)}`, /8/],
    ["a hundred tasks", `/codex\n${"- one more\n".repeat(100)}`, /8/],
    ["a task of 100 kB", `/codex ${"x".repeat(100_000)}`, /8,000 are allowed/],
    ["an unknown skill", "/codex --skill refactr auth", /refactor/],
    ["an unknown base", "/codex do it --base nowhere", /no branch.*nowhere/],
  ])("%s", async (_, body, text) => {
    await receive({ body });
    expect(await answer()).toMatch(text);
    expect(await jobs()).toEqual([]);
    expect(started).toEqual([]);
  });

  it("help, with the skills of the repository and what its rules look for in vain", async () => {
    github.file = async () =>
      "routes: [{match: {skill: [release-notes, refactor, none, release-note]}, use: {model: m}}]";
    await receive({ body: "/codex help" });
    const text = await answer();
    expect(text).toContain("- `refactor`: Changes structure");
    expect(text).toContain("of this repository and its organisation: `release-notes`.");
    expect(text).toContain(
      "- rule 1 is for the skill `release-note`, and there is none here (did you mean `release-notes`?).",
    );
    expect(text).not.toMatch(/for the skill `(?:release-notes|refactor|none)`/);
    expect(asked.filter((each) => each === "files")).toHaveLength(1);
  });

  it("help, where GitHub does not say which skills there are", async () => {
    homeless = true;
    github.file = async () => "routes: [{match: {skill: release-notes}, use: {model: m}}]";
    await receive({ body: "/codex help" });
    expect(await answer()).toMatch(/`refactor`: .*GitHub did not say which skills/s);
    expect(await answer()).not.toContain("release-notes");
  });

  it("on the board, what a configuration says in vain", async () => {
    models = {
      offer: { ...models.offer, budgets: { command: "none", repository_month: 5 } },
      resolve: (name) =>
        name === "gtp-5"
          ? { ok: false, problem: `there is no model \`${name}\`` }
          : anyModel().resolve(name),
    };
    github.file = async () =>
      [
        "budget: {job: 50, command: 500, day: 50, month: 5.01}",
        "routes:",
        "  - {match: {labels: hard}, use: {model: m, fallback: [gtp-5]}}",
        "  - {name: odd, match: {labels: odd}, use: {model: m, effort: huge}}",
        "  - {match: {labels: fine}, use: {model: m, effort: high}}",
      ].join("\n");
    await receive({ body: "/codex\n- one thing\n- another" });
    const board = await answer();
    const told = board.slice(board.indexOf("Of `.github/codex.yml`:")).split("\n");
    expect(told.slice(2, 7)).toEqual([
      "- `budget.job` is $50.00, and the server's $2.00 hold.",
      "- `budget.month` is $5.01, and the server's $5.00 hold.",
      "- a task that rule 1 matches is refused: there is no model `gtp-5`.",
      expect.stringMatching(/^- a task that rule 2 \(`odd`\) matches is refused: .* takes `low`/),
      "",
    ]);
    expect(await jobs()).toHaveLength(2);
  });

  it("on the board, nothing of a configuration that holds as it stands", async () => {
    github.file = async () => "budget: {job: 2}\nmodel: m\nroutes: [{use: {model: m}}]";
    await receive({ body: "/codex do it" });
    expect(await answer()).not.toContain("codex.yml");
  });

  it("a configuration with mistakes, with line and remedy", async () => {
    github.file = async () => "checks: [npm test]\nlimts:\n  steps: 3\n";
    await receive();
    expect(await answer()).toMatch(/line 2: .*limts.*limits/);
    expect(await jobs()).toEqual([]);
  });

  it("an empty repository", async () => {
    github.branchSha = async () => null;
    await receive();
    expect(await answer()).toMatch(/empty/);
  });

  it("a server without a sandbox", async () => {
    sandboxOk = false;
    await receive();
    expect(await answer()).toMatch(/no working sandbox.*apt-get install bubblewrap/s);
    expect(await jobs()).toEqual([]);
  });

  it("a server too busy to tell whether its sandbox holds takes the command all the same", async () => {
    sandboxOk = "busy";
    await receive();
    expect(await jobs()).toHaveLength(1);
    expect(started).toHaveLength(1);
  });

  it("GitHub failing while the command is planned", async () => {
    github.repository = () => Promise.reject(new TransientError("503"));
    await receive();
    expect(await answer()).toMatch(/GitHub did not answer/);
    expect(await jobs()).toEqual([]);
  });

  it("hidden characters are taken out of a task, and the board says so", async () => {
    await receive({ body: "/codex re\u202Efactor\u200B au\u0000th\u001B[31m" });
    expect((await jobs()).map((job) => job.task)).toEqual(["refactor auth"]);
    expect(await answer()).toMatch(/taken out of the tasks/);
  });

  it("a store that fails while the command is planned fails the delivery, and nobody is told to ask again", async () => {
    history = () => Promise.reject(new StoreFailure("the database restarts"));
    await expect(receive()).rejects.toThrow();
    expect(await jobs()).toEqual([]);
    expect(await acts()).toEqual([]);
    history = (of) => store.history(of);
    await receive();
    expect(await jobs()).toHaveLength(1);
  });

  it("a failing store fails the delivery, so that it is sent again", async () => {
    await store.close();
    await expect(receive()).rejects.toThrow();
    expect(started).toEqual([]);
  });
});

describe("a change that was held", () => {
  const body = `/codex allow 0a1b2c3d ${SHA}`;

  it("is let out by an admin, once however often the webhook comes", async () => {
    github.permission = async () => "admin";
    await Promise.all(Array.from({ length: 5 }, () => receive({ body })));
    await receive({ body, guid: "another" });
    const repo = { installationId: 7, id: 42, owner: "acme", name: "shop" };
    const actor = { id: 5, login: "ada" };
    expect(allowed).toEqual([{ repo, issue: 12, job: "0a1b2c3d", sha: SHA, actor }]);
    expect(await answer()).toContain("Let out 0a1b2c3d.");
    expect(started).toEqual(["held-job"]);
  });

  it.each(["maintain", "write"] as const)("is not let out by the role %s", async (role) => {
    github.permission = async () => role;
    await receive({ body, association: "NONE" });
    expect(await answer()).toMatch(/only people with admin access/);
    expect(allowed).toEqual([]);
    expect(started).toEqual([]);
  });

  it("is not let out on a pull request from a fork", async () => {
    github.permission = async () => "admin";
    github.pull = async () => ({ ...openPull, sameRepo: false });
    await receive({ body, isPull: true });
    expect(await answer()).toMatch(/fork/);
    expect(allowed).toEqual([]);
  });

  it.each([
    [`/codex alow 0a1b2c3d ${SHA}`, /codex allow JOB SHA/],
    ["/codex allow", /codex allow JOB SHA/],
    [`/codex allow 0a1b2c3d ${SHA}\n/codex do more`, /something else stands beside/],
  ])("is not let out by %j, which gets a hint", async (wrong, text) => {
    github.permission = async () => "admin";
    await receive({ body: wrong });
    expect(await answer()).toMatch(text);
    expect(allowed).toEqual([]);
    expect(await jobs()).toEqual([]);
  });
});

describe("stop", () => {
  const body = "/codex stop";

  it("is heard from who may write, once, though the server is paused, the repository off and the hour full", async () => {
    quotas = { ...quotas, commandsPerHour: 1 };
    await receive({ body: "/codex help", commentId: 3000 });
    paused = "maintenance";
    github.file = async () => "enabled: false\n";
    await receive({ body, commentId: 3001 });
    await receive({ body, commentId: 3001, guid: "again" });
    expect(stopped).toHaveLength(1);
    expect(stopped[0]).toMatchObject({ issue: 12, job: null, actor: { id: 5, login: "ada" } });
    expect(await jobs()).toEqual([]);
  });

  it("ends what was asked for before it, whichever webhook comes first, and nothing else", async () => {
    const asked = (commentId: number, issue = 12) =>
      receive({ body: "/codex do it", commentId, issue });
    await receive({ body, commentId: 3005 });
    await asked(3001);
    await asked(3002, 13);
    await asked(3006);
    expect((await jobs()).map(({ issue }) => issue).toSorted()).toEqual([12, 13]);
    expect(told).toHaveLength(1);
    const [job] = await store.jobsOf(told[0] ?? "");
    expect(job).toMatchObject({ state: "cancelled", reason: "stopped by ada", issue: 12 });
    await receive({ body: "/codex stop 3f9a0c1b", commentId: 3009 });
    await asked(3007);
    expect(await jobs()).toHaveLength(3);
  });

  it.each(["triage", "read", "none"] as const)("is not heard from the role %s", async (role) => {
    github.permission = async () => role;
    await receive({ body, association: "MEMBER" });
    expect(stopped).toEqual([]);
    expect(await answer()).toMatch(/only people with write access to this repository can stop/);
  });
});

describe("quotas", () => {
  it("hold when 50 comments come at once, and are told once on an issue", async () => {
    quotas = { ...quotas, person: 4 };
    await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        receive({ commentId: 2000 + at, body: "/codex do it" }),
      ),
    );
    expect(await jobs()).toHaveLength(4);
    expect(started).toHaveLength(4);
    const texts = (await acts()).flatMap((act) => (act.kind === "comment" ? [act.body] : []));
    expect(texts.filter((text) => text.includes("nothing was started"))).toHaveLength(1);
    expect(texts).toHaveLength(5);
  });

  it("refuse a command whole when only some of its tasks fit", async () => {
    quotas = { ...quotas, repository: 2 };
    await receive({ body: "/codex\n- one\n- two\n- three" });
    expect(await answer()).toMatch(
      /this repository has 0 open jobs, and 2 may be open.*3 more do not/,
    );
    expect(await jobs()).toEqual([]);
  });

  it("count the jobs of other people and of other repositories where they are shared", async () => {
    const eve = { id: 6, login: "eve", type: "User" };
    quotas = { ...quotas, person: 1, repository: 2 };
    await receive({ commentId: 1 });
    await receive({ commentId: 2, author: eve, sender: eve });
    expect(await jobs()).toHaveLength(2);
    const bob = { id: 7, login: "bob", type: "User" };
    await receive({ commentId: 3, author: bob, sender: bob });
    expect(await jobs()).toHaveLength(2);
    quotas = { ...quotas, repository: 3, installation: 2 };
    await receive({ commentId: 4, author: bob, sender: bob, issue: 13 });
    expect(await jobs()).toHaveLength(2);
    quotas = { ...quotas, installation: 3 };
    await receive({ commentId: 5, author: bob, sender: bob });
    expect(await jobs()).toHaveLength(3);
  });

  it("make room when a job ends", async () => {
    quotas = { ...quotas, person: 1 };
    await receive({ commentId: 1 });
    const [job] = await jobs();
    await store.write(job?.id ?? "", 0, { state: "failed" });
    await receive({ commentId: 2 });
    expect(await jobs()).toHaveLength(1);
    expect(started).toHaveLength(2);
  });

  it("hear so many comments of a person an hour, then answer once, then not even ask GitHub", async () => {
    quotas = { ...quotas, commandsPerHour: 3 };
    for (let at = 0; at < 20; at++) await receive({ commentId: 1 + at, body: "/codex help" });
    const texts = (await acts()).flatMap((act) => (act.kind === "comment" ? [act.body] : []));
    expect(texts).toHaveLength(4);
    expect(texts.at(-1)).toMatch(/3 commands in the last hour, and 3 are heard/);
    expect(asked.filter((each) => each.startsWith("permission"))).toHaveLength(6);
    const eve = { id: 6, login: "eve", type: "User" };
    await receive({ commentId: 99, author: eve, sender: eve });
    expect(await jobs()).toHaveLength(1);
  });
});
