import { describe, expect, it, test } from "vitest";
import type { Job, VerifiedChange } from "../../../src/core/job.ts";
import { configProblems, refusal, usage } from "../../../src/core/messages/answers.ts";
import { renderBoard } from "../../../src/core/messages/board.ts";
import { commitMessage, renderPull } from "../../../src/core/messages/pull.ts";
import { nameText } from "../../../src/core/messages/words.ts";
import { repoConfigSchema } from "../../../src/core/repo-config.ts";
import { aCommand, aJob } from "../../support/store-rows.ts";

const HEAD = "b".repeat(40);
const command = aCommand("018f");
const config = repoConfigSchema.parse({ checks: ["npm test", "npm run lint"] });
const spend = {
  steps: 9,
  inputTokens: 41210,
  cachedTokens: 33280,
  outputTokens: 2204,
  microDollars: 6400,
};
const change: VerifiedChange = {
  commit: HEAD,
  parent: "a".repeat(40),
  tree: "c".repeat(40),
  files: [
    { path: "src/auth.ts", added: 12, removed: 3, status: "modified" },
    { path: "src/a|b `x`.ts", added: 4, removed: 0, status: "added" },
    { path: "logo.png", added: null, removed: null, status: "deleted" },
  ],
  evidence: [
    {
      command: "npm test",
      exitCode: 0,
      stopped: null,
      durationMs: 2140,
      output: "12 passed\n```\nnot the end",
      deniedHosts: [],
    },
    {
      command: "npm run lint",
      exitCode: 0,
      stopped: null,
      durationMs: 900,
      output: "",
      deniedHosts: [],
    },
  ],
  title: "Sign sessions with JWT",
  summary: "- Sessions are signed now.",
  message: "Sign sessions with JWT\n",
  limit: null,
  deniedHosts: [],
  cautions: [],
  violations: [],
  excerpt: "",
};
const job = (more: Partial<Job> = {}): Job => aJob("0190", command, { config, spend, ...more });

test("a board in the middle of the work", () => {
  expect(
    renderBoard(command, [
      job({
        state: "running",
        lastAction: "ran npm test (exit 1)",
        plan: [
          { text: "look", status: "done" },
          { text: "mend `x` | y", status: "in_progress" },
        ],
      }),
      job({ number: 2, task: "write tests\nin detail", spend: { ...spend, steps: 0 } }),
      job({
        number: 3,
        state: "done",
        change,
        publication: { pull: 14, url: "u", headSha: HEAD, draft: true },
        conflicts: [{ job: 1, files: ["README.md"] }],
      }),
      job({ number: 4, state: "failed", reason: "the setup command @octo/team failed" }),
    ]),
  ).toMatchInlineSnapshot(`
    "<!-- draftsmith:board:018f -->
    **Draftsmith** works on 4 tasks, asked by **ada** in [this comment](https://github.com/octo/shop/issues/12#issuecomment-5000000002) (revision \`0123456789ab\`).

    | # | Task | State | Model | Cost | Last |
    | --- | --- | --- | --- | --- | --- |
    | 1 | refactor auth | 🔧 running, step 9 | \`gpt-5\` | $0.0064 | ran npm test (exit 1) |
    | 2 | write tests | ⏳ queued | \`gpt-5\` | – | – |
    | 3 | refactor auth | ✅ done | \`gpt-5\` | $0.0064 | #14 (draft); conflicts with task 1 on \`README.md\` |
    | 4 | refactor auth | ❌ failed | \`gpt-5\` | $0.0064 | the setup command \`@octo/team\` failed |

    <details><summary>Task 1</summary>

    - [x] look
    - [ ] 🔧 mend \\\`x\\\` \\| y

    </details>

    This comment is updated while the work goes on. \`/codex stop\` ends it all; single tasks: 1 by \`/codex stop 0190\`, 2 by \`/codex stop 0190\`."
  `);
});

test("a board at the end, with a follow-up and an agent's long reason", () => {
  const target = { kind: "follow_up", branch: "codex/1-x", base: "main", pull: 14 } as const;
  const url = "https://github.com/octo/shop/pull/14";
  expect(
    renderBoard({ ...command, cleaned: true }, [
      job({
        state: "done",
        change,
        target,
        publication: { pull: 14, url, headSha: HEAD, draft: true },
      }),
      job({
        number: 2,
        state: "no_change",
        reason: "Nothing to do\n\nIt is fine as it is.",
        spend: { ...spend, microDollars: null },
      }),
    ]),
  ).toMatchInlineSnapshot(`
    "<!-- draftsmith:board:018f -->
    **Draftsmith** is done with 2 tasks, asked by **ada** in [this comment](https://github.com/octo/shop/issues/12#issuecomment-5000000002) (revision \`0123456789ab\`).

    | # | Task | State | Model | Cost | Last |
    | --- | --- | --- | --- | --- | --- |
    | 1 | refactor auth | ✅ done | \`gpt-5\` | $0.0064 | [commit \`bbbbbbb\`](https://github.com/octo/shop/pull/14/commits/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb) |
    | 2 | refactor auth | ➖ no change | \`gpt-5\` | price unknown | Nothing to do |

    <details><summary>Task 1</summary>

    - Sessions are signed now.

    | File | + | − |
    | --- | ---: | ---: |
    | \`src/auth.ts\` | 12 | 3 |
    | <code>src/a&#124;b &#96;x&#96;.ts</code> (added) | 4 | 0 |
    | \`logo.png\` (deleted) | binary | binary |

    Run by Draftsmith on a clean checkout of the tree of \`bbbbbbbbbbbb\`:

    | Command | Exit code | Time |
    | --- | --- | ---: |
    | \`npm test\` | ✅ 0 | 2.1 s |
    | \`npm run lint\` | ✅ 0 | 0.9 s |

    <details><summary>Output of check 1</summary>

    \`\`\`\`
    12 passed
    \`\`\`
    not the end
    \`\`\`\`

    </details>

    </details>

    <details><summary>Task 2</summary>

    \`\`\`
    Nothing to do

    It is fine as it is.
    \`\`\`

    </details>

    Characters that people cannot see were taken out of the tasks.

    Comment \`/codex <what to change>\` on a draft pull request to go on with it."
  `);
});

