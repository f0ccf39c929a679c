import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { userOf } from "../../demo/github/state.ts";
import type { ChatRequest, ScriptedReply } from "../support/model-server.ts";
import { pushFile } from "../support/push-file.ts";
import { openWorld, plays, taskOf, type World } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { attack, jobIds, NOTHING, type Payload, stored } from "./comment-attack.ts";

const SHA = "0123456789abcdef0123456789abcdef01234567";

/** What the collaborator-permission API does when it is asked about somebody. */
const ANSWERS: Record<string, Fault> = {
  "is-gone": { when: "before", answer: { status: 404, body: { message: "Not Found" } } },
  "is-ill": { when: "before", answer: { status: 500, body: { message: "Server Error" } } },
  "is-blank": { when: "before", answer: { status: 200, body: {} } },
  "is-owner": {
    when: "before",
    answer: { status: 200, body: { permission: "owner", role_name: "owner" } },
  },
  "is-html": { when: "before", answer: { status: 200, body: "<html>write</html>" } },
  "has-a-title": {
    when: "before",
    answer: { status: 200, body: { permission: "read", role_name: "admin" } },
  },
  "is-reborn": {
    when: "before",
    answer: {
      status: 200,
      body: { permission: "admin", role_name: "admin", user: { login: "is-reborn", id: 999_999 } },
    },
  },
};

/** Pull requests by number, as GitHub tells of them. */
const PULLS: Record<number, unknown> = {};

/** What GitHub answers from some moment on; cleared after each attack. */
let sabotage: (request: RecordedRequest) => Fault | undefined;

function fault(request: RecordedRequest): Fault | undefined | Promise<undefined> {
  const early = sabotage(request);
  if (early) return early;
  const login = /\/collaborators\/([^/]+)\/permission$/.exec(request.path)?.[1] ?? "";
  if (login === "hangs") return new Promise<undefined>(() => undefined);
  const pull = /\/pulls\/(\d+)$/.exec(request.path)?.[1];
  const body = pull === undefined ? undefined : PULLS[Number(pull)];
  if (body !== undefined) return { when: "before", answer: { status: 200, body } };
  return ANSWERS[login];
}

const script = plays({
  "write a": {
    calls: [{ name: "write", arguments: { path: "a.txt", content: "a\n" } }],
    report: "Write a\n\nAs asked.",
  },
  "write more": {
    calls: [{ name: "write", arguments: { path: "more.txt", content: "more\n" } }],
    report: "Write more\n\nAs asked.",
  },
  "write the workflow": {
    calls: [
      { name: "write", arguments: { path: ".github/workflows/x.yml", content: "on: push\n" } },
    ],
    report: "Write a workflow\n\nAs asked.",
  },
});

/** What the model waits for before it says a word about a task that is "slow". */
let slow: { asked: () => void; goOn: Promise<void> };

/** The model is at work on a slow task from `begun` on, until `goOn`. */
function slowModel(): { begun: Promise<void>; goOn: () => void } {
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  slow = { asked: begun.resolve, goOn: goOn.promise };
  return { begun: begun.promise, goOn: goOn.resolve };
}

async function model(request: ChatRequest): Promise<ScriptedReply> {
  if (taskOf(request).includes("slow")) {
    slow.asked();
    await slow.goOn;
  }
  return script(request);
}

let world: World;
let end: () => Promise<void>;
const env: Record<string, string> = {};

beforeAll(async () => {
  sabotage = () => undefined;
  ({ world, end } = await openWorld({
    model,
    fault,
    env,
    people: {
      ada: "write",
      eve: "read",
      "a-triager": "triage",
      "a-maintainer": "maintain",
      "an-admin": "admin",
      "is-reborn": "write",
    },
    repositories: {
      off: { config: "enabled: false\n" },
      typo: { config: "enabled: flase\n" },
    },
  }));
}, 60_000 * PATIENCE);
afterAll(() => end());

/** A fresh issue for one attack. */
function issue(): number {
  sabotage = () => undefined;
  return world.issue({ title: "Attack", body: "" });
}

/** A comment by somebody; what the server stored because of it. */
async function said(login: string, body = "/codex write a", bend?: (payload: Payload) => void) {
  const number = issue();
  const { webhook } = await attack(world, { issue: number, login, body, ...(bend && { bend }) });
  expect(webhook.status).toBe(200);
  return stored(world, number);
}

