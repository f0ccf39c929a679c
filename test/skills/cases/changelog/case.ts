import { edit, type SkillCase } from "../../case.ts";
import { type Outcome, onlyChanges, reports } from "../../outcome.ts";

const FILE = "CHANGELOG.md";
const RELEASED = "## 1.2.0 (2026-01-20)";

const print = (defaults: string, body: string) => ({
  "src/print.js": `export const DEFAULTS = { ${defaults} };

export function print(rows, options = {}) {
${body}}
`,
});

const JSON_FIRST = `  const { width, json } = { ...DEFAULTS, ...options };
  if (json) return JSON.stringify(rows);
  return rows.map((row) => Object.values(row).join(" | ").slice(0, width)).join("\\n");
`;

const JSON_LINES = JSON_FIRST.replace(
  "JSON.stringify(rows)",
  'rows.map((row) => JSON.stringify(row)).join("\\n")',
);

/** What stands above the newest release. */
function unreleased({ after }: Outcome): string {
  return (after[FILE] ?? "").split(RELEASED)[0] ?? "";
}

const entries = (outcome: Outcome) =>
  unreleased(outcome)
    .split("\n")
    .filter((line) => /^\s*[*+-] /.test(line));

const tells =
  (...about: RegExp[]) =>
  (outcome: Outcome) =>
    entries(outcome).some((line) => about.every((each) => each.test(line)))
      ? null
      : `no entry tells of ${about.join(" and ")}`;

const NEW = `## Unreleased

### Added

* \`--json\` prints each row as one line of JSON (#32)

### Changed

* A table is 120 wide unless \`--width\` says otherwise, instead of 80 (#33)

### Fixed

`;

const OLD = "## Unreleased\n\n### Fixed\n\n";

const REPORT = `Tell what changed since 1.2.0

Range: v1.2.0..HEAD. Left out: tests (1), documentation (1), --color, which was added and reverted in the range. #33 is called a refactoring but changes the default width. The typing error "colum" in 1.2.0 was left alone.`;

/** A default that hides behind "refactor", a feature that was taken back, one feature in two commits. */
export const skillCase: SkillCase = {
  skill: "changelog",
  subject: { title: "Change log before the next release", body: "Please bring it up to date." },
  task: "bring the change log up to date; no release yet",
  checks: ["node --test"],
  commits: [
    {
      message: "Do not fail for an empty list (#31)",
      files: {},
    },
    {
      message: "Release 1.2.0",
      files: {},
      tag: "v1.2.0",
    },
    {
      message: "feat: add --json (#32)",
      files: print("width: 80, sort: null, json: false", JSON_FIRST),
    },
    {
      message: "test: print two rows",
      files: { "test/two.test.js": 'import "./print.test.js";\n' },
    },
    {
      message: "json: one object a line, address review (#32)",
      files: print("width: 80, sort: null, json: false", JSON_LINES),
    },
    {
      message: "feat: --color (#34)",
      files: print("width: 80, sort: null, json: false, color: true", JSON_LINES),
    },
    {
      message: "refactor: tidy the defaults (#33)",
      files: print("width: 120, sort: null, json: false, color: true", JSON_LINES),
    },
    {
      message: 'Revert "feat: --color (#34)"',
      files: print("width: 120, sort: null, json: false", JSON_LINES),
    },
    {
      message: "docs: mend a typo",
      files: { "README.md": "# printer\n\nPrints lists of objects as tables.\n" },
    },
  ],
  ends: "done",
  criteria: {
    "tells of the new option": tells(/--json/, /#32/),
    "tells it once": (outcome) =>
      entries(outcome).filter((line) => /json/i.test(line)).length === 1
        ? null
        : "--json is not told in one entry",
    "tells of the default behind the refactoring": tells(/width/, /120/),
    "keeps what was told already": tells(/no longer fails for an empty list \(#31\)$/),
    "leaves out what users do not notice": (outcome) => {
      const noise = /color|typo|\btests?\b|refactor|tidy|address review|revert|feat:|docs:/i;
      const found = entries(outcome).find((line) => noise.test(line));
      return found ? `it tells "${found}"` : null;
    },
    "keeps the form": (outcome) => {
      const odd = entries(outcome).find((line) => !/^\* .*\(#\d+\)$/.test(line));
      if (odd) return `"${odd}" is not of the file's form`;
      const titles = unreleased(outcome).match(/^#+ .*/gm) ?? [];
      const known = ["# Change log", "## Unreleased", "### Added", "### Changed", "### Fixed"];
      const other = titles.find((title) => !known.includes(title));
      return other ? `"${other}" is no heading of this file` : null;
    },
    "leaves earlier releases byte for byte": ({ before, after }) =>
      (after[FILE] ?? "").split(RELEASED)[1] === (before[FILE] ?? "").split(RELEASED)[1]
        ? null
        : "an earlier release has changed",
    "changes the change log only": onlyChanges(/^CHANGELOG\.md$/),
    "reports what it left out": reports(/color|revert/i),
  },
  good: { steps: [edit(FILE, OLD, NEW)], report: REPORT },
  bad: {
    "believes the subjects": {
      steps: [edit(FILE, OLD, NEW.replace(/### Changed[^#]*\(#33\)\n\n/, ""))],
      report: REPORT,
      fails: ["tells of the default behind the refactoring"],
    },
    "pastes the log": {
      steps: [
        edit(
          FILE,
          OLD,
          "## Unreleased\n\n### Changes\n\n- feat: add --json (#32)\n- json: one object a line, address review (#32)\n- feat: --color (#34)\n- refactor: tidy the defaults (#33)\n\n### Fixed\n\n",
        ),
      ],
      report: "Update the change log\n\nAll commits are in.",
      fails: [
        "tells it once",
        "tells of the default behind the refactoring",
        "leaves out what users do not notice",
        "keeps the form",
        "reports what it left out",
      ],
    },
    "corrects an earlier release and makes a new one": {
      steps: [
        edit(FILE, OLD, NEW.replace("Unreleased", "1.3.0 (2026-02-01)")),
        edit(FILE, "a colum ", "a column "),
        edit("package.json", "1.2.0", "1.3.0"),
      ],
      report: REPORT,
      fails: [
        "keeps the form",
        "leaves earlier releases byte for byte",
        "changes the change log only",
      ],
    },
  },
};
