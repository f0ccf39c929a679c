import { describe, expect, it, test } from "vitest";
import type { Job, VerifiedChange } from "../../../src/core/job.ts";
import type { CapReached } from "../../../src/core/ledger.ts";
import { renderBoard } from "../../../src/core/messages/board.ts";
import { capWords } from "../../../src/core/messages/budget.ts";
import { renderPull } from "../../../src/core/messages/pull.ts";
import { repoConfigSchema } from "../../../src/core/repo-config.ts";
import { aCommand, aJob } from "../../support/store-rows.ts";

const HEAD = "b".repeat(40);
const command = aCommand("018f");
const STEPS = "the limit of steps was reached";
const refused = (cap: CapReached["cap"], spent = 40_000): CapReached => ({
  ...{ cap, spent, limit: 50_000 },
});

/** A change whose agent was stopped because of `limit`; null: it finished. */
function aChange(limit: CapReached | string | null): VerifiedChange {
  const capped = limit !== null && typeof limit !== "string";
  return {
    ...{ commit: HEAD, parent: "a".repeat(40), tree: "c".repeat(40), files: [], evidence: [] },
    ...{ title: "Make it", summary: "As asked.", message: "Make it\n", deniedHosts: [] },
    ...{ cautions: [], violations: [], excerpt: "" },
    ...(capped ? { limit: capWords(limit), outOfBudget: true } : { limit }),
  };
}

const published = (pull: number, headSha = HEAD) => ({
  ...{ pull, url: `https://github.com/octo/shop/pull/${pull}`, headSha, draft: true },
});

const opened = (limit: CapReached | string | null, more: Partial<Job> = {}): Job =>
  aJob("0190-3f9a0c1b", command, {
    ...{ state: limit === null ? "done" : "over_budget", change: aChange(limit) },
    ...(limit !== null && typeof limit !== "string" && { ending: { kind: "cap", by: limit } }),
    publication: published(14),
    ...more,
  });

function pullOf(job: Job, later: Job[] = []): string {
  if (job.change === null) throw new Error("no change");
  return renderPull({ command, job, change: job.change, headSha: HEAD, neighbours: [], later });
}

describe("going on is offered", () => {
  const config = (budget: { job?: number; day?: number }) => repoConfigSchema.parse({ budget });
  it.each<[string, CapReached | string, Partial<Job>, string]>([
    ["$2 of more", refused("job"), { most: 5_000_000 }, "/codex continue --budget 2"],
    [
      "no more than a job may cost",
      refused("job"),
      { most: 500_000 },
      "/codex continue --budget 0.5",
    ],
    [
      "nor than its skill lets it",
      refused("job"),
      { most: 500_000, config: config({ job: 0.25 }) },
      "/codex continue --budget 0.25",
    ],
    [
      "plain where its command was too dear: another one has all of its own",
      refused("command"),
      { most: 5_000_000 },
      "/codex continue",
    ],
    ["plain without a bound", refused("job"), { most: null, budget: 50_000 }, "/codex continue"],
    ["plain for rows of earlier versions", "the budget of $0.05 is used up", {}, "/codex continue"],
    ["plain after other limits", STEPS, { most: 500_000 }, "/codex continue"],
    [
      "where its own budget was too little",
      refused("job", 0),
      { most: 500_000, budget: 50_000 },
      "/codex continue --budget 0.5",
    ],
  ])("%s", (_name, limit, more, words) => {
    const job = opened(limit, more);
    expect(pullOf(job)).toContain(`Comment \`${words}\` here`);
    const named = words.replace("continue", "continue 3f9a0c1b");
    expect(renderBoard(command, [job])).toContain(`comment \`${named}\` on #14`);
    const none = { ...job, publication: null, change: null };
    expect(renderBoard(command, [none])).toContain(`comment \`${named}\` here`);
  });

  it.each<[string, CapReached, Partial<Job>, string]>([
    [
      "the server's money of the day",
      refused("repositoryDay"),
      {},
      "it can go on after midnight UTC, or once the server's operator raises `budgets.repository_day` in `draftsmith.yml`",
    ],
    [
      "the repository's own of the day",
      refused("repositoryDay"),
      { config: config({ day: 0.05 }) },
      "for this repository and day is used up; it can go on after midnight UTC, or once `budget.day` in `.github/codex.yml` is raised",
    ],
    [
      "a day that does not pay for one call",
      refused("repositoryDay", 0),
      { config: config({ day: 0.05 }) },
      "one call may cost more than the budget of $0.0500 for this repository and day; it can go on once `budget.day` in `.github/codex.yml` is raised",
    ],
    [
      "a person's",
      refused("personDay"),
      {},
      "after midnight UTC, or once the server's operator raises `budgets.person_day`",
    ],
    [
      "a month",
      refused("repositoryMonth"),
      {},
      "next month (UTC), or once the server's operator raises `budgets.repository_month`",
    ],
    [
      "an installation's",
      refused("installationMonth"),
      {},
      "next month (UTC), or once the server's operator raises `budgets.installation_month`",
    ],
    [
      "the server's",
      refused("operatorMonth"),
      {},
      "next month (UTC), or once the server's operator raises `budgets.operator_month`",
    ],
    ["one call", refused("call"), {}, "once the server's operator raises `budgets.call`"],
    [
      "the whole of a job does not pay for one call",
      refused("job", 0),
      { config: config({ job: 0.05 }) },
      "one call may cost more than the budget of $0.0500 for this job; it can go on once `budget.job` in `.github/codex.yml` is raised",
    ],
    [
      "nor that of a command",
      refused("command", 0),
      {},
      "once the server's operator raises `budgets.command`",
    ],
  ])("nowhere in vain, but what helps: %s", (_name, limit, more, words) => {
    const job = opened(limit, { most: 50_000, ...more });
    expect(pullOf(job)).toContain("**Out of budget.**");
    for (const text of [pullOf(job), renderBoard(command, [job])]) {
      expect(text).toContain(words);
      expect(text).not.toContain("/codex continue");
      expect(text).not.toContain("--budget");
    }
  });

  it("and the reason of a day that is too small for one call promises nothing for tomorrow", () => {
    expect(capWords(refused("repositoryDay", 0))).not.toContain("midnight");
    expect(capWords(refused("repositoryDay"))).toContain("there is more after midnight UTC");
  });
});