const insider = (payload: Payload) => {
  payload.comment.author_association = "OWNER";
};

function callAsUser(payload: Payload): void {
  for (const account of [payload.comment.user, payload.sender]) {
    Object.assign(account ?? {}, { type: "User" });
  }
}

/** Creates the operator's file `paused`; call what it returns to take it away. */
function pause(reason: string): () => void {
  const file = path.join(world.dataDir, "paused");
  writeFileSync(file, reason);
  const lift = () => rmSync(file, { force: true });
  onTestFinished(lift);
  return lift;
}

/** Whatever left for an issue: private refs, branches, pull requests. */
async function left(number: number): Promise<string[]> {
  const ids = jobIds(world, number);
  const ours = (name: string) =>
    name.includes(`codex/${number}-`) || ids.some((id) => name.includes(id));
  const refs = (await git(world.bare, ["for-each-ref", "--format=%(refname)"])).split("\n");
  return [...refs, ...world.pulls().map((pull) => pull.head)].filter(ours);
}

describe("who asks", () => {
  it("gate-01 a bot comments /codex", async () => {
    expect(await said("dependabot[bot]", undefined, insider)).toEqual(NOTHING);
  });

  it("gate-02 our own App's words are sent back to it as a command", async () => {
    const number = issue();
    const comment = { author: "draftsmith[bot]", body: "/codex write a" };
    const bend = (payload: Payload) => {
      insider(payload);
      callAsUser(payload);
    };
    await attack(world, { issue: number, login: comment.author, body: comment.body, bend });
    expect(stored(world, number)).toEqual(NOTHING);
  });

  it("gate-03 a reader comments, and again, and again", async () => {
    const number = issue();
    for (let at = 0; at < 5; at++) {
      await attack(world, { issue: number, login: "eve", body: "/codex write a" });
    }
    const { jobs, texts } = stored(world, number);
    expect(jobs).toEqual([]);
    expect(texts).toHaveLength(1);
    expect(texts[0]).toMatch(/only people with write access/);
  });

  it("gate-04 a triager comments", async () => {
    expect((await said("a-triager")).jobs).toEqual([]);
  });

  it("gate-05 a reader whose organisation calls the custom role 'admin'", async () => {
    expect((await said("has-a-title")).jobs).toEqual([]);
  });

  it("gate-06 somebody GitHub does not find among the collaborators", async () => {
    expect((await said("is-gone", undefined, insider)).jobs).toEqual([]);
  });

  it("gate-07 somebody asks while GitHub's permission API is down", async () => {
    const { jobs, texts } = await said("is-ill", undefined, insider);
    expect(jobs).toEqual([]);
    expect(texts[0]).toMatch(/GitHub did not say whether you may write/);
  });

  it("gate-08 the permission API hangs", { timeout: 60_000 * PATIENCE }, async () => {
    const number = issue();
    await attack(world, { issue: number, login: "hangs", body: "/codex write a", bend: insider });
    await expect
      .poll(() => stored(world, number).texts, { timeout: 30_000 * PATIENCE })
      .toHaveLength(1);
    expect(stored(world, number).texts[0]).toMatch(/GitHub did not say/);
    expect(stored(world, number).jobs).toEqual([]);
  });

  it("gate-09 the permission API answers nonsense", async () => {
    for (const login of ["is-blank", "is-owner", "is-html"]) {
      const { jobs, texts } = await said(login, undefined, insider);
      expect(jobs, login).toEqual([]);
      expect(texts[0], login).toMatch(/GitHub did not say/);
    }
  });

  it("gate-10 a reader with the association OWNER", async () => {
    expect((await said("eve", undefined, insider)).jobs).toEqual([]);
  });

  it("gate-11 an organisation's member without a role in the repository", async () => {
    const member = (payload: Payload) => {
      payload.comment.author_association = "MEMBER";
    };
    expect((await said("a-member", undefined, member)).jobs).toEqual([]);
  });

  it("gate-12 a stranger took over the login of an admin who left", async () => {
    expect((await said("is-reborn", undefined, insider)).jobs).toEqual([]);
  });

  it("gate-13 somebody else sends a writer's comment", async () => {
    const eve = userOf(world.github.state, "eve");
    const bend = (payload: Payload) => {
      payload.sender = { ...eve };
    };
    expect(await said("ada", undefined, bend)).toEqual(NOTHING);
  });

  it("gate-14 an App writes in a writer's name", async () => {
    const bend = (payload: Payload) => {
      payload.comment.performed_via_github_app = { id: 31, slug: "helpful-app" };
    };
    const { jobs, texts } = await said("ada", undefined, bend);
    expect(jobs).toEqual([]);
    expect(texts[0]).toMatch(/an App wrote the comment in your name/);
  });

  it("gate-15 an organisation, a mannequin, a deleted account, a bot that calls itself a user", async () => {
    const kinds: ((payload: Payload) => void)[] = [
      (payload) => {
        for (const account of [payload.comment.user, payload.sender]) {
          Object.assign(account ?? {}, { type: "Organization" });
        }
      },
      (payload) => {
        for (const account of [payload.comment.user, payload.sender]) {
          Object.assign(account ?? {}, { type: "Mannequin" });
        }
      },
      (payload) => {
        payload.comment.user = null;
      },
      (payload) => {
        for (const account of [payload.comment.user, payload.sender]) {
          Object.assign(account ?? {}, { login: "ghost" });
        }
      },
    ];
    for (const bend of kinds) {
      const seen = await said("ada", undefined, (payload) => {
        insider(payload);
        bend(payload);
      });
      expect(seen).toEqual(NOTHING);
    }
  });
});

