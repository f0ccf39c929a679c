import { describe, expect, it } from "vitest";
import type { Job } from "../../src/core/job.ts";
import type { GitHub, PullFacts } from "../../src/core/ports.ts";
import { type RepoConfig, repoConfigSchema } from "../../src/core/repo-config.ts";
import { planCommand } from "../../src/jobs/plan-command.ts";
import { anyModel } from "../support/any-model.ts";
import { silentLog } from "../support/log.ts";
import { aCommand, aJob } from "../support/store-rows.ts";
import { treeOf } from "../support/tree-of.ts";

const { repo } = aCommand("c");
const ada = { id: 5, login: "ada", type: "User" } as const;
const FOUND = {
  pull: 30,
  url: "https://github.com/octo/shop/pull/30",
  headSha: "d".repeat(40),
  draft: true,
};
const PULL: PullFacts = {
  ...{ number: 30, state: "open", sameRepo: true, baseRef: "main", url: FOUND.url },
  ...{ headRef: "codex/12-make-it-1a2b", headSha: FOUND.headSha },
};

let made = 0;
/** A job that was asked for earlier and stopped at a limit without a pull request; the later, the newer. */
function stopped(digits: string, more: Partial<Job> = {}): Job {
  made += 1;
  return aJob(`019a0000-0000-7000-8000-0000${digits}`, aCommand("c"), {
    ...{ task: "make it", skill: null, state: "over_budget", createdAt: made },
    ...more,
  });
}

const followUp = (digits: string, more: Partial<Job> = {}) =>
  stopped(digits, {
    target: { kind: "follow_up", branch: PULL.headRef, base: "main", pull: 30 },
    ...more,
  });

/** Ground of a comment: what was asked for there before, and on a pull request who opened it. */
interface Before {
  asked?: Job[];
  pull?: PullFacts;
  ours?: Job;
  followUps?: Job[];
  config?: RepoConfig;
  homes?: string[];
}

async function say(body: string, before: Before): Promise<Job[] | string> {
  const { asked = [], pull = null, ours = null, followUps = [] } = before;
  const { config = repoConfigSchema.parse({}), homes = [] } = before;
  const plan = await planCommand(
    {
      ...{ way: { kind: "comment", id: 9 }, repo, url: "u", body, author: ada, sender: ada },
      ...{ viaApp: false, association: "MEMBER", at: "t", edited: false, subject: null },
      issue: { number: pull?.number ?? 12, isPull: pull !== null },
    },
    null,
    {
      ...{ status: "passed", actor: ada, ground: { defaultBranch: "main", config, pull } },
      facts: {} as never,
    },
    {
      github: { branchSha: async () => "a".repeat(40) } as unknown as GitHub,
      sandbox: { check: async () => ({ ok: true }) as never },
      skills: [{ name: "refactor", description: "" }],
      homes: {
        organisation: async () => null,
        files: async () =>
          treeOf(Object.fromEntries(homes.map((name) => [`.agents/skills/${name}/SKILL.md`, ""]))),
      },
      commands: {
        askedAt: async () => asked,
        jobOfPull: async () => ours,
        followUpsOf: async () => followUps,
        wentOnWith: async (ids: string[]) =>
          [...asked, ...followUps].filter(({ continues }) =>
            continues?.jobs.some((id) => ids.includes(id)),
          ),
      } as never,
      figures: { history: async () => ({ alike: { of: "repository" }, costs: [] }) as never },
      models: anyModel("gpt-5-mini"),
      log: silentLog,
      now: () => 1,
    },
  );
  return plan.kind === "work" ? plan.jobs : plan.text;
}

/** The one job that a comment leads to. */
async function job(body: string, before: Before): Promise<Job> {
  const jobs = await say(body, before);
  if (typeof jobs === "string") throw new Error(jobs);
  expect(jobs).toHaveLength(1);
  return jobs[0] as Job;
}

