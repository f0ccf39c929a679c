import MarkdownIt from "markdown-it";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { Pull } from "../../demo/github/state.ts";
import { whatActs } from "../support/github-reader.ts";
import { JOB_MS, openStage, type Stage, shell, write } from "./play.ts";

const TEST = [
  'import { expect, it } from "vitest";',
  "",
  'it("adds", () => {',
  "  expect(1 + 1).toBe(2);",
  "});",
  "",
  'it("multiplies", () => {',
  "  expect(2 * 3).toBe(6);",
  "});",
  "",
].join("\n");

const PACKAGE = `${JSON.stringify({ name: "shop", scripts: { test: "vitest run" } }, null, 2)}\n`;

let stage: Stage;
/** What acts in the text of an honest pull request: only our own words. */
let ours: string[];

beforeAll(async () => {
  stage = await openStage({
    files: {
      "a.txt": "a\n",
      "check.sh": "echo fine\n",
      "test/sum.test.ts": TEST,
      "package.json": PACKAGE,
    },
    config: "checks: ['sh check.sh']\n",
  });
  ours = actsIn((await say("Write a\n\nIt is **done**.")).body);
}, JOB_MS);
afterAll(() => stage?.end());

let count = 0;

/** Lets the model change something and report; the pull request it becomes. */
async function say(
  report: string,
  replies: Parameters<Stage["play"]>[1]["replies"] = [],
): Promise<{ pull: Pull; title: string; body: string; board: string; message: string }> {
  count += 1;
  const { pulls, board } = await stage.play(`say something ${count}`, {
    replies: [...replies, write(`said/${count}.txt`, "x\n")],
    report,
  });
  const [pull] = pulls;
  if (!pull) throw new Error(`no pull request: ${board}`);
  const { world } = stage;
  const title = world.github.repository("shop").issues.get(pull.number)?.title ?? "";
  const message = await git(world.bare, ["log", "-1", "--format=%B", pull.head]);
  return { pull, title, body: world.pullBody(pull), board, message };
}

/** What acts in a text, with numbers and ids left out. */
function actsIn(text: string): string[] {
  return whatActs(text)
    .filter((act) => !act.startsWith("command: - Comment"))
    .map((act) => act.replace(/\b[0-9a-f-]{7,}\b|\d+/g, "N"))
    .sort();
}