describe("what is said", () => {
  it("gate-16 a comment that was edited into a command before its webhook came", async () => {
    const { jobs, texts } = await said("ada", undefined, (payload) => {
      payload.comment.updated_at = "2036-01-01T00:00:00Z";
    });
    expect(jobs).toEqual([]);
    expect(texts[0]).toMatch(/an edited comment cannot start work/);
  });

  it("gate-17 an old comment of a writer's is edited into a command", async () => {
    const seen = await said("ada", undefined, (payload) => {
      payload.action = "edited";
      payload.changes = { body: { from: "thanks!" } };
    });
    expect(seen).toEqual(NOTHING);
  });

  const zero = "\u200B";
  const hidden: Record<string, string> = {
    "a quotation": "> /codex write a",
    "a quotation of an e-mail": "On Monday ada wrote:\n> /codex write a\n> -- \n> ada\n\nThanks",
    "a fence": "```\n/codex write a\n```",
    "a fence of tildes that does not end": "~~~\n/codex write a",
    "indented code": "    /codex write a",
    "an HTML comment": "Fine.\n<!--\n/codex write a\n-->",
    "an HTML comment in a paragraph": "Fine <!--\n/codex write a\n--> indeed",
    "a folded part": "<details>\n<summary>log</summary>\n\n/codex write a\n\n</details>",
    "preformatted text": "<pre>\n/codex write a\n</pre>",
    "the middle of a line": "please /codex write a",
    "a list item": "- /codex write a",
    "a link": "[\n/codex write a](https://example.com)",
    "invisible characters in the word": `/co${zero}dex write a`,
    "an invisible character in front": `${zero}/codex write a`,
    "a look-alike": "/сodex write a",
    "an entity": "&#47;codex write a",
    "a longer word": "/codexes write a",
    "a reference definition": "[x]: https://example.com\n'\n/codex write a'",
  };
  it("gate-18 a command hidden in quotations, code, HTML, folds and invisible characters", async () => {
    for (const [where, body] of Object.entries(hidden)) {
      expect(await said("ada", body), where).toEqual(NOTHING);
    }
  });

  it("gate-19 a command that names another repository", async () => {
    for (const flag of ["--repo acme/off", "--repo=other/x", "--owner other"]) {
      const { jobs, texts } = await said("ada", `/codex write a ${flag}`);
      expect(jobs, flag).toEqual([]);
      expect(texts[0], flag).toMatch(/is no flag of `\/codex`/);
    }
  });

  it("gate-20 one comment delivered fifty times at once under fifty ids", async () => {
    const number = issue();
    const { comment } = await attack(world, {
      issue: number,
      login: "eve",
      body: "nothing yet",
    });
    comment.author = "ada";
    comment.body = "/codex write a";
    await Promise.all(
      Array.from({ length: 50 }, () =>
        attack(world, { issue: number, login: "ada", body: comment.body, comment }),
      ),
    );
    expect(stored(world, number).jobs).toHaveLength(1);
    await world.ended(number);
    const { texts } = stored(world, number);
    expect(texts).toHaveLength(1);
    expect(world.answers(number)).toHaveLength(1);
  });

  it("gate-21 people who are no admins let a held change out", async () => {
    for (const login of ["ada", "a-maintainer", "a-triager", "eve"]) {
      const { texts } = await said(login, `/codex allow 0a1b2c3d ${SHA}`);
      expect(texts[0], login).toMatch(/only people with admin access/);
    }
  });
});