test("a board never outgrows a comment", () => {
  const jobs = Array.from({ length: 20 }, (_, index) =>
    job({
      number: index + 1,
      task: "t".repeat(8000),
      state: "failed",
      reason: `${"x".repeat(100)}\n`.repeat(80),
    }),
  );
  expect(renderBoard(command, jobs).length).toBeLessThan(65_536);
});

test("the body of a draft pull request", () => {
  expect(
    renderPull({
      command,
      job: job({ change }),
      change,
      headSha: HEAD,
      neighbours: [
        { number: 2, pull: 13, conflicts: [] },
        { number: 3, pull: 14, conflicts: ["README.md"] },
      ],
    }),
  ).toMatchInlineSnapshot(`
    "<!-- draftsmith:job:0190 -->
    ✅ **All 2 checks passed** on a clean checkout.

    ### Task

    \`\`\`
    refactor auth
    \`\`\`

    Asked by **ada** in [this comment](https://github.com/octo/shop/issues/12#issuecomment-5000000002) (revision \`0123456789ab\`), built on \`main\` at \`aaaaaaaaaaaa\`, with the skill \`refactor\`.

    ### What changed and why

    - Sessions are signed now.

    | File | + | − |
    | --- | ---: | ---: |
    | \`src/auth.ts\` | 12 | 3 |
    | <code>src/a&#124;b &#96;x&#96;.ts</code> (added) | 4 | 0 |
    | \`logo.png\` (deleted) | binary | binary |

    ### Evidence

    Run by Draftsmith on a clean checkout of the tree of \`bbbbbbbbbbbb\`:

    | Command | Exit code | Time |
    | --- | --- | ---: |
    | \`npm test\` | ✅ 0 | 2.1 s |
    | \`npm run lint\` | ✅ 0 | 0.9 s |

    <details><summary>Output of check 1</summary>

    \`\`\`\`
    12 passed
    \`\`\`
    not the end
    \`\`\`\`

    </details>

    ### Pull requests of the same command

    - #13 (task 2) merges cleanly with this one.
    - ⚠️ #14 (task 3) conflicts with this one on \`README.md\`.

    ### Model and cost

    \`gpt-5\` · 9 steps · 41210 tokens in (33280 cached), 2204 out · $0.0064 at list price

    ### How to go on

    - Comment \`/codex <what to change>\` here: it adds a commit to this branch.
    - Review it like any pull request. A draft stays one until a person marks it ready.
    - Close it to drop the change; nothing else depends on it."
  `);
});

test("a body names the hosts that were refused, with who asked and what can be done", () => {
  const [check] = change.evidence;
  const body = renderPull({
    command,
    job: job(),
    change: {
      ...change,
      evidence: check ? [{ ...check, deniedHosts: ["registry.example.org:443"] }] : [],
      deniedHosts: ["10.0.0.1:80", "registry.example.org:22"],
    },
    headSha: HEAD,
    neighbours: [],
  });
  const at = body.indexOf("| Refused host");
  expect(body.slice(at, body.indexOf("\n\n", at))).toMatchInlineSnapshot(`
    "| Refused host | Asked for by | Remedy |
    | --- | --- | --- |
    | \`registry.example.org:443\` | \`npm test\` | to allow it, add it under \`network:\` in \`.github/codex.yml\` |
    | \`10.0.0.1:80\` | the agent's commands or the setup | it cannot be allowed, for it is an address; only names can be allowed |
    | \`registry.example.org:22\` | the agent's commands or the setup | only ports 80 and 443 can be reached |"
  `);
  expect(renderPull({ command, job: job(), change, headSha: HEAD, neighbours: [] })).not.toContain(
    "Refused host",
  );
});

