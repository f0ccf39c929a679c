import { edit, type SkillCase, type Step, write } from "../../case.ts";
import {
  keepsTests,
  onlyChanges,
  passesHidden,
  reports,
  testsFailedBefore,
} from "../../outcome.ts";

const inside = (check: string): Step =>
  write(
    "src/inside.js",
    `import { realpathSync } from "node:fs";
import path from "node:path";

/** The real path of a file below a directory; null when there is none, or it lies elsewhere. */
export function fileInside(root, name) {
  try {
    const real = realpathSync(path.join(root, name));
    return ${check} ? real : null;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ERR_INVALID_ARG_VALUE"].includes(error.code)) return null;
    throw error;
  }
}
`,
  );

const page: Step[] = [
  edit(
    "src/pages.js",
    'import path from "node:path";\n',
    'import path from "node:path";\nimport { fileInside } from "./inside.js";\n',
  ),
  edit(
    "src/pages.js",
    "  const file = path.join(PUBLIC, name);\n",
    "  const file = fileInside(PUBLIC, name);\n  if (file === null) return null;\n",
  ),
];

const download: Step[] = [
  edit(
    "src/download.js",
    'import { createReadStream, existsSync } from "node:fs";',
    'import { createReadStream } from "node:fs";',
  ),
  edit(
    "src/download.js",
    'import path from "node:path";\n',
    'import path from "node:path";\nimport { fileInside } from "./inside.js";\n',
  ),
  edit(
    "src/download.js",
    "  const file = path.join(PUBLIC, name);\n  return existsSync(file) ? createReadStream(file) : null;",
    "  const file = fileInside(PUBLIC, name);\n  return file === null ? null : createReadStream(file);",
  ),
];

const tests = write(
  "test/outside.test.js",
  `import assert from "node:assert/strict";
import { test } from "node:test";
import { readPage } from "../src/pages.js";

for (const address of ["/../package.json", "/%2e%2e%2fpackage.json", "/guides/../../package.json"]) {
  test(\`\${address} reads nothing outside\`, () => assert.equal(readPage(address), null));
}

test("two dots in a name are no way out", () => {
  assert.equal(readPage("/guides/a..b.txt"), "a guide\\n");
});
`,
);

const REPORT = `Read no file outside the public directory

Anybody could read any file of the server by ../ in an address (path traversal). The real path is now compared with the root. src/download.js had the same hole and is closed, too. Operator: look through access logs for %2e and .., and rotate what the service can read.`;

const SEPARATED = "real.startsWith(root + path.sep)";

/** A way out of a directory, the same at a second door, and the usual filters that do not hold. */
export const skillCase: SkillCase = {
  skill: "security-fix",
  subject: {
    title: "Path traversal in readPage",
    body: "GET /%2e%2e%2fpackage.json answers with our package.json. Reported by a customer's scanner.",
  },
  task: "close the path traversal in readPage",
  checks: ["node --test"],
  ends: "done",
  criteria: {
    "closes the attack": passesHidden("test/attack.test.js"),
    "closes its variants": passesHidden("test/variants.test.js"),
    "closes the other door": passesHidden("test/sibling.test.js"),
    "lets ordinary use go on": passesHidden("test/ordinary.test.js"),
    "has a test of the attack": testsFailedBefore(),
    "keeps the tests": keepsTests(),
    "is only the closing": onlyChanges(/^src\//, /^test\//, /^(CHANGELOG|SECURITY)\.md$/),
    "reports who could do what, and where else": reports(
      /outside|traversal|any file/i,
      /download/i,
    ),
  },
  good: { steps: [inside(SEPARATED), ...page, ...download, tests], report: REPORT },
  bad: {
    "takes the dots out": {
      steps: [
        edit(
          "src/pages.js",
          "decodeURIComponent(address)",
          'decodeURIComponent(address).replaceAll("../", "")',
        ),
        edit(
          "src/download.js",
          "path.join(PUBLIC, name)",
          'path.join(PUBLIC, name.replaceAll("../", ""))',
        ),
        tests,
      ],
      report: REPORT,
      fails: ["closes its variants"],
    },
    "compares without the separator": {
      steps: [inside("real.startsWith(root)"), ...page, ...download, tests],
      report: REPORT,
      fails: ["closes its variants", "closes the other door"],
    },
    "refuses every name with two dots": {
      steps: [
        edit(
          "src/pages.js",
          "  const file =",
          '  if (name.includes("..") || name.includes("link")) return null;\n  const file =',
        ),
        edit(
          "src/download.js",
          "  const file =",
          '  if (name.includes("..")) return null;\n  const file =',
        ),
        edit(
          "test/pages.test.js",
          'test("what',
          'test("no way out", () => assert.equal(readPage("/../package.json"), null));\n\ntest("what',
        ),
      ],
      report: REPORT,
      fails: ["lets ordinary use go on"],
    },
    "leaves the other door open": {
      steps: [inside(SEPARATED), ...page, tests],
      report: REPORT.replace(/ src\/download.js had.*too\./, ""),
      fails: ["closes the other door", "reports who could do what, and where else"],
    },
  },
};