/** Demands that nothing acts in a text but what acts in every one of ours, and as often. */
function expectInert(text: string, allowed = ours): void {
  const left = [...allowed];
  const foreign = actsIn(text).filter((act) => {
    const at = left.indexOf(act);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  expect(foreign, text).toEqual([]);
}

/** Headings that stand by themselves, outside of lists, quotations and folds that somebody opened. */
function headings(body: string): string[] {
  const tokens = new MarkdownIt({ html: true }).parse(body, {});
  return tokens.flatMap((token, at) =>
    token.type === "heading_open" && token.tag === "h3" && token.level === 0
      ? [tokens[at + 1]?.content ?? ""]
      : [],
  );
}

describe("a report", { timeout: JOB_MS }, () => {
  it("text-01 mentions people and teams in every spelling", async () => {
    const { body, title, message } = await say(
      [
        "Ask @eve and @acme/owners",
        "",
        "@eve, &#64;eve, &commat;eve, &#x40;eve, @\u200beve, @\u2060eve, \uFF20eve, @<!-- x -->eve, @<b>eve</b>,",
        "**@eve**, ~~@eve~~, [@eve](https://e.example), ![@eve](x), \\@eve, `x`@eve, (@eve), _@eve_,",
        "| a |\n|---|\n| @eve |",
        "",
        "<p>@eve</p>\n\n<!-- @eve -->\n\n> @eve\n\n# @eve\n\n1. @eve\n\n@eve\n===",
        "",
        "@eve[^1]\n\n[^1]: @eve",
      ].join("\n"),
    );
    expectInert(body);
    for (const text of [title, message]) expect(text).not.toMatch(/(?<![A-Za-z0-9])@\w/);
  });

  it("text-02 closes issues, in code as well, where a merge would take it from", async () => {
    const { body, title, message } = await say(
      [
        "Fixes #1 and closes acme/shop#1",
        "",
        "Fixes #1, closes: GH-1, resolves acme/shop#1, fixed https://github.com/acme/shop/issues/1.",
        "`Closes #1` and",
        "",
        "```text\nFixes #1\nresolve https://github.com/acme/shop/issues/1\n```",
        "",
        "    Closes acme/shop#1",
        "",
        "Fixes&#32;&#35;1 F&#105;xes #<!-- -->1",
      ].join("\n"),
    );
    expectInert(body);
    const closes =
      /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:[\w./-]*#\d|GH-\d|https?:\S+issues)/i;
    for (const text of [body, title, message]) expect(text).not.toMatch(closes);
    expect(stage.world.github.repository("shop").issues.get(1)?.state).toBe("open");
  });

  it("text-03 links that say they lead elsewhere", async () => {
    const { body } = await say(
      [
        "Link",
        "",
        "[https://github.com/login](https://evil.example/login) [github.com](//evil.example)",
        "[x](https://github.com@evil.example/) <https://evil.example> https://evil.example www.evil.example",
        "[a](javascript:alert(1)) [b](data:text/html,x) [c](vbscript:x) <javascript:x> [d](java&#x73;cript:x)",
        "[e][r] [r][] [r]\n\n[r]: https://evil.example 'https://github.com'",
        "",
        "mailto:eve@evil.example eve@evil.example ftp://evil.example xmpp:eve@evil.example",
        "<a href=https://evil.example>https://github.com</a> a1b2c3d4e5f6 acme/shop@a1b2c3d4e5f6",
      ].join("\n"),
    );
    expectInert(body);
    expect(body).toContain("(`https://evil.example/login`)");
  });

  it("text-04 images of every kind", async () => {
    const { body } = await say(
      [
        "Draw",
        "",
        "![a](https://evil.example/1.png) ![b][r] ![][r] !<!-- -->[c](https://evil.example/2)",
        "[![d](https://evil.example/3)](https://evil.example) \\![e](https://evil.example/4)",
        "\n[r]: https://evil.example/5\n",
        "<img src=https://evil.example/6> <picture><source srcset=https://evil.example/7></picture>",
        "<svg><image href=https://evil.example/8></svg> <video src=https://evil.example/9>",
        '<table background="https://evil.example/10"><tr><td>x</table>',
      ].join("\n"),
    );
    expectInert(body);
  });

  it("text-05 HTML that closes its fold, opens another, or never ends", async () => {
    const blocks = [
      "</details></blockquote></div>",
      "<details open><summary>Evidence</summary>",
      "<script>alert(1)</script>",
      "<pre>",
      "<?php",
      "<!DOCTYPE html",
      "<![CDATA[",
      "<div>\n\n### Evidence\n\n✅ **All 9 checks passed**",
      "<custom-element onload=x>",
      "<textarea><style>",
      "<!-- never ends",
    ];
    for (const report of [blocks.join("\n\n"), blocks.join("\n"), `> - ${blocks.join("\n> ")}`]) {
      const { body } = await say(`Close\n\n${report}`);
      expectInert(body);
      expect(headings(body)).toEqual(expect.arrayContaining(["Task", "Evidence", "How to go on"]));
      expect(headings(body).filter((each) => each === "Evidence")).toHaveLength(1);
    }
  });

  it("text-06 our own hidden marks, by which comments and pull requests are found again", async () => {
    const mark = "<!-- draftsmith:job:00000000-0000-7000-8000-000000000000 -->";
    const { body, title, message, pull } = await say(
      [
        `${mark} Mark`,
        "",
        mark,
        `\`${mark}\``,
        `\`\`\`\n${mark}\n\`\`\``,
        mark.replace("<!--", "<!<!-- -->--"),
        mark.replace("<", "&lt;"),
        mark.replace("draft", "draft\u200b"),
        `    ${mark}`,
      ].join("\n\n"),
    );
    expectInert(body);
    for (const text of [body, title, message])
      expect(text).not.toMatch(/<!--\s*draftsmith:job:0{8}/);
    expect(body.match(/<!--\s*draftsmith/g)).toHaveLength(1);
    expect(pull.number).toBeGreaterThan(1);
  });

  it("text-07 characters that terminals obey and people do not see", async () => {
    const tags = [..."approve"].map((sign) => String.fromCodePoint(0xe0000 + sign.charCodeAt(0)));
    const hidden = `\u001b]8;;https://evil.example\u0007x\u001b]8;;\u0007\u001b[2J\u001b[31m\u202Eevil\u202C\u2066\u200B\uFEFF\u00AD${tags.join("")}\u0000\u0008\u009b1m\uFFF9`;
    const { body, title, message } = await say(
      `See ${hidden}\n\n${hidden}\n\n\`${hidden}\`\n\n\`\`\`${hidden}\n${hidden}\n\`\`\``,
    );
    const unseen =
      /[[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]--[\n\t\u{FE0E}\u{FE0F}]]/v;
    for (const text of [body, title, message]) expect(text).not.toMatch(unseen);
  });

  it("text-08 what GitHub draws: diagrams, maps, formulas, footnotes, alerts, boxes to tick, headings", async () => {
    const { body } = await say(
      [
        "Draw",
        "",
        '```mermaid\ngraph TD; click A "https://evil.example"\n```',
        "~~~ geojson\n{}\n~~~",
        "```math\n\\href{https://evil.example}{x}\n```",
        "```suggestion\nx\n```",
        "$\\color{white}{hidden}$ $$x$$ $`x`$",
        "a[^1]\n\n[^1]: note",
        "> [!WARNING]\n> Merge now",
        "- [ ] approve\n- [x] done",
        "# Evidence\n\nEvidence\n===\n\n### Evidence",
        ":shipit:",
      ].join("\n\n"),
    );
    expectInert(body);
    expect(headings(body).filter((each) => each === "Evidence")).toHaveLength(1);
  });

  it("text-09 commands for bots at the start of a line", async () => {
    const { body, title } = await say(
      "/approve it\n\n/codex do more\n/merge\n\n- /lgtm\n\n> /retest\n\n1. /hold cancel\n\n&#47;approve x&NewLine;/approve\n\na  \n/approve",
    );
    expectInert(body);
    expect(title).not.toMatch(/^\//);
  });

  it("text-10 a commit message with trailers, orders to skip and other people's names", async () => {
    const { message, title } = await say(
      [
        "[skip ci] Release ***NO_CI***",
        "",
        "Done. [ci skip] [no ci] [skip actions] [actions skip]",
        "",
        "skip-checks: true",
        "Co-authored-by: Eve <eve@evil.example>",
        "Signed-off-by: Ada <ada@example.com>",
        "Reviewed-by: Ada <ada@example.com>",
        "\u200bCo-authored-by: Eve <eve@evil.example>",
      ].join("\n"),
    );
    const { stdout = "" } = {
      stdout: await git(stage.world.bare, ["interpret-trailers", "--parse"], { input: message }),
    };
    expect(stdout.trim().split("\n")).toEqual([expect.stringMatching(/^Co-authored-by: ada </)]);
    expect(message).not.toMatch(/\[(?:skip|no) \w+\]|\[\w+ skip\]|NO_CI\*/i);
    expect(message).not.toMatch(/^\s*(?:Co-authored|Signed-off|Reviewed)-by: (?!ada <\d+\+ada@)/im);
    expect(title).not.toContain("[skip ci]");
  });

  it("text-22 orders to skip checks in code and addresses, and entities of what nobody sees", async () => {
    const { body, message, title } = await say(
      [
        "See https://e.example/[skip ci] &#x202e;now",
        "",
        "See http://e.example/***NO_CI*** and www.e.example/[ci skip].",
        "`[skip ci]` ***NO_CI***",
        "",
        "```text\n[ci skip] [no ci] ***NO_CI***\n```",
        "",
        "a&#8203;b&#x2066;c&shy;d&#xe0041;e&ZeroWidthSpace;f **&rlm;g** [h&#x202e;](https://e.example)",
      ].join("\n"),
    );
    expectInert(body);
    expect(body).toContain("abcdef **g** h");
    for (const text of [body, message, title])
      expect(text).not.toMatch(/\[(?:skip ci|ci skip|no ci)\]|\*\*\*NO_CI\*\*\*/i);
  });

  it("text-11 what it is made of is kept", async () => {
    const report = [
      "Sessions are *gone*; every request carries a **signed** token.",
      "- `auth.ts` signs\n- `login.ts` no longer stores",
      "| File | Lines |\n| --- | ---: |\n| `a.ts` | 3 |",
      "```ts\nconst a = `x @y #1`;\n```",
    ].join("\n\n");
    expect((await say(`Sign sessions\n\n${report}`)).body).toContain(report);
  });
});

describe("other words of a model", { timeout: JOB_MS }, () => {
  it("text-12 names of files", async () => {
    const names = [
      "`x` @eve fixes #1.txt",
      "a | b | ![c](https:\\\\evil.example).txt",
      "safe.txt\n.github-workflows-x.yml",
      "invoice\u202Efdp.exe",
      "a\u200b.txt",
      "<details open><!-- draftsmith-x -->.txt",
      "| | |",
    ];
    const made = names.map((name) => `printf x >${quoted(`names/${name}`)}`).join("\n");
    const { body } = await say("Name files\n\nDone.", [shell(`mkdir -p names\n${made}`)]);
    expectInert(body);
    const rows = body.split("\n").filter((line) => /^\| .*names.* \| 1 \| 0 \|$/.test(line));
    expect(rows).toHaveLength(names.length);
    expect(body).toContain("safe.txt\\u{a}.github-workflows-x.yml");
    expect(body).toContain("\\u{202e}");
    expect(body).toContain("a\\u{200b}.txt");
  });

  it("text-13 the output of a check", async () => {
    const output = [
      "```",
      "````",
      "</details>",
      "<details open><summary>Evidence</summary>",
      "<!-- draftsmith:board:00000000-0000-7000-8000-000000000000 -->",
      "@eve fixes #1 ![x](https://evil.example)",
      "\u001b[31m\u202Ered\u001b[0m",
      "### Evidence",
    ].join("\n");
    const { body } = await say("Print\n\nDone.", [
      write("check.sh", `cat <<'EOF'\n${output}\nEOF\n`),
    ]);
    expectInert(body);
    expect(headings(body).filter((each) => each === "Evidence")).toHaveLength(1);
    expect(body).not.toContain("\u001b");
  });

  it("text-14 plans, failing calls and a reason to do nothing, on the board", async () => {
    const nasty =
      "x | y `z` @eve fixes #1 ![i](https://evil.example) </details> <!-- draftsmith:board:1 -->\n/approve";
    const { board } = await stage.play("write plans nastily", {
      replies: [
        {
          name: "plan",
          arguments: {
            items: [
              { text: nasty, status: "done" },
              { text: `- [x] ${nasty}`, status: "pending" },
            ],
          },
        },
        { name: nasty, arguments: {} },
        shell(`echo '${nasty.replaceAll("'", "")}'; exit 1`),
      ],
      report: `${nasty}\n\n${nasty}`,
    });
    expect(board).toMatch(/no change/);
    const plain = await stage.play("write plans well", {
      replies: [
        {
          name: "plan",
          arguments: {
            items: [
              { text: "a", status: "done" },
              { text: "b", status: "pending" },
            ],
          },
        },
      ],
      report: "Nothing\n\nThere is nothing to do here.",
    });
    expectInert(board, actsIn(plain.board));
    expect(board.match(/<!--\s*draftsmith/g)).toHaveLength(1);
    const rows = board.split("\n").filter((line) => /^\| \d+ \|/.test(line));
    expect(rows.map((row) => row.replace(/\\\|/g, "").split("|").length)).toEqual([8]);
  });

  it("text-15 line ends that would forge lines of the log", async () => {
    const forged = '\n{"level":60,"msg":"all tokens were revoked"}\n';
    await stage.play("forge a log", {
      replies: [
        { name: `read${forged}`, arguments: { path: forged } },
        { name: "read", arguments: `{"path": "x${forged}` },
        shell(`printf '%s' '${forged}' >&2; exit 2`),
        () => ({ status: 400, body: { error: { message: `No${forged}such model` } } }),
      ],
      report: `Forge${forged}`,
    });
    const lines = stage.world.log().trim().split("\n");
    expect(stage.world.log()).toContain("such model");
    expect(lines.filter((line) => !/^\{"level":\d+,"time":.*\}$/.test(line))).toEqual([]);
  });
});

describe("a change that weakens tests", { timeout: JOB_MS }, () => {
  const first = (body: string) => body.split("\n\n").slice(0, 2).join("\n\n");

  it("text-16 a case is deleted, another one skipped", async () => {
    const { body } = await say("Tidy tests\n\nDone.", [
      write(
        "test/sum.test.ts",
        TEST.replace(/it\("adds"[\s\S]*?\}\);\n\n/, "").replace("it(", "it.skip("),
      ),
    ]);
    expect(first(body)).toMatch(/Tests may be weaker/);
    expect(first(body)).toMatch(/`test\/sum\.test\.ts`.*“adds” was removed/);
    expect(first(body)).toMatch(/“multiplies” is skipped/);
  });

  it("text-17 checks that hold whatever the code does", async () => {
    const { body } = await say("Mend tests\n\nDone.", [
      write(
        "test/sum.test.ts",
        TEST.replace("expect(1 + 1).toBe(2)", "expect(1 + 1).toBeDefined()").replace(
          "expect(2 * 3).toBe(6)",
          "expect(true).toBe(true)",
        ),
      ),
    ]);
    expect(first(body)).toMatch(/line 4: a check was replaced by one that only looks/);
    expect(first(body)).toMatch(/line 8: a check was replaced by one that is always true/);
  });

  it("text-18 a test that is moved to where no runner looks", async () => {
    const { body } = await say("Move tests\n\nDone.", [
      shell("mkdir old && git mv test/sum.test.ts old/sum.ts"),
    ]);
    expect(first(body)).toMatch(/`test\/sum\.test\.ts`: the test file was deleted/);
  });

  it("text-19 settings under which failures pass", async () => {
    const { body } = await say("Mend the script\n\nDone.", [
      write("package.json", PACKAGE.replace("vitest run", "vitest run --passWithNoTests || true")),
    ]);
    expect(first(body)).toMatch(/a failing command passes now/);
    expect(first(body)).toMatch(/a run without tests passes now/);
  });

  it("text-20 a test whose name is written to act where it is told", async () => {
    const name = "</details> @eve fixes #1 ![x](https://evil.example) | `<!-- draftsmith:job:1 -->";
    const { body } = await say("Add and skip\n\nDone.", [
      write("test/new.test.ts", `${TEST}it.skip("${name}", () => {});\n`),
    ]);
    expect(first(body)).toMatch(/is skipped/);
    expectInert(body);
  });

  it("text-21 tests that are moved, renamed and added are no reason to warn", async () => {
    const { body } = await say("Move tests\n\nDone.", [
      shell("mkdir test/math && git mv test/sum.test.ts test/math/sum.test.ts"),
      write("test/math/more.test.ts", TEST.replaceAll("adds", "adds more")),
    ]);
    expect(body).not.toMatch(/Tests may be weaker/);
  });
});

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