describe("on an issue", () => {
  it("begins again with the last task that stopped at a limit, before one that failed, and with no other", async () => {
    const asked = [
      stopped("aaaaaaaa", { task: "the first" }),
      stopped("bbbbbbbb", { task: "broken", state: "failed" }),
      stopped("cccccccc", { task: "review it", state: "no_change" }),
      stopped("dddddddd", { task: "published", publication: FOUND, state: "done" }),
    ];
    const made = await job("/codex continue", { asked });
    expect(made.task).toBe("the first");
    expect(made.route?.why).toBe("no rule matches");
    const [, ...others] = asked;
    expect((await job("/codex continue also the tests", { asked: others })).task).toBe(
      "broken\n\nalso the tests",
    );
    expect((await job("/codex continue CCCCCCCC", { asked })).task).toBe("review it");
  });

  it("keeps base, readiness, model, effort and skill that were asked for; what is written now wins", async () => {
    const route = (rule: string, why: string) =>
      ({ rule, why, choices: [{ model: "gpt-5", effort: null }], escalation: null }) as const;
    const target = { kind: "new_pull", branch: "b", base: "release", draft: false } as const;
    const first = stopped("aaaaaaaa", {
      ...{
        target,
        skillBy: "none",
        route: { ...route("--model", "asked"), choices: [{ model: "gpt-5", effort: null }] },
      },
    });
    const kept = await job("/codex continue", { asked: [first] });
    expect(kept.target).toMatchObject({ base: "release", draft: false });
    expect(kept).toMatchObject({ model: "gpt-5", skillBy: "none", skill: null });
    expect(kept.route?.rule).toBe("--model");
    const now = await job("/codex continue --draft --base main --model other --skill refactor", {
      asked: [first],
    });
    expect(now.target).toMatchObject({ base: "main", draft: true });
    expect(now).toMatchObject({ model: "other", skillBy: "flag", skill: "refactor" });
    const ruled = stopped("bbbbbbbb", {
      route: { ...route("rule 1", "r"), choices: [{ model: "gpt-5", effort: null }] },
    });
    expect((await job("/codex continue", { asked: [ruled] })).model).toBe("gpt-5-mini");
  });

  it("takes a skill by the first word for what it was, and one of the repository by its flag", async () => {
    const word = stopped("aaaaaaaa", {
      task: "refactor auth",
      skill: "refactor",
      skillBy: "first_word",
    });
    expect(await job("/codex continue", { asked: [word] })).toMatchObject({
      ...{ skill: "refactor", skillBy: "first_word" },
    });
    const own = stopped("bbbbbbbb", { skill: "house-style", skillBy: "flag" });
    expect(await job("/codex continue", { asked: [own], homes: ["house-style"] })).toMatchObject({
      ...{ skill: "house-style", skillBy: "flag" },
    });
    expect(await say("/codex continue", { asked: [own] })).toContain("no skill `house-style`");
  });

  it("takes words where nothing stopped as a task, and without words says what is missing", async () => {
    const body = "/codex continue the migration of users";
    const done = stopped("aaaaaaaa", { state: "done", publication: FOUND });
    const review = stopped("bbbbbbbb", { state: "no_change" });
    for (const asked of [[], [done], [review]]) {
      const made = await job(body, { asked });
      expect(made.task).toBe("continue the migration of users");
      expect(made).not.toHaveProperty("continues");
    }
    expect(await say("/codex continue", {})).toContain("write what is to be done");
    expect(await say("/codex continue", { asked: [done] })).toContain("on #30");
    expect(await say("/codex continue deadbeef", { asked: [review] })).toContain(
      "there is no job `deadbeef` here",
    );
  });

  it("says on which pull request a stopped task goes on, and which is still at work", async () => {
    const published = stopped("aaaaaaaa", { publication: FOUND });
    for (const body of [
      "/codex continue",
      "/codex continue with the tests",
      "/codex continue aaaaaaaa",
    ]) {
      expect(await say(body, { asked: [published] })).toContain("`/codex continue` on #30");
    }
    const running = stopped("bbbbbbbb", { state: "running" });
    expect(await say("/codex continue", { asked: [running] })).toContain("is still at work");
  });

  it("does no task twice: not in one comment, nor while or after another job did it", async () => {
    const first = stopped("aaaaaaaa");
    const twice = "/codex continue\n\n/codex continue aaaaaaaa with tests";
    expect(await say(twice, { asked: [first] })).toContain(
      "tasks 1 and 2 both continue job `aaaaaaaa`; keep one",
    );
    const again = await job("/codex continue with tests", { asked: [first] });
    const going = { ...again, id: stopped("bbbbbbbb").id };
    const asked = [first, { ...going, state: "running" as const }];
    expect(await say("/codex continue", { asked })).toContain("is still at work");
    expect(await say("/codex continue aaaaaaaa", { asked })).toContain(
      "job `bbbbbbbb` goes on with",
    );
    const ended = [first, { ...going, state: "done" as const, publication: FOUND }];
    for (const body of ["/codex continue", "/codex continue aaaaaaaa"]) {
      expect(await say(body, { asked: ended })).toContain("on #30");
    }
    const failed = [first, { ...going, state: "failed" as const }];
    expect((await job("/codex continue", { asked: failed })).task).toBe("make it\n\nwith tests");
  });

  it("refuses words that make a task longer than a task may be", async () => {
    const asked = [stopped("aaaaaaaa", { task: "t".repeat(7990) })];
    expect(await say("/codex continue and then the rest of it", { asked })).toContain("8,000");
    expect((await job("/codex continue", { asked })).task).toHaveLength(7990);
  });
});