describe("where and when", () => {
  const forks = [{ id: 4711, full_name: "eve/shop" }, null, { id: 4712, full_name: "acme/shop" }];
  const asked = ["/codex write a", `/codex allow 0a1b2c3d ${SHA}`];
  it("gate-22 an admin comments on a pull request from a fork, one that was deleted, one of our name", async () => {
    for (const [head, body] of forks.flatMap((fork) =>
      asked.map((each) => [fork, each] as const),
    )) {
      const number = issue();
      PULLS[number] = {
        number,
        state: "open",
        html_url: "",
        head: { ref: "main", sha: world.baseSha, repo: head },
        base: { ref: "main" },
      };
      const bend = (payload: Payload) => {
        payload.issue.pull_request = { url: "x" };
      };
      await attack(world, { issue: number, login: "an-admin", body, bend });
      const { jobs, texts } = stored(world, number);
      expect(jobs).toEqual([]);
      expect(texts[0]).toMatch(/comes from a fork/);
    }
  });

  it("gate-23 a writer comments where the repository switched it off", async () => {
    issue();
    const by = { issue: 1, login: "ada", repository: "off" };
    await attack(world, { ...by, body: "/codex write a" });
    await expect.poll(() => world.at("off").answers()[0]?.body ?? "").toMatch(/`enabled: false`/);
    expect(world.at("off").pulls()).toEqual([]);
  });

  it("gate-24 a writer comments where the switch is mistyped", async () => {
    issue();
    await attack(world, { issue: 1, login: "ada", repository: "typo", body: "/codex write a" });
    await expect.poll(() => world.at("typo").answers()[0]?.body ?? "").toMatch(/has problems/);
    expect(world.at("typo").pulls()).toEqual([]);
  });

  it("gate-25 another repository took the name of the one that was meant", async () => {
    const number = issue();
    sabotage = ({ path: where }) =>
      where === "/repos/acme/shop"
        ? { when: "before", answer: { status: 200, body: { id: 5, default_branch: "main" } } }
        : undefined;
    await attack(world, { issue: number, login: "ada", body: "/codex write a" });
    const { jobs, texts } = stored(world, number);
    expect(jobs).toEqual([]);
    expect(texts[0]).toMatch(/is another repository now/);
  });

  it("gate-26 a writer comments while the operator pauses the server", async () => {
    const lift = pause("moving house");
    const { jobs, texts } = await said("ada");
    lift();
    expect(jobs).toEqual([]);
    expect(texts[0]).toMatch(/paused it: moving house/);
  });

  it("gate-27 the operator pauses while a job is at work, which must not leave until it is lifted", {
    timeout: 60_000 * PATIENCE,
  }, async () => {
    const number = issue();
    const { begun, goOn } = slowModel();
    await world.say("/codex write a slow", number);
    await begun;
    const lift = pause("a secret leaked");
    goOn();
    await expect
      .poll(() => stored(world, number).texts[0], { timeout: 20_000 * PATIENCE })
      .toMatch(/waiting.*a secret leaked/);
    expect(await left(number)).toEqual([]);
    lift();
    expect(await world.ended(number)).toContain("✅ done");
    expect(await left(number)).not.toEqual([]);
  });

  it("gate-28 the server is killed and started again while it is paused: nothing goes on", {
    timeout: 60_000 * PATIENCE,
  }, async () => {
    const number = issue();
    const { begun, goOn } = slowModel();
    await world.say("/codex write a slow", number);
    await begun;
    const lift = pause("after a break-in");
    await world.stop("SIGKILL");
    goOn();
    const requests = world.model.requests.length;
    await world.start();
    await expect
      .poll(() => stored(world, number).texts[0], { timeout: 20_000 * PATIENCE })
      .toMatch(/waiting: the operator of this server paused it: after a break-in/);
    expect(world.model.requests).toHaveLength(requests);
    expect(await left(number)).toEqual([]);
    lift();
    expect(await world.ended(number)).toContain("✅ done");
  });

  /** A job at work; what happens `meanwhile`; and how its board ends without anything that left. */
  async function whileAtWork(
    meanwhile: () => void | Promise<void>,
    login = "ada",
  ): Promise<string> {
    const number = issue();
    const { begun, goOn } = slowModel();
    await world.say("/codex write a slow", number, login);
    await begun;
    await meanwhile();
    goOn();
    const board = await world.ended(number);
    expect(await left(number)).toEqual([]);
    return board;
  }

  it("gate-29 the person loses write access while the agent works", {
    timeout: 60_000 * PATIENCE,
  }, async () => {
    const { collaborators } = world.github.repository("shop");
    onTestFinished(() => {
      collaborators.ada = "write";
    });
    const board = await whileAtWork(() => {
      collaborators.ada = "read";
    });
    expect(board).toMatch(/ada may no longer write to this repository/);
  });

  it("gate-30 the login of the person passes to somebody else while the agent works", {
    timeout: 60_000 * PATIENCE,
  }, async () => {
    const ada = userOf(world.github.state, "ada");
    onTestFinished(() => {
      world.github.state.users.set("ada", ada);
    });
    const board = await whileAtWork(() => {
      world.github.state.users.set("ada", { ...ada, id: 424_242 });
    });
    expect(board).toMatch(/ada may no longer write to this repository/);
  });

  it("gate-31 the repository is switched off while the agent works", {
    timeout: 60_000 * PATIENCE,
  }, async () => {
    const off = Buffer.from("enabled: false\n").toString("base64");
    const board = await whileAtWork(() => {
      sabotage = ({ path: where }) =>
        where.endsWith("/contents/.github/codex.yml")
          ? {
              when: "before",
              answer: { status: 200, body: { type: "file", size: 15, content: off } },
            }
          : undefined;
    });
    expect(board).toMatch(/enabled: false.*nothing was published/);
  });

  it("gate-32 a writer comments while the installation is suspended", async () => {
    const number = issue();
    sabotage = ({ actor, path: where }) =>
      actor === "installation" || where.endsWith("/access_tokens")
        ? {
            when: "before",
            answer: { status: 403, body: { message: "This installation has been suspended" } },
          }
        : undefined;
    await attack(world, { issue: number, login: "ada", body: "/codex write a" });
    expect(stored(world, number)).toEqual(NOTHING);
  });

  it("gate-33 who let a held change out is no admin any more when it is to leave", {
    timeout: 60_000 * PATIENCE,
  }, async () => {
    const number = issue();
    await world.say("/codex write the workflow", number);
    expect(await world.ended(number)).toMatch(/⛔ blocked/);
    const allow = /\/codex allow \S+ \S+/.exec(stored(world, number).texts.join("\n"))?.[0] ?? "";
    let looks = 0;
    sabotage = ({ path: where }) => {
      if (!where.endsWith("/collaborators/an-admin/permission")) return undefined;
      looks += 1;
      const body = { permission: "write", role_name: "write" };
      return looks > 1 ? { when: "before", answer: { status: 200, body } } : undefined;
    };
    await attack(world, { issue: number, login: "an-admin", body: allow });
    expect(stored(world, number).texts.join("\n")).toMatch(/lets the change .* leave/);
    await expect
      .poll(() => stored(world, number).texts.join("\n"), { timeout: 30_000 * PATIENCE })
      .toMatch(/an-admin is no longer an admin of this repository/);
    expect(looks).toBe(2);
    expect(await left(number)).toEqual([]);
  });

  it("gate-39 the person loses write access while a commit is carried over to a branch that moved", {
    timeout: 60_000 * PATIENCE,
  }, async () => {
    const number = issue();
    await world.say("/codex write a", number);
    await world.ended(number);
    const pull = world.pulls().find((each) => each.head.startsWith(`codex/${number}-`));
    if (!pull) throw new Error("no pull request");
    const { begun, goOn } = slowModel();
    await world.say("/codex write more, slow", pull.number);
    await begun;
    const theirs = await pushFile(world, pull.head, "theirs.txt", "theirs\n");
    let looks = 0;
    sabotage = ({ path: where }) => {
      if (!where.endsWith("/collaborators/ada/permission")) return undefined;
      looks += 1;
      const body = { permission: "read", role_name: "read" };
      return looks > 1 ? { when: "before", answer: { status: 200, body } } : undefined;
    };
    goOn();
    expect(await world.ended(pull.number)).toMatch(/ada may no longer write to this repository/);
    expect(looks).toBe(2);
    expect(await git(world.bare, ["rev-parse", pull.head])).toBe(theirs);
  });

  /** Starts the server anew with another list of repositories, until the test is over. */
  async function list(repositories: string): Promise<void> {
    await world.stop("SIGKILL");
    env.DRAFTSMITH_REPOSITORIES = repositories;
    onTestFinished(async () => {
      delete env.DRAFTSMITH_REPOSITORIES;
      await world.stop("SIGKILL");
      await world.start();
    });
    await world.start();
  }

  it("gate-34 the repository is taken off the operator's list while a job is under way", {
    timeout: 60_000 * PATIENCE,
  }, async () => {
    const number = issue();
    const { begun, goOn } = slowModel();
    await world.say("/codex write a slow", number);
    await begun;
    goOn();
    await list("acme/off, other/*");
    expect(await world.ended(number)).toMatch(/does not let it work for this repository/);
    expect(await left(number)).toEqual([]);
  });

  it("gate-35 a writer comments in a repository that is not on the operator's list", async () => {
    await list("acme/off, other/*");
    const number = issue();
    const asked = world.github.requests.length;
    await attack(world, { issue: number, login: "ada", body: "/codex write a" });
    expect(stored(world, number)).toEqual(NOTHING);
    const since = world.github.requests.slice(asked).map((request) => request.path);
    expect(since.filter((where) => where.endsWith("/permission"))).toEqual([]);
  });
});

