import MarkdownIt from "markdown-it";
import { describe, expect, it } from "vitest";
import {
  codeSpan,
  fenced,
  safeMarkdown,
  safePlainText,
  tableCell,
  titleLine,
} from "../../src/core/markdown.ts";
import { stripInvisible } from "../../src/core/redact.ts";
import { staysOpenBelow, whatActs } from "../support/github-reader.ts";

const safe = (text: string, maxLength = 10_000) => safeMarkdown(text, { maxLength });
const plain = (text: string, maxLength = 10_000) => safePlainText(text, { maxLength });

describe("a model's Markdown notifies no one and touches no other issue", () => {
  it.each<[string, string, string]>([
    ["a mention", "ask @octocat.", "ask `@octocat`."],
    ["a team", "(@org/team-a)", "(`@org/team-a`)"],
    ["a mention spelt with an entity", "&#64;octocat", "`@octocat`"],
    ["a mention with a hidden character", "@\u200Boctocat", "`@octocat`"],
    ["a mention around a comment", "@<!-- x -->octocat", "`@octocat`"],
    ["a mention behind code", "`x`@octocat", "`x` `@octocat`"],
    ["a mention behind a reference", "o/r#1@octocat", "`o/r#1` `@octocat`"],
    ["a mention in emphasis", "**@octocat**", "**`@octocat`**"],
    ["a mention in a link", "[@octocat](https://e.example)", "`@octocat` (`https://e.example`)"],
    ["a mention of full width", "\uFF20octocat", "`\uFF20octocat`"],
    ["a mention in a table", "| a |\n| - |\n| @octocat |", "| a |\n| --- |\n| `@octocat` |"],
    [
      "a mention in a broken code span of a table",
      "| a | b |\n| - | - |\n| `@octocat | x` |",
      "| a | b |\n| --- | --- |\n| \\` `@octocat` | x\\` |",
    ],
    ["a mail address", "bob@example.com", "`bob@example.com`"],
    ["a commit", "see a1b2c3d4 and o/r@a1b2c3d4e", "see `a1b2c3d4` and `o/r@a1b2c3d4e`"],
    ["no number, word or colour", "12345678 deadbeef #fff", "12345678 deadbeef #fff"],
    ["a reference", "see #12, o/r#3 and GH-4", "see `#12`, `o/r#3` and `GH-4`"],
    ["a closing keyword", "Fixes #12\ncloses: o/r#3", "Fixes `#12`\ncloses: `o/r#3`"],
    [
      "a closing keyword with a URL",
      "Resolves https://github.com/o/r/issues/5.",
      "Resolves `https://github.com/o/r/issues/5`.",
    ],
    [
      "a URL of an issue on another host",
      "https://ghe.example/o/r/pull/5",
      "`https://ghe.example/o/r/pull/5`",
    ],
    ["a URL without scheme", "www.github.com/o/r/issues/5", "`www.github.com/o/r/issues/5`"],
    [
      "a URL in angle brackets",
      "<https://github.com/o/r/issues/5>",
      "`https://github.com/o/r/issues/5`",
    ],
    [
      "a link to an issue",
      "[it](https://github.com/o/r/issues/5)",
      "it (`https://github.com/o/r/issues/5`)",
    ],
    [
      "a link to an issue by reference",
      "[it][1]\n\n[1]: https://github.com/o/r/issues/5",
      "it (`https://github.com/o/r/issues/5`)",
    ],
    ["a directive to skip checks", "done [skip ci] [ci skip]", "done (skip ci) (ci skip)"],
    ["not code", "`@octocat #1`", "`@octocat #1`"],
    [
      "but what closes goes from code: a merge may take it as its message",
      "`fixes #1`",
      "`fixes # 1`",
    ],
    ["not a fence", "```\n@octocat #1\n```", "```\n@octocat #1\n```"],
    [
      "but what closes goes from a fence",
      "```\nCloses: o/r#1\nresolved https://github.com/o/r/issues/5\n```",
      "```\nCloses: o/r# 1\nresolved https: //github.com/o/r/issues/5\n```",
    ],
  ])("%s", (_name, text, out) => {
    expect(safe(text)).toBe(out);
  });
});