describe("on a pull request of Draftsmith's", () => {
  const plan: Job["plan"] = [
    { text: "Write a", status: "done" },
    { text: "Write c", status: "pending" },
  ];
  const ours = () => stopped("aaaaaaaa", { plan, publication: FOUND });

  it("tells the agent the task, what is left by its plan, and the words added now", async () => {
    const opener = ours();
    const made = await job("/codex continue also the docs", { pull: PULL, ours: opener });
    expect(made.target).toMatchObject({ kind: "follow_up", pull: 30 });
    expect(made.task).toMatchInlineSnapshot(`
      "Continue: make it

      Job aaaaaaaa did part of this task and stopped at a limit before its end. What was published so far is on this branch: look at what is there, and do what is left.

      Left to do by the plan of that job:

      - Write c

      Added now:

      also the docs"
    `);
    expect(made.continues).toEqual({ jobs: [opener.id], task: "make it\n\nalso the docs" });
  });

  it("goes on with the job whose digits are given, with its skill, and tells wrong ones", async () => {
    const opener = ours();
    const lost = followUp("bbbbbbbb", {
      task: "refactor b",
      skill: "refactor",
      skillBy: "first_word",
    });
    const before = { pull: PULL, ours: opener, asked: [lost] };
    const last = await job("/codex continue", before);
    expect(last.task).toContain("Continue: refactor b");
    expect(last).toMatchObject({ skill: "refactor", skillBy: "first_word" });
    const named = await job("/codex continue aaaaaaaa", before);
    expect(named.task).toContain("Continue: make it");
    expect(named.skill).toBeNull();
    expect(await say("/codex continue deadbeef", before)).toContain("no job `deadbeef` here");
  });

  it("keeps the task and its plan through job after job", async () => {
    const opener = ours();
    const second = await job("/codex continue with tests", { pull: PULL, ours: opener });
    const lost = { ...second, id: stopped("bbbbbbbb").id, state: "over_budget" as const };
    const third = await job("/codex continue", { pull: PULL, ours: opener, asked: [lost] });
    expect(third.continues).toEqual({ jobs: [opener.id, lost.id], task: "make it\n\nwith tests" });
    expect(third.task).toContain("The whole task:\n\nmake it\n\nwith tests");
    expect(third.task).toContain("- Write c");
    expect(third.task).not.toContain("Write a");
    const done = {
      ...third,
      id: stopped("cccccccc").id,
      state: "done" as const,
      publication: FOUND,
    };
    const before = { pull: PULL, ours: opener, asked: [lost], followUps: [done] };
    const fourth = await job("/codex continue aaaaaaaa and the docs", before);
    expect(fourth.task).toContain("Added now:\n\nand the docs");
    expect(fourth.task).not.toContain("Write c");
  });

  it("takes words where nothing stopped as a follow-up like any other, without skill or job of another", async () => {
    const opener = stopped("aaaaaaaa", {
      ...{ state: "done", publication: FOUND, skill: "refactor", skillBy: "flag" },
    });
    const review = followUp("bbbbbbbb", { state: "no_change", skill: "refactor", skillBy: "flag" });
    const going = { pull: PULL, ours: opener, asked: [review] };
    const made = await job("/codex continue and rename the flag", going);
    expect(made).toMatchObject({ task: "continue and rename the flag", skill: null });
    expect(made.target).toMatchObject({ kind: "follow_up", pull: 30 });
    expect(made).not.toHaveProperty("continues");
    const finished = followUp("cccccccc", {
      ...{ state: "no_change", continues: { jobs: [ours().id], task: "make it" } },
    });
    const after = { pull: PULL, ours: ours(), asked: [finished] };
    expect((await job("/codex continue and rename it", after)).task).toBe("continue and rename it");
    for (const before of [going, after]) {
      const answer = await say("/codex continue", before);
      expect(answer).toContain("nothing that was asked for here stopped before its end");
      expect(answer).toContain("`/codex <what to change>`");
      expect(answer).toContain("8 digits");
    }
    expect((await job("/codex continue bbbbbbbb", going)).task).toContain("Continue: make it");
  });

  it("goes on with the newest that was stopped, whatever stopped it, and not while one is at work", async () => {
    const next = (state: Job["state"], more: Partial<Job> = {}) =>
      followUp("bbbbbbbb", { state, continues: { jobs: [ours().id], task: "make it" }, ...more });
    const ends: [Job["state"], Partial<Job>][] = [
      ["failed", {}],
      ["cancelled", {}],
      ["blocked", {}],
      ["no_change", { ending: { kind: "declined" } }],
    ];
    for (const [state, more] of ends) {
      const opener = ours();
      const before = { pull: PULL, ours: opener, asked: [next(state, more)] };
      const third = await job("/codex continue", before);
      expect(third.continues?.jobs).toEqual([opener.id, next(state).id]);
      expect(third.task).toContain("- Write c");
    }
    const busy = { pull: PULL, ours: ours(), asked: [next("running")] };
    expect(await say("/codex continue", busy)).toContain("job `bbbbbbbb` is still at work");
    expect(await say("/codex continue and rename it", busy)).toContain("another word than");
    expect(await say("/codex continue aaaaaaaa", busy)).toContain("goes on with job `aaaaaaaa`");
  });

  it("does no work twice: of two tasks in one comment that go on with a job, and with what it went on with", async () => {
    const lost = followUp("bbbbbbbb", {
      ...{ state: "failed", continues: { jobs: [ours().id], task: "make it" } },
    });
    const twice = "/codex continue bbbbbbbb\n\n/codex continue aaaaaaaa with tests";
    expect(await say(twice, { pull: PULL, ours: ours(), asked: [lost] })).toContain(
      "tasks 1 and 2 both continue job `aaaaaaaa`; keep one",
    );
  });

  it("keeps the effort that was asked for, as it was stored, and reads none out of a sentence", async () => {
    const route = { rule: "rule 1", why: "r", escalation: null } as const;
    const choices: [{ model: string; effort: string }] = [{ model: "gpt-5", effort: "high" }];
    const asked = { ...ours(), route: { ...route, choices, effort: "high" } };
    expect((await job("/codex continue", { pull: PULL, ours: asked })).route).toMatchObject({
      ...{ rule: "default", effort: "high", choices: [{ effort: "high" }] },
    });
    const why = "skill is x; --effort asked for high";
    const old = { ...ours(), route: { ...route, why, choices } };
    const made = await job("/codex continue", { pull: PULL, ours: old });
    expect(made.route?.choices).toEqual([{ model: "gpt-5-mini", effort: null }]);
  });

  it("cuts what the agent is told to the length of a task", async () => {
    const items = Array.from({ length: 90 }, (_, at) => ({
      text: `${at} ${"i".repeat(300)}`,
      status: "pending" as const,
    }));
    const long = { ...ours(), task: "t".repeat(7900), plan: items };
    const made = await job("/codex continue", { pull: PULL, ours: long });
    expect(made.task.length).toBeLessThanOrEqual(8000);
    expect(made.task).toContain("do what is left");
  });
});

