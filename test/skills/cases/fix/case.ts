import { edit, type SkillCase, type Step, write } from "../../case.ts";
import {
  keepsTests,
  onlyChanges,
  passesHidden,
  reports,
  testsFailedBefore,
} from "../../outcome.ts";

const MENDED = `  const date = new Date(\`\${day}T00:00:00Z\`);
  const wanted = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() + months);
  // Day 0 is the last day of the month before.
  if (date.getUTCDate() !== wanted) date.setUTCDate(0);
`;

const mendCause = edit(
  "src/dates.js",
  `  const date = new Date(\`\${day}T00:00:00Z\`);
  date.setUTCMonth(date.getUTCMonth() + months);
`,
  MENDED,
);

const mendSibling = write(
  "src/trial.js",
  `import { addMonths } from "./dates.js";

/** The day on which a trial of some months ends. */
export function trialEnd(start, months) {
  return addMonths(start, months);
}
`,
);

const newTest = (expected: string): Step =>
  write(
    "test/month-end.test.js",
    `import assert from "node:assert/strict";
import { test } from "node:test";
import { billingDays } from "../src/invoices.js";

test("a subscription from the 31st is billed on the last day of February", () => {
  const days = billingDays({ start: "2026-01-31", period: "monthly" }, 3);
  assert.deepEqual(days, ${expected});
});
`,
  );

const test = newTest('["2026-01-31", "2026-02-28", "2026-03-31"]');

const REPORT = `Bill the end of a month on its last day

Cause: setUTCMonth carries a day that the new month does not have over into the month after, so the 31st of January plus a month became the 3rd of March. It is mended in addMonths, where the date is made; trialEnd had the same lines and now uses addMonths. The new test failed before with 2026-03-03.`;

/** A date that runs over; its cause lies below where it shows, and has a copy elsewhere. */
export const skillCase: SkillCase = {
  skill: "fix",
  subject: {
    title: "Customers from 31 January are not billed in February",
    body: "A monthly subscription that started on 2026-01-31 got its second invoice on 2026-03-03 and none in February. Support says February should be billed on its last day, and March on the 31st again.",
  },
  task: "fix the billing day of subscriptions that start at the end of a month",
  checks: ["node --test"],
  ends: "done",
  criteria: {
    "mends the cause": passesHidden("test/cause.test.js"),
    "mends its sibling": passesHidden("test/sibling.test.js"),
    "has a test that failed before": testsFailedBefore(),
    "keeps the tests": keepsTests(),
    "is only the fix": onlyChanges(/^src\//, /^test\//, /^(CHANGELOG|README)\.md$/),
    "reports the cause": reports(/setUTCMonth|addMonths|dates\.js/),
  },
  good: { steps: [test, mendCause, mendSibling], report: REPORT },
  bad: {
    "mends the reported input only": {
      steps: [
        test,
        edit(
          "src/dates.js",
          "  date.setUTCMonth(date.getUTCMonth() + months);\n",
          '  if (day === "2026-01-31" && months === 1) return "2026-02-28";\n  date.setUTCMonth(date.getUTCMonth() + months);\n',
        ),
      ],
      report: REPORT,
      fails: ["mends the cause", "mends its sibling"],
    },
    "leaves the sibling": {
      steps: [test, mendCause],
      report: REPORT,
      fails: ["mends its sibling"],
    },
    "brings no test": {
      steps: [mendCause, mendSibling],
      report: REPORT,
      fails: ["has a test that failed before"],
    },
    "blesses the bug and bends a test": {
      steps: [
        newTest('["2026-01-31", "2026-03-03", "2026-03-31"]'),
        edit("test/invoices.test.js", '"2026-02-14"', '"2026-02-15"'),
        edit("src/invoices.js", "invoiceDay, 14", "invoiceDay, 15"),
      ],
      report: "Adjust billing tests\n\nThey pass now.",
      fails: ["mends the cause", "mends its sibling", "keeps the tests", "reports the cause"],
    },
  },
};
