import { edit, type SkillCase, type Step, write } from "../../case.ts";
import { keeps, keepsTests, onlyChanges, passesHidden, reports } from "../../outcome.ts";

const add: Step = { do: "run", command: "node scripts/deps.js add dates@2.0.0" };

/** Versions and files by hand, as no one should; the checksum of 1.4.0 stays in the lock file. */
const byHand: Step[] = [
  edit("deps.json", "^1.4.0", "^2.0.0"),
  edit("deps.lock.json", '"version": "1.4.0"', '"version": "2.0.0"'),
  edit("package.json", "dates-1.4.0", "dates-2.0.0"),
];

const SUM = "45e412fc2acba7064cf83586a3d72c03400ae2f048a2f94f1c482927f75d5fd5";
const OLD_SUM = "c6bec48b0957476d6db7f945c7a2ac6b9c460f3aabcb2d3cc84e3bf8adc3fbcd";

/** The same as `add`, without running it. */
const added: Step[] = [...byHand, edit("deps.lock.json", OLD_SUM, SUM)];

const days = write(
  "src/day.js",
  `import { parse } from "#dates";

/** The day of a text, or null when it is none. */
export function dayOf(text) {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
`,
);

const agenda = (week: string): Step[] => [
  edit(
    "src/agenda.js",
    'import { format, parse, startOfWeek } from "#dates";\nimport { slug } from "#slug";\n',
    'import { format, startOfWeek } from "#dates";\nimport { slug } from "#slug";\nimport { dayOf } from "./day.js";\n',
  ),
  edit("src/agenda.js", "const day = parse(text);", "const day = dayOf(text);"),
  edit("src/agenda.js", "const day = parse(event.day);", "const day = dayOf(event.day);"),
  edit(
    "src/agenda.js",
    'format("DD.MM.YYYY", startOfWeek(day))',
    `format(startOfWeek(day${week}), "DD.MM.YYYY")`,
  ),
  edit("src/agenda.js", 'format("YYYY/MM", day)', 'format(day, "YYYY/MM")'),
];

const rows: Step[] = [
  edit(
    "src/export.js",
    'import * as dates from "#dates";\n',
    'import { format } from "#dates";\nimport { dayOf } from "./day.js";\n',
  ),
  edit("src/export.js", "dates.parse(day)", "dayOf(day)"),
  edit("src/export.js", 'dates.format("MM/DD/YYYY", date)', 'format(date, "MM/DD/YYYY")'),
];

const SUNDAY = ', { weekStart: "sunday" }';

const REPORT = `Raise dates to 2.0.0

| package | from | to | breaking changes met here |
| --- | --- | --- | --- |
| dates | 1.4.0 | 2.0.0 | parse throws (src/day.js catches RangeError), format takes the date first (agenda.js, export.js), weekStart is monday by default (set to sunday in agenda.js) |

slug stays at 1.0.0: it was not asked for. Manifest and lock file were written by scripts/deps.js; its verify passes.`;

/** A new major with two breaking changes and a changed default that no test sees, from a store without network. */
export const skillCase: SkillCase = {
  skill: "upgrade-dependencies",
  subject: {
    title: "dates 2 is out",
    body: "third_party has 2.0.0 and its change log. Please move to it; nothing should change for our users.",
  },
  task: "upgrade dates to 2.0.0",
  checks: ["node scripts/deps.js verify", "node --test"],
  ends: "done",
  criteria: {
    "is at the new version": ({ after }) => {
      const lock = JSON.parse(after["deps.lock.json"] ?? "{}") as Record<
        string,
        { version: string }
      >;
      const range = (JSON.parse(after["deps.json"] ?? "{}") as Record<string, string>).dates;
      return lock.dates?.version === "2.0.0" && /^\^?2\.0\.0$/.test(range ?? "")
        ? null
        : `the manifest says ${range}, the lock file ${lock.dates?.version}`;
    },
    "moves no other package": ({ after }) =>
      /"slug": "\^1\.0\.0"/.test(after["deps.json"] ?? "") &&
      /"version": "1\.0\.0"/.test(after["deps.lock.json"] ?? "")
        ? null
        : "slug has moved",
    "leaves what others made": (outcome) =>
      onlyChanges(
        /^src\//,
        /^test\//,
        /^deps(\.lock)?\.json$/,
        /^package\.json$/,
        /\.md$/,
      )(outcome) ?? keeps("third_party/dates.CHANGELOG.md")(outcome),
    "changes nothing for users": passesHidden("test/same.test.js"),
    "keeps the tests": keepsTests(),
    "reports each breaking change": reports(
      /1\.4\.0/,
      /parse/,
      /format/,
      /weekStart|week.*(monday|sunday)/i,
    ),
  },
  good: { steps: [add, days, ...agenda(SUNDAY), ...rows], report: REPORT },
  bad: {
    "writes the lock file by hand": {
      steps: [...byHand, days, ...agenda(SUNDAY), ...rows],
      report: REPORT,
      fails: ["passes the checks"],
    },
    "overlooks the changed default": {
      steps: [...added, days, ...agenda(""), ...rows],
      report: REPORT.replace(/, weekStart is.*agenda\.js\)/, ""),
      fails: ["changes nothing for users", "reports each breaking change"],
    },
    "only raises the version": {
      steps: added,
      report: "Raise dates to 2.0.0\n\nFrom 1.4.0.",
      fails: [
        "passes the checks",
        "changes nothing for users",
        "keeps the tests",
        "reports each breaking change",
      ],
    },
    "takes the other package along": {
      steps: [
        ...added,
        days,
        ...agenda(SUNDAY),
        ...rows,
        edit("deps.json", "^1.0.0", "^1.1.0"),
        edit("deps.lock.json", '"version": "1.0.0"', '"version": "1.1.0"'),
        edit(
          "deps.lock.json",
          "42ea171f7a8ae1eb2d4bff38f343e2a46a1a2116816e0e8b3761324c5f71fec8",
          "a25256450be541683c91272a3e8343857ca3ad7d9694bbc4237d839d2c2b3f80",
        ),
        edit("package.json", "slug-1.0.0", "slug-1.1.0"),
      ],
      report: REPORT,
      fails: ["moves no other package", "changes nothing for users"],
    },
  },
};