it("on a person's pull request a task without one begins again, onto its branch", async () => {
  const pull = { ...PULL, headRef: "feature" };
  const target = { kind: "new_pull", branch: "b", base: "feature", draft: false } as const;
  const made = await job("/codex continue aaaaaaaa --budget 2", {
    ...{ pull, asked: [stopped("aaaaaaaa", { target })] },
  });
  expect(made.task).toBe("make it");
  expect(made.target).toMatchObject({ kind: "new_pull", base: "feature", draft: false });
});

it("a job knows what may be spent on it at most where it was asked for", async () => {
  const config = repoConfigSchema.parse({ budget: { job: 0.5 } });
  expect((await job("/codex make it --budget 0.1", { config })).most).toBe(500_000);
});

describe("retry", () => {
  it("begins each job anew that failed and nobody went on with, by another model if asked", async () => {
    const asked = [
      stopped("aaaaaaaa", { task: "broken", state: "failed" }),
      stopped("bbbbbbbb", { task: "stopped at a limit" }),
      stopped("cccccccc", { task: "broken, too", state: "failed" }),
    ];
    const again = await say("/codex retry --model other", { asked });
    expect(again).toMatchObject([
      { task: "broken", model: "other" },
      { task: "broken, too", model: "other" },
    ]);
    expect((await job("/codex retry bbbbbbbb", { asked })).task).toBe("stopped at a limit");
    expect(await say("/codex retry", { asked: asked.slice(1, 2) })).toContain(
      "nothing that was asked for here failed",
    );
  });

  it("asks a question again, and never as work that writes", async () => {
    const target = { kind: "answer", base: "main", pull: null } as const;
    const question = stopped("aaaaaaaa", { task: "ask why", work: "ask", target, state: "failed" });
    for (const words of ["/codex retry", "/codex continue aaaaaaaa in short"]) {
      const made = await job(words, { asked: [question] });
      expect(made).toMatchObject({ work: "ask", target: { kind: "answer" } });
    }
  });
});
