import { expect, test } from "vitest";
import { budgetsSchema, capsOf } from "../../src/core/budgets.ts";

const NONE = {
  call: null,
  job: null,
  command: null,
  personDay: null,
  repositoryDay: null,
  repositoryMonth: null,
  installationMonth: null,
  operatorMonth: null,
};
const USUAL = { ...NONE, job: 2_000_000, command: 10_000_000, repositoryDay: 50_000_000 };
const budgets = (given: object) => budgetsSchema.parse(given);

test("protect a server whose operator set none", () => {
  expect(capsOf(budgets({}), {})).toEqual(USUAL);
});

test("are what the operator sets, and none where the operator lifts them", () => {
  const set = { job: "none", command: 0.3, operator_month: 1_000, person_day: 5, call: 0.01 };
  expect(capsOf(budgets(set), {})).toEqual({
    ...USUAL,
    call: 10_000,
    job: null,
    command: 300_000,
    personDay: 5_000_000,
    operatorMonth: 1_000_000_000,
  });
});

test("are made stricter by a repository and by who asks, never wider", () => {
  const repo = { job: 1, command: 100, day: 7, month: 80 };
  expect(capsOf(budgets({}), repo)).toEqual({
    ...USUAL,
    job: 1_000_000,
    repositoryDay: 7_000_000,
    repositoryMonth: 80_000_000,
  });
  expect(capsOf(budgets({}), repo, 500_000)).toMatchObject({ job: 500_000 });
  expect(capsOf(budgets({}), {}, 9_000_000)).toMatchObject({ job: 2_000_000 });
  expect(capsOf(budgets({ job: "none" }), {}, 9_000_000)).toMatchObject({ job: 9_000_000 });
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e99, "2", "lots", null])(
  "are not %s",
  (job) => {
    expect(budgetsSchema.safeParse({ job }).success).toBe(false);
  },
);