describe("how a stopped job stands by the one that went on with it", () => {
  const plan: Job["plan"] = [{ text: "Write c", status: "pending" }];
  const held: VerifiedChange = {
    ...aChange(null),
    violations: [{ kind: "secret", path: "a.txt", reason: "it looks like a key" }],
  };
  type Ended = Partial<Job>;
  const starts: [string, Job][] = [
    ["over budget, with a draft", opened(refused("job"), { plan, most: 5_000_000 })],
    ["at another limit, with a draft", opened(STEPS, { plan })],
    ["at a limit, before a change", opened(STEPS, { plan, change: null, publication: null })],
  ];
  /** What the first job's board says then, and where going on is offered: nowhere, by its own board or by the later job's. */
  const ends: [string, Ended, string, "nowhere" | "later"][] = [
    ["waits", { state: "queued" }, "`0c1b3f9a`%s goes on with it", "nowhere"],
    ["works", { state: "running" }, "`0c1b3f9a`%s goes on with it", "nowhere"],
    ["is checked", { state: "verifying", change: aChange(null) }, "goes on with it", "nowhere"],
    [
      "is done",
      { state: "done", change: aChange(null), publication: published(14, "e".repeat(40)) },
      "`0c1b3f9a`%s finished the work",
      "nowhere",
    ],
    ["found nothing to change", { state: "no_change" }, "found nothing more to change", "nowhere"],
    [
      "left items of its plan by its own word",
      { state: "no_change", plan: [{ text: "Ask ops", status: "pending" }] },
      "left 1 item of its plan",
      "nowhere",
    ],
    [
      "was declined",
      { state: "no_change", ending: { kind: "declined" } },
      "was declined by the model",
      "later",
    ],
    [
      "waits for an admin",
      { state: "blocked", change: held },
      "waits for the word of an admin",
      "nowhere",
    ],
    [
      "is blocked without a change",
      { state: "blocked" },
      "could not publish what it made",
      "later",
    ],
    [
      "is over budget, without a commit",
      { state: "over_budget" },
      "stopped at a limit before its end",
      "later",
    ],
    [
      "is over budget, with a commit",
      { state: "over_budget", change: aChange(STEPS), publication: published(14, "e".repeat(40)) },
      "stopped at a limit before its end",
      "later",
    ],
    ["failed", { state: "failed" }, "went on with it and failed", "later"],
    ["was stopped", { state: "cancelled" }, "was stopped by a person", "later"],
  ];
  const table = starts.flatMap(([start, first]) =>
    ends.map(([end, ended, words, offered]) => ({ start, end, first, ended, words, offered })),
  );

  it.each(table)("$start; the later job $end", ({ first, ended, words, offered }) => {
    const onPull = first.publication !== null;
    const asked = aCommand("019f", { issue: onPull ? 14 : 12 });
    const target: Job["target"] = onPull
      ? { kind: "follow_up", branch: "b", base: "main", pull: 14 }
      : { kind: "new_pull", branch: "b2", base: "main", draft: true };
    const later = aJob("0191-0c1b3f9a", asked, {
      ...{ target, continues: { jobs: [first.id], task: "make it" } },
      ...ended,
    });
    const ofFirst = renderBoard(command, [first], [later]);
    const ofLater = renderBoard(asked, [later]);
    expect(ofFirst).toContain(
      words
        .replace("%s", onPull ? " on #14" : " (#12)")
        .replace("(#12)", ended.publication ? "(#14)" : "(#12)"),
    );
    const offers = (text: string) => text.match(/\/codex continue[^`]*/g) ?? [];
    expect(offers(ofFirst)).toEqual([]);
    expect(offers(ofLater)).toEqual(offered === "later" ? ["/codex continue 0c1b3f9a"] : []);
    if (!onPull) return;
    const body = pullOf(first, [later]);
    const finished = later.state === "done" || (later.state === "no_change" && !later.ending);
    expect(/Out of budget|may be unfinished/.test(body)).toBe(!finished);
    const left = finished ? later.plan : first.plan;
    expect(body.includes("### Left to do")).toBe(left.length > 0);
    for (const { text } of left) expect(body).toContain(`- [ ] ${text}`);
    // A draft offers the same as the board, or nothing.
    expect(offers(body).length).toBe(offered === "later" ? 1 : 0);
    for (const offer of offers(body)) {
      expect(["/codex continue", "/codex continue 0c1b3f9a"]).toContain(offer);
    }
  });

  it("the newest of several tells, unless one finished the work", () => {
    const [, first] = starts[0] ?? [];
    if (!first) throw new Error("no job");
    const next = (id: string, state: Job["state"], jobs: string[]) =>
      aJob(id, command, {
        ...{ state, continues: { jobs, task: "t" } },
        target: { kind: "follow_up", branch: "b", base: "main", pull: 14 },
      });
    const failed = next("0191-aaaaaaaa", "failed", [first.id]);
    const works = next("0192-bbbbbbbb", "running", [first.id, failed.id]);
    expect(renderBoard(command, [first], [failed, works])).toContain("`bbbbbbbb` on #14 goes on");
    expect(renderBoard(command, [failed], [works])).not.toContain("/codex continue");
    const ended = next("0192-bbbbbbbb", "no_change", [first.id, failed.id]);
    const more = next("0193-cccccccc", "failed", [first.id]);
    expect(renderBoard(command, [first], [failed, ended, more])).toContain("found nothing more");
    expect(pullOf(first, [failed, ended, more])).not.toMatch(/Out of budget|codex continue/);
  });
});

describe("a pull request whose agent was stopped", () => {
  const left: Job["plan"] = [{ text: "Write c", status: "pending" }];
  const opener = opened(refused("job"), { plan: left });
  const later = (limit: CapReached | string | null, more: Partial<Job> = {}): Job =>
    opened(limit, {
      ...{ id: "0191", target: { kind: "follow_up", branch: "b", base: "main", pull: 14 } },
      publication: published(14, "e".repeat(40)),
      continues: { jobs: [opener.id], task: "make it" },
      ...more,
    });

  it("says that a later commit finished it", () => {
    const body = pullOf(opener, [later(null)]);
    expect(body).toContain("the later commit [`eeeeeee`]");
    expect(body).toContain("finished the work");
    expect(body).not.toMatch(/Out of budget|unfinished|Left to do|codex continue/);
  });

  it("stays unfinished when the later commit was stopped, too, or had another task", () => {
    const again = later(STEPS, {
      plan: [{ text: "Write d", status: "pending" }],
    });
    const body = pullOf(opener, [again]);
    expect(body).toContain("The agent of the later commit [`eeeeeee`]");
    expect(body).toContain("- [ ] Write d");
    expect(body).not.toContain("Write c");
    const { continues: _, ...other } = later(null);
    expect(pullOf(opener, [other])).toContain("**Out of budget.**");
  });

  it("is finished by the last of several", () => {
    const lost = "0191-lost";
    const end = later(null, { continues: { jobs: [opener.id, lost], task: "make it" } });
    expect(pullOf(opener, [end])).toContain("finished the work");
    const half = later(STEPS);
    const whole = later(null, { id: "0192", continues: { jobs: [opener.id, half.id], task: "t" } });
    expect(pullOf(opener, [half, whole])).toContain("finished the work");
  });
});

test("a pull request that no limit touched says nothing of it", () => {
  expect(pullOf(opened(null))).not.toMatch(/stopped|finished|continue/);
});
