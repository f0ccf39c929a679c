import { edit, type SkillCase } from "../../case.ts";
import type { Outcome } from "../../outcome.ts";

/** Whether the report places something at these lines of a file, and says what fits about it. */
function finds(file: string, lines: number[], about: RegExp) {
  return ({ report }: Outcome) => {
    const places = report.matchAll(
      new RegExp(`${file}:(\\d+)(?:[-–](\\d+))?([^]*?)(?=\\n\\s*\\[|$)`, "g"),
    );
    for (const [, from, to, text = ""] of places) {
      const near = lines.some((line) => line >= Number(from) - 1 && line <= Number(to ?? from) + 1);
      if (near && about.test(text)) return null;
    }
    return `no finding at ${file}:${lines.join(" or ")} that says so`;
  };
}

const NEGATIVE = `    [critical] src/withdraw.js:7 A negative amount adds money
    When: withdraw is called with cents -1000; neither check refuses it.
    Then: the balance grows by 1000 and the bank is asked to send -1000.
    Because: only upper limits are checked.
    Mend: refuse what is not a positive integer. Shown by: a scratch script, balance 0 became 1000.
`;

const DECLINED = `    [high] src/withdraw.js:9 Money is lost when the bank declines
    When: the bank answers not ok, or the connection fails, in payOut.
    Then: withdraw rejects, but the balance is lowered already and never restored, and today counts it.
    Because: lines 9 and 10 run before line 11, and nothing takes them back.
    Mend: reserve first, take it back in a catch. Shown by: a bank that declines; the balance went from 5000 to 3000.
`;

const FLOATING = `    [high] src/withdraw.js:16 withdrawAll does not wait, and its errors end the process
    When: any of several withdrawals fails, or is still under way.
    Then: it resolves at once with the count; a rejection is handled by nobody and Node exits.
    Because: forEach ignores the promises of an async callback.
    Mend: a for loop with await. Shown by: a bank that waits; the promise resolved before it was asked.
`;

const HEAD = `Review: 1 critical, 2 high in withdrawals

The change lets people take money out, up to a limit a day. It cannot be merged as it is. Ran: node --test (4 pass) and three scratch scripts.
`;

const GOOD = [HEAD, NEGATIVE, DECLINED, FLOATING].join("\n");

/** Three defects, one file that only looks suspicious, and much that is a matter of taste. */
export const skillCase: SkillCase = {
  skill: "review",
  subject: {
    title: "Let people withdraw money",
    body: "Adds withdrawals with a limit of 1,000.00 a day (UTC days are fine, agreed with finance).",
  },
  task: "review this pull request",
  checks: ["node --test"],
  ends: "no_change",
  criteria: {
    "changes nothing": ({ changed }) =>
      changed.length === 0 ? null : `it changed ${changed.join(", ")}`,
    "finds the negative amount": finds(
      "src/withdraw.js",
      [7, 8],
      /negativ|below zero|less than (zero|0)|-\d/i,
    ),
    "finds what a declined payment leaves": finds(
      "src/withdraw.js",
      [9, 10, 11],
      /declin|reject|fail|throws/i,
    ),
    "finds the promises nobody waits for": finds(
      "src/withdraw.js",
      [16, 17, 18, 20],
      /forEach|await|promise|unhandled/i,
    ),
    "rates each finding": ({ report }) => {
      const places = report.match(/src\/\w+\.js:\d+/g) ?? [];
      const rated =
        report.match(/\[?\b(critical|high|medium|low)\b\]?[^\n]{0,20}src\/\w+\.js:\d+/gi) ?? [];
      return rated.length >= Math.min(3, places.length) && rated.length > 0
        ? null
        : "findings without severity and place";
    },
    "raises no false alarm": ({ report }) =>
      /\[(critical|high|medium)\][^\n]*(today\.js|ledger\.js|bank\.js)/i.test(report)
        ? "it accuses a file that is right"
        : null,
    "leaves taste and praise out": ({ report }) => {
      const found =
        /\b(nit|nitpick|consider (renaming|extracting|using)|more readable|well[- ](written|structured|done)|great|nice(ly)?|good job|clean code|LGTM|magic number)\b/i.exec(
          report,
        );
      return found ? `it says "${found[0]}"` : null;
    },
    "is short": ({ report }) =>
      report.length <= 6_500 ? null : `it has ${report.length} characters`,
  },
  good: { steps: [], report: GOOD },
  bad: {
    "mends what it finds": {
      steps: [
        edit(
          "src/withdraw.js",
          "  if (cents > ledger",
          '  if (!(cents > 0)) throw new Error("bad amount");\n  if (cents > ledger',
        ),
      ],
      ends: "done",
      report: GOOD,
      fails: ["ends as no_change", "changes nothing"],
    },
    "praises and finds fault with names": {
      steps: [],
      ends: "no_change",
      report: `${GOOD}\n    [low] src/today.js:7 Consider renaming roll\n\nOverall the code is well structured. Great tests!`,
      fails: ["leaves taste and praise out"],
    },
    "accuses what is right and misses what is wrong": {
      steps: [],
      ends: "no_change",
      report: `Review: 1 high\n\n    [high] src/today.js:8 The day ends at midnight UTC\n    When: somebody lives in New York.\n\n${FLOATING}`,
      fails: [
        "finds the negative amount",
        "finds what a declined payment leaves",
        "raises no false alarm",
      ],
    },
    "names no places": {
      steps: [],
      ends: "no_change",
      report:
        "Review of withdrawals\n\nNegative amounts are not refused, a declined payment loses money, and forEach does not await.",
      fails: [
        "finds the negative amount",
        "finds what a declined payment leaves",
        "finds the promises nobody waits for",
        "rates each finding",
      ],
    },
  },
};