describe("a model's Markdown hides nothing and breaks out of nothing", () => {
  it.each<[string, string, string]>([
    ["comments go", "a <!-- hidden --> b\n\n<!--\nhidden\n-->\n\nc", "a  b\n\nc"],
    [
      "a comment that never ends swallows nothing",
      "a\n\n<!-- hidden\n\nb",
      "a\n\n\\<\\!-- hidden\n\nb",
    ],
    ["a comment built from pieces is none", "<!-<!-- x -->- hidden -->", "\\<\\!-- hidden -->"],
    ["our own markers go", "<!-- draftsmith:board:1 -->\n\nok", "ok"],
    [
      "our own markers in code are broken",
      "`<!-- draftsmith:board:1 -->`",
      "`<! -- draftsmith:board:1 -->`",
    ],
    ["HTML is shown as text", "a <b onclick=x>b</b>", "a \\<b onclick=x>b\\</b>"],
    ["type parameters are shown", "use Map<string> here", "use Map\\<string> here"],
    ["details cannot be closed", "</details>\n\nx", "\\</details>\n\nx"],
    ["images go, their words stay", "![cat](https://evil.example/?d=secret)", "(image: cat)"],
    ["images by reference go", "![cat][1]\n\n[1]: https://evil.example", "(image: cat)"],
    ["images in HTML are text", '<img src="x">', '\\<img src="x">'],
    [
      "an image cannot be put together",
      "!<!-- -->[a](https://e.example)",
      "!a (`https://e.example`)",
    ],
    [
      "scripts are no targets",
      "[a](javascript:alert(1)) [b](data:text/html,x) [c](vbscript:x)",
      "a b c",
    ],
    ["files are no targets", "[src/a.ts](src/a.ts) [x](file:///etc/passwd)", "src/a.ts x"],
    ["titles of links go", '[a](https://e.example "hidden")', "a (`https://e.example`)"],
    [
      "a link that claims another target shows its own",
      "[https://github.com/login](https://evil.example)",
      "`https://github.com/login` (`https://evil.example`)",
    ],
    [
      "a link that claims another host shows its own",
      "[github.com](https://evil.example)",
      "github.com (`https://evil.example`)",
    ],
    [
      "a link with a user name in it is no link",
      "[a](https://github.com@evil.example)",
      "a (`https://github.com@evil.example`)",
    ],
    [
      "a link is words and where it leads, and cannot be clicked",
      "[docs](https://e.example/a_b?x=1&y=2)",
      "docs (`https://e.example/a_b?x=1&y=2`)",
    ],
    ["a URL is shown", "see https://e.example/a_b_c.", "see `https://e.example/a_b_c`."],
    [
      "formulas are text",
      "$\\color{white}{x}$ and $$y$$",
      "\\$\\\\color{white}{x}\\$ and \\$\\$y\\$\\$",
    ],
    ["a fence that is never closed is closed", "```js\ncode", "```js\ncode\n```"],
    [
      "a fence in a list that is never closed is closed",
      "- a\n  ```\n  code\n\nb",
      "- a\n\n  ```\n  code\n  ```\n\nb",
    ],
    [
      "a fence longer than ours stays inside ours",
      "`````\n````\n```\n`````",
      "`````\n````\n```\n`````",
    ],
    ["diagrams are shown as text", "```mermaid\ngraph TD\n```", "```\ngraph TD\n```"],
    ["headings stand below ours", "# A\n\nB\n===\n\n### C", "#### A\n\n#### B\n\n###### C"],
    ["slash commands are code", "/codex do it\n/approve", "`/codex` do it\n`/approve`"],
    ["slash commands in lists are code", "- /codex do it", "- `/codex` do it"],
    ["slash commands after a line break are code", "a  \n/codex do it", "a\\\n`/codex` do it"],
    ["checkboxes are text", "- [ ] a\n- [x] b", "- \\[ \\] a\n- \\[x\\] b"],
    ["footnotes are text", "a[^1]\n\n[^1]: two words", "a\\[^1\\]\n\n\\[^1\\]: two words"],
    ["alerts are quotations", "> [!WARNING]\n> x", "> \\[!WARNING\\]\n> x"],
    ["entities are what they show", "&lt;b&gt; &amp;lt; &copy;", "\\<b> \\&lt; ©"],
    ["escapes stay escapes", "\\*a\\* \\# 1\\. b", "\\*a\\* # 1. b"],
    ["terminal colours and invisible characters go", "a\u001b[31mb\u202E\u0000c", "abc"],
  ])("%s", (_name, text, out) => {
    expect(safe(text)).toBe(out);
  });

  it("keeps what a report is made of", () => {
    const report = [
      "Sessions are gone; *every* request carries a **signed** token.",
      "",
      "- `auth.ts` signs\n  - and checks\n- `login.ts` no longer stores",
      "",
      "1. first\n2. second\n\n   with a paragraph",
      "",
      "> quoted\n> lines",
      "",
      "| File | Lines |\n| :--- | ---: |\n| `a.ts` | 3 |",
      "",
      "```ts\nconst a = `x`;\n```",
      "",
      "~~old~~ snake_case_name, 2 * 3, 100%, C:\\dir, don't!",
    ].join("\n");
    expect(safe(report)).toBe(
      report
        .replace("1. first\n2. second", "1. first\n\n2. second")
        .replace("2 * 3", "2 \\* 3")
        .replace("C:\\dir", "C:\\\\dir"),
    );
  });

  it("is stable: made safe again, it stays as it is", () => {
    const once = safe("- x @me\n- y #1\n\n> q\n\n| a | b |\n|-|-|\n| `c|d` | e |\n\n1) z <b>");
    expect(safe(once)).toBe(once);
  });
});