describe("how much", () => {
  let busy: World;
  let endBusy: () => Promise<void>;

  beforeAll(async () => {
    ({ world: busy, end: endBusy } = await openWorld({
      // No job ever ends.
      model: () => new Promise<ScriptedReply>(() => undefined),
      people: { ada: "write", eve: "write" },
      env: {
        DRAFTSMITH_JOBS_PER_PERSON: "3",
        DRAFTSMITH_JOBS_PER_REPOSITORY: "5",
        DRAFTSMITH_COMMANDS_PER_HOUR: "20",
        DRAFTSMITH_CONCURRENCY: "1",
      },
    }));
  }, 60_000 * PATIENCE);
  afterAll(() => endBusy());

  /** Many comments of one person at once, each with a webhook of its own. */
  async function flood(login: string, bodies: string[], number: number): Promise<void> {
    await Promise.all(bodies.map((body) => attack(busy, { issue: number, login, body })));
  }

  it("gate-36 a writer posts fifteen commands at once", async () => {
    const number = busy.issue({ title: "Flood", body: "" });
    await flood("ada", Array<string>(15).fill("/codex write a"), number);
    const { jobs, texts } = stored(busy, number);
    expect(jobs).toHaveLength(3);
    const refusals = texts.filter((text) => text.includes("nothing was started"));
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatch(/you have 3 open jobs, and 3 may be open/);
    expect(texts).toHaveLength(4);
  });

  it("gate-37 a second person fills the rest of the repository, and tries to overflow it", async () => {
    const ours = busy.issue({ title: "Ours", body: "" });
    await flood("ada", ["/codex\n- one\n- two\n- three"], ours);
    const number = busy.issue({ title: "Theirs", body: "" });
    for (const task of ["one", "two", "three"]) await flood("eve", [`/codex ${task}`], number);
    const { jobs, texts } = stored(busy, number);
    expect(jobs).toHaveLength(2);
    expect(texts.join("\n")).toMatch(/this repository has 5 open jobs, and 5 may be open/);
  });

  it("gate-38 a writer asks for help five hundred times", {
    timeout: 60_000 * PATIENCE,
  }, async () => {
    const number = busy.issue({ title: "Flood", body: "" });
    for (let at = 0; at < 10; at++) {
      await flood("eve", Array<string>(50).fill("/codex help"), number);
    }
    const { texts } = stored(busy, number);
    expect(texts.length).toBeLessThanOrEqual(20);
    expect(texts.filter((text) => text.includes("commands in the last hour"))).toHaveLength(1);
    const asked = busy.github.requests.filter((each) => each.path.endsWith("/eve/permission"));
    expect(asked.length).toBeLessThan(150);
  });
});
