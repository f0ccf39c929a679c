import { edit, type SkillCase, type Step } from "../../case.ts";
import { keeps, type Outcome, onlyChanges } from "../../outcome.ts";

/** The rows of the README's table, by option. */
function rows({ after }: Outcome): Map<string, string> {
  const lines = (after["README.md"] ?? "").split("\n").filter((line) => line.trim() !== "");
  const options = ["retries", "timeout", "out", "quiet"];
  return new Map(
    options.map((name) => [
      name,
      lines
        .filter((line) => line.includes(`--${name}`) && line.trim().startsWith("|"))
        .join("\n") || lines.filter((line) => line.includes(`--${name}`)).join("\n"),
    ]),
  );
}

const OLD = `| \`--retries\` | 3 | How often a failed address is tried again. |
| \`--out\` | \`.\` | Directory for the files. |
`;

const table = (retries: string, unit: string): Step =>
  edit(
    "README.md",
    OLD,
    `| \`--retries=N\` | ${retries} | How often a failed address is tried again. |
| \`--timeout=N\` | ${unit} | How long one try may take. |
| \`--out=DIR\` | \`out\` | Directory for the files; it is made if it is not there. |
| \`--quiet\` | off | Prints no line for each address. |

It exits with 0 when all were fetched, with 1 when one failed, with 2 for an option it does not know.
`,
  );

const REPORT = `Document all options of grab

Options, defaults and exit codes are taken from src/options.js and src/cli.js. The README said 3 retries and the current directory; the code has 5 and out.`;

/** A README that contradicts the code, a page that a generator writes, and a typing error that nobody asked about. */
export const skillCase: SkillCase = {
  skill: "docs",
  subject: {
    title: "The README does not know half of the options",
    body: "And I think some defaults in there are old. Exit codes would be good to have as well.",
  },
  task: "docs: describe all command line options and the exit codes of grab in the README",
  checks: ["node --test"],
  ends: "done",
  criteria: {
    "describes each option": (outcome) => {
      const missing = [...rows(outcome)].filter(([, text]) => text === "").map(([name]) => name);
      return missing.length === 0 ? null : `nothing about ${missing.join(", ")}`;
    },
    "says what the code does": (outcome) => {
      const found = rows(outcome);
      if (!/\b5\b/.test(found.get("retries") ?? "")) return "the default of --retries is 5";
      if (/\b3\b/.test(found.get("retries") ?? "")) return "it still says 3 retries";
      if (
        !/`?(\.\/)?out\/?`? *\|/.test(found.get("out") ?? "") &&
        !/`out`|default\W+(\.\/)?out\b/i.test(found.get("out") ?? "")
      )
        return "the default of --out is out";
      return null;
    },
    "gives the unit": (outcome) => {
      const text = rows(outcome).get("timeout") ?? "";
      const right =
        /8[ ,.]?000 *(ms|milli)|8[ ,.]?000\b.*(milliseconds|\bms\b)|(milliseconds|\bms\b).*8[ ,.]?000|\b8 ?s(econds)?\b/is;
      return right.test(text) ? null : "--timeout is 8000 milliseconds";
    },
    "says how it exits": ({ after }) =>
      /exit/i.test(after["README.md"] ?? "") && /[` |]2\b/.test(after["README.md"] ?? "")
        ? null
        : "nothing about exit codes, 2 among them",
    "changes documentation only": onlyChanges(/\.md$/),
    "leaves the generated page": keeps("docs/defaults.md"),
    "touches no other section": ({ after }) =>
      (after["README.md"] ?? "").endsWith(
        "## Licence\n\nMIT. Copyright belongs to the contributers.\n",
      ) && (after["README.md"] ?? "").startsWith("# grab\n\nFetches a list")
        ? null
        : "a section that nobody asked about has changed",
  },
  good: { steps: [table("5", "8000 ms")], report: REPORT },
  bad: {
    "believes the old README": {
      steps: [table("3", "8000 ms")],
      report: REPORT,
      fails: ["says what the code does"],
    },
    "guesses the unit and mends a typing error elsewhere": {
      steps: [table("5", "8000 seconds"), edit("README.md", "contributers", "contributors")],
      report: REPORT,
      fails: ["gives the unit", "touches no other section"],
    },
    "makes the code agree with the README": {
      steps: [
        edit("src/options.js", "retries: 5", "retries: 3"),
        edit("docs/defaults.md", "retries: 5", "retries: 3"),
        table("3", "8000 ms"),
      ],
      report: REPORT,
      fails: ["says what the code does", "changes documentation only", "leaves the generated page"],
    },
  },
};