describe("a model's Markdown keeps to its length", () => {
  it.each([
    "word ",
    "*",
    "<b>",
    "@a ",
    "# a\n",
    "- a\n",
    "```\n",
    "> ",
    "| a |\n|-|\n",
    "😀",
    "[a](b) ",
  ])("made of %j", (piece) => {
    for (const maxLength of [0, 1, 10, 100, 1000]) {
      const out = safe(piece.repeat(2000), maxLength);
      expect(out.length).toBeLessThanOrEqual(maxLength);
      expect(out.isWellFormed()).toBe(true);
    }
  });

  it("and says that it was cut", () => {
    expect(safe("word ".repeat(100), 100)).toMatch(/^word word .*… \(cut\)$/s);
    expect(safe(`\`\`\`\n${"x\n".repeat(500)}\`\`\``, 100)).toMatch(/\n```\n\n… \(cut\)$/);
    expect(safe("word")).toBe("word");
  });
});

/** Texts that are tried; a whole night's worth with FUZZ_ROUNDS. */
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 4000);

describe("whatever a model writes", { timeout: 60_000 + 10 * ROUNDS }, () => {
  const pieces = [
    ..."` `` ``` ~~~ ~~ * ** _ __ [ ] ( ) ]( ![ < > | \\ ! : = + ~ $ # -- --> <!-- &lt; &amp;#35;1 a 1)".split(
      " ",
    ),
    ..."@user @org/team &#64;user #12 o/r#3 GH-4 /codex <b> <br> </details> <details> <pre> <script> [r] [^1]".split(
      " ",
    ),
    "https://github.com/o/r/issues/5",
    "https://e.example/a_b",
    "www.github.com/o/r/pull/1",
    "](https://e.example)",
    "](javascript:x)",
    "<javascript:x>",
    "<https://github.com/o/r/pull/7>",
    "<!-- draftsmith:x -->",
    "[r]: https://e.example\n",
    ..."$x$ $$ $` `$ [x] [!NOTE] a1b2c3d4e5 o/r@a1b2c3d bob@e.example ftp://e.example/x fixes Closes: resolved".split(
      " ",
    ),
    ..."mermaid math suggestion \uFF20user &commat;user &#x40;user &num;12 &NewLine; &colon; <svg> <?x ?> <!X> <![CDATA[ ]]> <table>".split(
      " ",
    ),
    "\n<div>\n",
    "\n</div>\n",
    "\n[^1]:",
    "- [ ] ",
    "> [!NOTE]\n> ",
    "\u001b[31m",
    "\u202e",
    "\u{E0041}",
    "\r",
    "\u2028",
    "\u00ad",
    "\n[^1]: note\n",
    "\n| a | b |\n|---|---|\n| ",
    ..."\n,\n\n,\n> ,\n- ,\n1. ,\n    ,\n# ,\n===\n,\n---\n, ,\t,\u200b".split(","),
  ];
  let seed = Number(process.env.FUZZ_SEED ?? 20_240_607);
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  const scribble = () =>
    Array.from({ length: 1 + random(14) }, () => pieces[random(pieces.length)] ?? "").join("");

  it("nothing in it acts, and it does not swallow what follows", () => {
    for (let round = 0; round < ROUNDS; round++) {
      const text = scribble();
      const out = safe(text);
      expect(whatActs(out), JSON.stringify({ text, out })).toEqual([]);
      expect(staysOpenBelow(out), JSON.stringify({ text, out })).toBe(true);
    }
  });

  it("nothing in it acts in a commit message or a title", () => {
    for (let round = 0; round < ROUNDS / 2; round++) {
      const text = scribble();
      for (const out of [plain(text), titleLine(text)]) {
        expect(
          out.match(
            /(?:^|[^A-Za-z0-9])@\w|\b(?:fix(?:e[sd])?|close[sd]?|resolve[sd]?):?\s+[\w./-]*#\d|<!--\s*draftsmith|^[A-Za-z][A-Za-z0-9]*-[A-Za-z0-9-]*:(?!\/\/)/im,
          ),
          JSON.stringify({ text, out }),
        ).toBeNull();
        expect(out).toBe(stripInvisible(out));
      }
    }
  });

  it("a cell, a code span and a fence hold it", () => {
    for (let round = 0; round < ROUNDS / 2; round++) {
      const text = scribble();
      const row = `| h | i |\n| --- | --- |\n| ${tableCell(text)} | ${codeSpan(text)} |`;
      expect(whatActs(row), JSON.stringify({ text, row })).toEqual([]);
      const cells = new MarkdownIt({ html: true })
        .parse(row, {})
        .filter((token) => token.type === "td_open");
      expect(cells, JSON.stringify({ text, row })).toHaveLength(2);
      expect(row.split("\n")).toHaveLength(3);
      const blocks = new MarkdownIt()
        .parse(`${fenced(text, "js")}\n\nEND`, {})
        .map((token) => token.type);
      expect(blocks, JSON.stringify(text)).toEqual([
        "fence",
        "paragraph_open",
        "inline",
        "paragraph_close",
      ]);
    }
  });
});

describe("helpers for our own texts", () => {
  it.each<[string, string]>([
    ["a", "`a`"],
    ["a`b", "``a`b``"],
    ["`a``b`", "``` `a``b` ```"],
    ["a\nb", "`a b`"],
    ["a|b", "<code>a&#124;b</code>"],
    ["<b> | `&`", "<code>&#60;b&#62; &#124; &#96;&#38;&#96;</code>"],
    ["", ""],
  ])("codeSpan(%j)", (text, out) => {
    expect(codeSpan(text)).toBe(out);
  });

  it.each<[string, string]>([
    ["refactor auth", "refactor auth"],
    ["a | b\nc", "a \\| b c"],
    ["ping @user about #1", "ping `@user` about `#1`"],
    ["<b>*x*</b>", "\\<b>\\*x\\*\\</b>"],
    ["# not a heading", "\\# not a heading"],
    ["- no list", "\\- no list"],
    ["1. no list", "1\\. no list"],
    ["/codex again", "`/codex` again"],
    ["snake_case and 2_000", "snake_case and 2_000"],
  ])("tableCell(%j)", (text, out) => {
    expect(tableCell(text)).toBe(out);
  });

  it("fences what holds fences, with a language that is a word", () => {
    expect(fenced("a\n```\nb\n\n", "ts")).toBe("````ts\na\n```\nb\n````");
    expect(fenced("a", "x` @user")).toBe("```\na\n```");
    expect(fenced("\u001b[31mred\u001b[0m\r\nx")).toBe("```\nred\nx\n```");
  });
});

describe("text of a commit message", () => {
  it.each<[string, string, string]>([
    [
      "mentions are taken apart, in code as well",
      "ask @octocat and `@Injectable()`",
      "ask @ octocat and `@ Injectable()`",
    ],
    [
      "references are taken apart",
      "Fixes #12, closes o/r#3 and GH-4",
      "Fixes # 12, closes o/r # 3 and GH 4",
    ],
    [
      "links to issues lose their scheme",
      "resolves https://github.com/o/r/issues/5",
      "resolves github.com/o/r/issues/5",
    ],
    ["other links stay", "see https://e.example/x.", "see https://e.example/x."],
    [
      "trailers are none",
      "Text\n\nSigned-off-by: CEO <ceo@example.com>\nCo-authored-by : x",
      "Text\n\nSigned-off-by – CEO <ceo@example.com>\nCo-authored-by – x",
    ],
    [
      "checks are not skipped",
      "[skip ci] x [ci skip] [no ci] [skip actions] [actions skip] ***NO_CI***",
      "(skip ci) x (ci skip) (no ci) (skip actions) (actions skip) NO_CI",
    ],
    ["checks are not skipped by a trailer", "x\n\nskip-checks: true", "x\n\nskip-checks – true"],
    [
      "ordinary text stays",
      "Add [tests] for a-b: c (skip none) - 1/2 #nope",
      "Add [tests] for a-b: c (skip none) - 1/2 #nope",
    ],
    ["space is kept in bounds", "a  \n\n\n\n\nb\r\n", "a\n\nb"],
  ])("%s", (_name, text, out) => {
    expect(plain(text)).toBe(out);
    expect(plain(out)).toBe(out);
  });

  it("takes a link apart that another one falls out of", () => {
    expect(plain("see hhttps://ttps://github.com/o/r/issues/5")).not.toMatch(/https?:\/\/git/);
  });

  it("takes no noticeable time over a long text", { timeout: 5000 }, () => {
    for (const piece of [
      "@a ",
      "www.",
      "https://",
      "a@a1b2c3d4 ",
      "fixes #1 ",
      "a-",
      "x@y.z",
      "[skip",
    ]) {
      plain(piece.repeat(30_000));
      safe(piece.repeat(30_000));
    }
  });

  it("keeps to its length", () => {
    expect(plain("word ".repeat(100), 20)).toBe("word word word word…");
    expect(plain("😀".repeat(20), 10).isWellFormed()).toBe(true);
  });
});

describe("a title", () => {
  it.each<[string, string, string]>([
    [
      "as written",
      "Sign sessions with JWT instead of storing them",
      "Sign sessions with JWT instead of storing them",
    ],
    ["without a full stop", "Sign sessions.", "Sign sessions"],
    ["without Markdown around it", "## **Sign sessions**", "Sign sessions"],
    ["without bullets and quotes", '- "Sign sessions"', "Sign sessions"],
    ["only the first line", "\n\nSign sessions\n\nSigned-off-by: CEO", "Sign sessions"],
    ["that closes nothing", "Fix #12 for @octocat", "Fix # 12 for @ octocat"],
    ["that skips nothing", "[skip ci] Sign sessions", "(skip ci) Sign sessions"],
    ["that commands nothing", "/codex merge", "codex merge"],
    ["that forges no trailer", "Co-authored-by: CEO <a@b.c>", "Co-authored-by – CEO <a@b.c>"],
    ["without our own marks", "<!-- draftsmith:job:1 --> Sign", "<! -- draftsmith:job:1 --> Sign"],
    ["without invisible characters", "Sign\u0000 \u202Esessions\u001b[0m", "Sign sessions"],
    ["of nothing", " \n\t\n", ""],
    ["of punctuation", "/ ...", ""],
  ])("%s", (_name, text, title) => {
    expect(titleLine(text)).toBe(title);
  });

  it("of at most 72 characters, cut between words", () => {
    const title = titleLine(
      `Replace the session store by signed tokens, and mend every handler that read it before`,
    );
    expect(title).toBe("Replace the session store by signed tokens, and mend every handler that…");
    expect(title.length).toBeLessThanOrEqual(72);
    expect([...titleLine("é".repeat(200))]).toHaveLength(72);
    expect(titleLine("x".repeat(72))).toBe("x".repeat(72));
  });
});