test("a body says first what went wrong", () => {
  const failing = { ...change.evidence[0], exitCode: null, stopped: "timeout" as const };
  const second = (facts: Partial<VerifiedChange>, checks = config) =>
    renderPull({
      command,
      job: job({ config: checks }),
      change: { ...change, ...facts },
      headSha: HEAD,
      neighbours: [],
    }).split("\n")[1];
  const evidence = [
    { ...failing, command: "npm test", durationMs: 1, output: "", deniedHosts: [] },
  ];
  expect([
    second({ evidence }),
    second({ limit: "the limit of steps was reached" }),
    second({ evidence: [] }, repoConfigSchema.parse({})),
  ]).toMatchInlineSnapshot(`
    [
      "⚠️ **1 of 1 check failed.** See the evidence below.",
      "⚠️ The agent was stopped because the limit of steps was reached; the work may be unfinished. ✅ **All 2 checks passed** on a clean checkout.",
      "**No checks were run**: none are configured.",
    ]
  `);
});

test("a body never outgrows what GitHub takes", () => {
  const output = "o".repeat(16_000);
  const evidence = Array.from({ length: 20 }, () => ({
    command: "c".repeat(4000),
    exitCode: 1,
    stopped: null,
    durationMs: 1,
    output,
    deniedHosts: [],
  }));
  const files = Array.from({ length: 500 }, (_, index) => ({
    path: `${"p".repeat(4000)}${index}`,
    added: 1,
    removed: 1,
    status: "modified" as const,
  }));
  const cautions = files.flatMap(({ path }) => [
    { kind: "shown_first" as const, path, line: 1, why: "w".repeat(4000) },
    { kind: "weakened_test" as const, path, line: 1, why: "w".repeat(4000) },
  ]);
  const body = renderPull({
    command,
    job: job({ task: "t".repeat(8000) }),
    change: { ...change, evidence, files, summary: "s".repeat(8000), cautions },
    headSha: HEAD,
    neighbours: [],
    later: [
      job({
        change: { ...change, cautions },
        publication: { pull: 1, url: "u", headSha: HEAD, draft: true },
      }),
    ],
  });
  expect(body.length).toBeLessThan(65_536);
  expect(body).toContain("### How to go on");
});

test("a commit names the person who asked", () => {
  expect(
    commitMessage({ title: "Add x", summary: "Because." }, { id: 5, login: "ada" }, "github.com"),
  ).toMatchInlineSnapshot(`
    "Add x

    Because.

    Co-authored-by: ada <5+ada@users.noreply.github.com>
    "
  `);
});

test("answers", () => {
  expect(usage([{ name: "fix", description: "Mends a bug." }], 8)).toMatchInlineSnapshot(`
    "Write a command at the start of a line, in a new comment, a review, or the text of a new issue or pull request:

    \`\`\`text
    /codex refactor auth

    /codex
    - first task
    - second task
    \`\`\`

    Each task becomes one draft pull request, at most 8 in one comment. On a pull request that Draftsmith opened, a task becomes a commit on its branch.

    \`/codex ask QUESTION\` answers a question, \`/codex plan TASK\` plans a task; both change nothing. \`/codex status\`, alone in a comment, tells how everything stands that was asked for here; \`/codex retry\` begins what failed here anew, \`/codex retry JOB\` the one with these 8 digits; \`/codex ready\`, alone on a pull request of Draftsmith's, marks it ready for review.

    \`/codex continue\` goes on with the last task that stopped before its end: on its pull request, or where it was asked for when it has none. \`/codex continue JOB\` goes on with the one with these 8 digits; words after it are added to the task.

    \`/codex stop\`, alone in a comment, stops all jobs of the issue or pull request; \`/codex stop JOB\` the one with these 8 digits.

    \`/codex allow JOB SHA\`, alone in a comment, lets out a change that was held; only admins may.

    | Flag | Meaning |
    | --- | --- |
    | \`--skill NAME\` | work by this skill |
    | \`--model NAME\` | use this model |
    | \`--effort LEVEL\` | how hard it is to think, such as \`high\` |
    | \`--budget DOLLARS\` | spend at most this on each task |
    | \`--base BRANCH\` | start from this branch |
    | \`--draft\`, \`--ready\` | open the pull request as a draft (the default) or ready for review |

    Skills:

    - \`fix\`: Mends a bug."
  `);
  expect(refusal("ada", "only people with write access can start work here")).toMatchInlineSnapshot(
    `"**ada**, nothing was started: only people with write access can start work here."`,
  );
  expect(
    configProblems([{ line: 2, message: "`limts` is not a key; did you mean `limits`?" }]),
  ).toMatchInlineSnapshot(`
    "Nothing was started: \`.github/codex.yml\` on the default branch has problems.

    - line 2: \`limts\` is not a key; did you mean \`limits\`?

    Mend the file and write the command again."
  `);
});

describe("names of files", () => {
  it.each<[string, string]>([
    ["src/a b.ts", "src/a b.ts"],
    ["a\nb", "a\\u{a}b"],
    ["a\u200bb\u202Ec\u00a0d\u00ad", "a\\u{200b}b\\u{202e}c\\u{a0}d\\u{ad}"],
    ["é/漢字/😀.txt", "é/漢字/😀.txt"],
    [`${"a/".repeat(100)}end.yml`, `${"a/".repeat(37)}a…/${"a/".repeat(33)}end.yml`],
  ])("%j", (name, shown) => {
    expect(nameText(name)).toBe(shown);
  });
});
