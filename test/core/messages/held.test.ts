import { expect, test } from "vitest";
import type { Caution, Job, VerifiedChange, Violation } from "../../../src/core/job.ts";
import { renderBoard } from "../../../src/core/messages/board.ts";
import { renderPull } from "../../../src/core/messages/pull.ts";
import { repoConfigSchema } from "../../../src/core/repo-config.ts";
import { aCommand, aJob } from "../../support/store-rows.ts";

const COMMIT = "b".repeat(40);
const command = aCommand("018f");
const config = repoConfigSchema.parse({});
const violations: Violation[] = [
  { kind: "path", path: ".github/workflows/a`b|c.yml", reason: "workflows run with secrets" },
  { kind: "secret", path: null, reason: "the report looks like a secret @ada fixes #1" },
];
const change: VerifiedChange = {
  commit: COMMIT,
  parent: "a".repeat(40),
  tree: "c".repeat(40),
  files: [{ path: ".github/workflows/a`b|c.yml", added: 1, removed: 0, status: "added" }],
  evidence: [],
  deniedHosts: [],
  title: "Add CI",
  summary: "",
  message: "Add CI\n",
  limit: null,
  cautions: [],
  violations,
  excerpt: "diff --git a/x b/x\n+```\n+<!-- draftsmith:board:x -->\n+</details>\n",
};
const id = "01900000-0000-7000-8000-00001a2b3c4d";
const job = (more: Partial<Job> = {}): Job => aJob(id, command, { config, change, ...more });
const published = { pull: 14, url: "https://github.com/o/r/pull/14", headSha: COMMIT, draft: true };

test("a board says why a change is held, shows it, and how an admin lets it out", () => {
  const board = renderBoard(command, [job({ state: "blocked", reason: "the change is held" })]);
  expect(board.split("\n").slice(6).join("\n")).toMatchInlineSnapshot(`
    "
    **The change of task 1 is held.** Somebody with admin access lets out exactly this change with a new comment here:

    \`\`\`
    /codex allow 1a2b3c4d bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    \`\`\`

    It is held because:

    - <code>.github/workflows/a&#96;b&#124;c.yml</code>: workflows run with secrets
    - the report looks like a secret \`@ada\` fixes \`#1\`

    <details><summary>What is held: 1 file</summary>

    What of it needs that word:

    \`\`\`\`diff
    diff --git a/x b/x
    +\`\`\`
    +<! -- draftsmith:board:x -->
    +</details>
    \`\`\`\`

    No checks are configured, so none were run. Name them under \`checks:\` in \`.github/codex.yml\`.

    </details>

    Comment \`/codex <what to change>\` on a draft pull request to go on with it."
  `);
});

test("twenty held changes do not outgrow a comment, and each shows its command", () => {
  const many = Array.from({ length: 20 }, (_, at) =>
    job({
      number: at + 1,
      state: "blocked",
      task: "t".repeat(8000),
      reason: "r".repeat(8000),
      change: {
        ...change,
        excerpt: "e".repeat(12_000),
        violations: Array.from({ length: 40 }, () => ({
          kind: "path" as const,
          path: "p".repeat(4000),
          reason: "because it is protected by something in .github/codex.yml".repeat(5),
        })),
      },
    }),
  );
  const board = renderBoard(command, many);
  expect(board.length).toBeLessThan(65_536);
  expect(board.match(/^\/codex allow/gm)).toHaveLength(20);
});

test("what was let out, or holds nothing, is not shown as held", () => {
  for (const more of [
    { state: "queued" },
    { state: "done", publication: published },
    { state: "blocked", change: { ...change, violations: [] } },
    { state: "blocked", change: null },
  ] as Partial<Job>[]) {
    expect(renderBoard(command, [job(more)])).not.toContain("/codex allow");
  }
});

const open = (cautions: Caution[], more: Partial<Job> = {}, followUps: Job[] = []) => {
  const opened = job({ ...more, change: { ...change, cautions } });
  const body = renderPull({
    command,
    job: opened,
    change: opened.change ?? change,
    headSha: COMMIT,
    neighbours: [],
    later: followUps,
  });
  return body.slice(0, body.indexOf("### Task"));
};

test("a pull request opens with the admin's word, weakened tests, and what to look at first", () => {
  const cautions: Caution[] = [
    { kind: "shown_first", path: "package.json", line: 3, why: 'It adds "x": "| `y` @ada\n## z"' },
    { kind: "weakened_test", path: "a.test.ts", line: null, why: "the test file was deleted" },
  ];
  const allowance = { commit: COMMIT, actor: { id: 1, login: "eve" }, at: 1 };
  expect(open(cautions, { allowance })).toMatchInlineSnapshot(`
    "<!-- draftsmith:job:01900000-0000-7000-8000-00001a2b3c4d -->
    ⚠️ **eve (admin) allowed this**; without that word it would not have left, because:

    - <code>.github/workflows/a&#96;b&#124;c.yml</code>: workflows run with secrets
    - the report looks like a secret \`@ada\` fixes \`#1\`

    ⚠️ **Tests may be weaker than before.** Look at:

    - \`a.test.ts\`: the test file was deleted

    **Look at these first:**

    - \`package.json\`, line 3: It adds "x": "\\| \\\`y\\\` \`@ada\`

    **No checks were run**: none are configured.

    "
  `);
});

test("the word of an admin shows only on the commit it was given for", () => {
  const allowance = { commit: "e".repeat(40), actor: { id: 1, login: "eve" }, at: 1 };
  expect(open([], { allowance })).not.toContain("eve");
});

test("commits that came later open the pull request, too", () => {
  const cautions: Caution[] = [{ kind: "shown_first", path: "Makefile", line: 1, why: "runs" }];
  const later = job({ change: { ...change, violations: [], cautions }, publication: published });
  const silent = job({ publication: published, change: { ...change, violations: [] } });
  const text = open([], {}, [later, silent]);
  expect(text).toContain(`In the later commit [\`bbbbbbb\`](${published.url}/commits/${COMMIT}):`);
  expect(text).toContain("- `Makefile`, line 1: runs");
  expect(text.match(/later commit/g)).toHaveLength(1);
});
