import { expect, test } from "vitest";
import { MONOTONIC } from "../../src/compose/models.ts";
import type { NewCall } from "../../src/core/ledger.ts";
import { NO_MANIFEST } from "../../src/core/skill-manifest.ts";
import { jobModels } from "../../src/jobs/job-model.ts";
import { silentLog } from "../support/log.ts";
import { aCommand, aJob } from "../support/store-rows.ts";

const choice = (model: string) => ({ model, effort: null });
const ROUTE = {
  ...{ rule: "rule 1", why: "it holds for every task" },
  choices: [choice("mini"), choice("large"), choice("other")] as const,
  escalation: { afterFailedChecks: 1, to: choice("huge") },
};

/** Who was asked, in turn, and by which rule, of a job with a skill for some models; none of them answers. */
async function askedWith(models: string[] | null, failedChecks = 0) {
  const asked: string[] = [];
  const calls: NewCall[] = [];
  const command = aCommand("c1");
  const pin = {
    ...{ name: "tidy", digest: "a".repeat(64), commit: null, instead: [] },
    ...({ source: "repository", by: "model" } as const),
    manifest: { ...NO_MANIFEST, models },
  };
  const job = aJob("j1", command, {
    route: { ...ROUTE, choices: [...ROUTE.choices] },
    skills: { commits: [], pins: [pin] },
  });
  const { signal } = new AbortController();
  const nothing = () => undefined;
  const refuse = (model: string) => ({ kind: "final", message: `${model} is away` }) as const;
  const provider = {
    restsFor: () => 0,
    tryOnce: async ({ model }: { model: string }) => {
      asked.push(model);
      return refuse(model);
    },
  };
  const reserved = { status: "reserved", maxOutput: 9, microDollars: 0, jobSpent: 0 } as const;
  const profile = {
    ...{ provider: "p", contextWindow: 9_000, maxOutput: 900 },
    ...{ price: "unpriced" as const, efforts: [] },
  };
  const all = jobModels(
    {
      ...{ job, goOn: nothing, write: async () => undefined, move: async () => undefined },
      holder: { jobId: "j1", fence: 1, signal, insist: nothing, goOn: nothing },
    },
    command,
    { counted: null, messages: [] },
    {
      ledger: {
        reserve: async (call) => {
          calls.push(call);
          return reserved;
        },
        settle: async () => undefined,
        spentBy: async () => new Map(),
      },
      providers: new Map([["p", provider]]),
      resolve: (name) => ({
        ok: true,
        profile: { ...profile, name, id: name, editTool: name === "mini" ? "edit" : "apply_patch" },
      }),
      ...{ budgets: { job: 2, command: 10, repository_day: 50 }, log: silentLog },
      clock: MONOTONIC,
    },
  );
  const model = all.after(failedChecks);
  const failure = await model.ask({ messages: [], tools: [], step: 1, signal }).then(
    () => expect.fail("nobody answers"),
    (error: Error) => error.message,
  );
  return { asked, rules: [...new Set(calls.map(({ rule }) => rule))], failure, all };
}

test("the models of a route are asked in turn, the one it escalates to first", async () => {
  expect((await askedWith(null)).asked).toEqual(["mini", "large", "other"]);
  const escalated = await askedWith(null, 1);
  expect(escalated.asked).toEqual(["huge", "mini", "large", "other"]);
  expect(escalated.rules).toEqual(["rule 1, escalated"]);
});

test("no model is asked that a skill of the job is not written for, nor escalated to", async () => {
  const { asked, rules, all } = await askedWith(["large", "oth*"], 1);
  expect(asked).toEqual(["large", "other"]);
  expect(rules).toEqual(["rule 1"]);
  expect(all.editTool).toBe("apply_patch");
  expect((await askedWith(["mini", "huge"], 1)).asked).toEqual(["huge", "mini"]);
});
