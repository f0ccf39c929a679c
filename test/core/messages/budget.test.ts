import { describe, expect, it, test } from "vitest";
import type { Job, VerifiedChange } from "../../../src/core/job.ts";
import { renderBoard } from "../../../src/core/messages/board.ts";
import { capReached } from "../../../src/core/messages/budget.ts";
import { renderPull } from "../../../src/core/messages/pull.ts";
import { aCommand, aJob } from "../../support/store-rows.ts";

const HEAD = "b".repeat(40);
const command = aCommand("018f");
const refused = (
  cap: "call" | "job" | "command" | "repositoryDay" | "personDay" | "operatorMonth",
  spent = 40_000,
) => capReached({ cap, spent, limit: 50_000 });

/** A change whose agent was stopped because of `limit`; null: it finished. */
function aChange(limit: string | null): VerifiedChange {
  return {
    ...{ commit: HEAD, parent: "a".repeat(40), tree: "c".repeat(40), files: [], evidence: [] },
    ...{ title: "Make it", summary: "As asked.", message: "Make it\n", limit, deniedHosts: [] },
    ...{ cautions: [], violations: [], excerpt: "" },
    ...(limit?.startsWith("the budget") && { outOfBudget: true }),
  };
}

const opened = (limit: string | null, more: Partial<Job> = {}): Job =>
  aJob("0190-3f9a0c1b", command, {
    ...{ state: limit === null ? "done" : "over_budget", change: aChange(limit) },
    publication: {
      pull: 14,
      url: "https://github.com/octo/shop/pull/14",
      headSha: HEAD,
      draft: true,
    },
    ...more,
  });

function pullOf(job: Job, followUps: Job[] = []): string {
  if (job.change === null) throw new Error("no change");
  return renderPull({ command, job, change: job.change, headSha: HEAD, neighbours: [], followUps });
}

describe("going on is offered", () => {
  it.each<[string, string, Partial<Job>, string]>([
    ["$2 of more", refused("job"), { most: 5_000_000 }, "/codex continue --budget 2"],
    [
      "no more than a job may cost",
      refused("job"),
      { most: 500_000 },
      "/codex continue --budget 0.5",
    ],
    [
      "and of a command, too",
      refused("command"),
      { most: 12_500 },
      "/codex continue --budget 0.0125",
    ],
    ["plain without a bound", refused("job"), { most: null, budget: 50_000 }, "/codex continue"],
    ["plain for rows of earlier versions", refused("job"), {}, "/codex continue"],
    [
      "plain after other limits",
      "the limit of steps was reached",
      { most: 500_000 },
      "/codex continue",
    ],
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
    const none = { ...job, publication: null, change: null, reason: `stopped because ${limit}` };
    expect(renderBoard(command, [none])).toContain(`comment \`${named}\` here`);
  });

  it.each([
    ["the money of the day", refused("repositoryDay")],
    ["of the person", refused("personDay")],
    ["of the month", refused("operatorMonth")],
    ["one call", refused("call")],
    ["the whole of a job does not pay for one call", refused("job", 0)],
    ["nor that of a command", refused("command", 0)],
  ])("nowhere in vain: %s", (_name, limit) => {
    const job = opened(limit, { most: 50_000 });
    expect(pullOf(job)).toContain("**Out of budget.**");
    expect(pullOf(job)).not.toContain("/codex continue");
    expect(renderBoard(command, [job])).not.toContain("/codex continue");
  });
});

describe("a pull request whose agent was stopped", () => {
  const left: Job["plan"] = [{ text: "Write c", status: "pending" }];
  const opener = opened(refused("job"), { plan: left });
  const later = (limit: string | null, more: Partial<Job> = {}): Job =>
    opened(limit, {
      ...{ id: "0191", target: { kind: "follow_up", branch: "b", base: "main", pull: 14 } },
      publication: {
        pull: 14,
        url: "https://github.com/octo/shop/pull/14",
        headSha: "e".repeat(40),
        draft: true,
      },
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
    const again = later("the limit of steps was reached", {
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
    const half = later("the limit of steps was reached");
    const whole = later(null, { id: "0192", continues: { jobs: [opener.id, half.id], task: "t" } });
    expect(pullOf(opener, [half, whole])).toContain("finished the work");
  });
});

test("a pull request that no limit touched says nothing of it", () => {
  expect(pullOf(opened(null))).not.toMatch(/stopped|finished|continue/);
});
