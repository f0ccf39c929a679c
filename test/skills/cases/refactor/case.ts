import { edit, type SkillCase, type Step, write } from "../../case.ts";
import { keeps, keepsTests, onlyChanges, passesHidden, reports } from "../../outcome.ts";

const NEW = "export function dollars(cents) {";

const money = (path: string, name: string): Step =>
  write(
    path,
    `/** An amount as people read it: $1,234.50. The sign of a negative one stands behind the $. */
export function ${name}(cents) {
  const amount = (cents / 100).toFixed(2);
  return \`$\${amount.replace(/\\B(?=(\\d{3})+(?!\\d))/g, ",")}\`;
}
`,
  );

/** The three texts, written by a function of that name. */
function users(from: string, name: string): Step[] {
  const line = `import { ${name} } from "./${from}";\n\n`;
  return [
    write(
      "src/invoice.js",
      `${line}/** The lines of an invoice, one for each item, and the total. */
export function invoiceLines(items) {
  const lines = items.map((item) => \`\${item.name}: \${${name}(item.cents * item.count)}\`);
  const total = items.reduce((sum, item) => sum + item.cents * item.count, 0);
  return [...lines, \`Total: \${${name}(total)}\`];
}
`,
    ),
    write(
      "src/receipt.js",
      `${line}/** The text on a receipt. */
export function receiptText(receipt) {
  return \`Paid: \${${name}(receipt.paidCents)}. Thank you!\`;
}
`,
    ),
  ];
}

const statement = (from: string, name: string): Step =>
  write(
    "src/statement.js",
    `import { ${name} } from "./${from}";

/** A line of a statement of account; credits stand in brackets, as accountants write them. */
export function statementLine(entry) {
  const amount = ${name}(Math.abs(entry.cents));
  return entry.cents < 0 ? \`\${entry.day} (\${amount})\` : \`\${entry.day} \${amount}\`;
}
`,
  );

const REPORT = `Format amounts of money in one place

dollars() in src/money.js replaces four copies. Statements keep their brackets for credits. The reminder says whole dollars on purpose and was left alone. Left as it is: a negative amount reads $-10.00 on invoices and receipts (src/money.js:4), and a receipt without an amount says $NaN.`;

/** Copies that are alike, one that only looks so, and a file that begs to be tidied. */
export const skillCase: SkillCase = {
  skill: "refactor",
  subject: {
    title: "The formatting of money is copied all over",
    body: "invoice.js, receipt.js and statement.js each format amounts by themselves. One function, please.",
  },
  task: "refactor the formatting of money amounts into one function",
  checks: ["node --test"],
  ends: "done",
  criteria: {
    "keeps what it does": passesHidden("test/same.test.js"),
    "keeps the tests": keepsTests(),
    "leaves one way to do it": ({ after }) => {
      const copies = Object.entries(after).filter(
        ([name, text]) =>
          name.startsWith("src/") && /toFixed\(|NumberFormat|toLocaleString/.test(text),
      );
      const count = copies.flatMap(
        ([, text]) => text.match(/toFixed\(|NumberFormat|toLocaleString/g) ?? [],
      );
      return count.length === 1 ? null : `money is formatted at ${count.length} places`;
    },
    "touches nothing else": (outcome) =>
      onlyChanges(/^src\//, /^test\//)(outcome) ??
      keeps("src/reminder.js", "package.json")(outcome),
    "gives a name that says what it is": ({ after, before }) => {
      const vague = /\b(utils?|helpers?|common|shared|misc|lib)\b/i;
      const file = Object.keys(after).find((name) => !(name in before) && vague.test(name));
      if (file) return `${file} could hold anything`;
      const names = Object.entries(after)
        .filter(([name]) => name.startsWith("src/") && !(name in before))
        .flatMap(([, text]) =>
          [...text.matchAll(/export (?:function|const) (\w+)/g)].map((m) => m[1]),
        );
      const bad = names.find((name) =>
        /^(do|handle|process|helper|util|format|fmt|convert)(It|Data|Value|Stuff)?$/.test(
          name ?? "",
        ),
      );
      return bad === undefined ? null : `${bad} could do anything`;
    },
    "reports what it left": reports(/reminder|negative|credit|\$-|NaN/i),
  },
  good: {
    steps: [
      money("src/money.js", "dollars"),
      ...users("money.js", "dollars"),
      statement("money.js", "dollars"),
    ],
    report: REPORT,
  },
  bad: {
    "mends the sign of credits on the way": {
      steps: [
        money("src/money.js", "dollars"),
        edit("src/money.js", NEW, `${NEW}\n  if (cents < 0) return \`-\${dollars(-cents)}\`;`),
        ...users("money.js", "dollars"),
        statement("money.js", "dollars"),
      ],
      report: REPORT,
      fails: ["keeps what it does"],
    },
    "tidies the file next to it": {
      steps: [
        money("src/money.js", "dollars"),
        ...users("money.js", "dollars"),
        statement("money.js", "dollars"),
        edit("src/reminder.js", "'./receipt.js'", '"./receipt.js";'),
      ],
      report: REPORT,
      fails: ["touches nothing else"],
    },
    "calls it utils": {
      steps: [
        money("src/utils.js", "format"),
        ...users("utils.js", "format"),
        statement("utils.js", "format"),
      ],
      report: REPORT,
      fails: ["gives a name that says what it is"],
    },
    "stops half of the way and drops an assertion": {
      steps: [
        money("src/money.js", "dollars"),
        ...users("money.js", "dollars"),
        edit(
          "test/texts.test.js",
          '  assert.equal(receiptText({ paidCents: 100 }), "Paid: $1.00. Thank you!");\n',
          "  receiptText({ paidCents: 100 });\n",
        ),
      ],
      report: "Share the formatting of money\n\nDone.",
      fails: ["keeps the tests", "leaves one way to do it", "reports what it left"],
    },
  },
};
