import { describe, expect, it } from "vitest";
import { type ParsedCommand, parseCommand } from "../../src/core/command.ts";

const limits = { maxTasks: 8 };
const parse = (body: string) => parseCommand(body, limits);

/** The texts of the tasks, or the kind of answer when there are none. */
function texts(parsed: ParsedCommand): string[] | string {
  return parsed.kind === "command" ? parsed.tasks.map((task) => task.text) : parsed.kind;
}

function problem(parsed: ParsedCommand): string {
  return parsed.kind === "refused" ? parsed.problem : `not refused but ${parsed.kind}`;
}

describe("continue", () => {
  it.each<[string, string | null, string]>([
    ["/codex continue", null, ""],
    ["/codex Continue.", null, ""],
    ["/codex continue --budget 2", null, ""],
    ["/codex continue 3f9a0c1b", "3f9a0c1b", ""],
    ["/codex continue `3F9A0C1B` with the tests", "3f9a0c1b", "with the tests"],
    ["/codex continue with the tests", null, "with the tests"],
    ["/codex continue\n\n- and the docs", null, "- and the docs"],
  ])("%j goes on with a job", (body, job, words) => {
    const parsed = parse(body);
    expect(parsed.kind === "command" && parsed.tasks).toMatchObject([
      { text: words, continues: { job } },
    ]);
  });

  it.each(["/codex continuous integration for main", "/codex continued"])("%j is work", (body) => {
    const parsed = parse(body);
    expect(parsed.kind === "command" && parsed.tasks[0]).not.toHaveProperty("continues");
  });

  it("takes a budget in dollars, and no other", () => {
    const parsed = parse("/codex continue --budget $2.50");
    expect(parsed.kind === "command" && parsed.tasks[0]?.flags).toEqual({ budget: "$2.50" });
    for (const wrong of ["0", "NaN", "1e99", "-1", "two", "0.0000001"]) {
      expect(problem(parse(`/codex continue --budget ${wrong}`)), wrong).toMatch(/budget/);
    }
    for (const unit of ["dollars", "Dollar", "USD", "$", "€."]) {
      expect(problem(parse(`/codex a --budget $2 ${unit}`)), unit).toMatch(
        /takes the amount alone.*write `--budget 2` without/,
      );
    }
    expect(problem(parse("/codex a --budget $ 2"))).toMatch(/amount of dollars above 0, such as 2/);
    const [task] = texts(parse("/codex --budget=2 dollarize the shop"));
    expect(task).toBe("dollarize the shop");
  });
});

describe("stop", () => {
  it.each<[string, string | null]>([
    ["/codex stop", null],
    ["/codex Stop!", null],
    ["/codex stop all", null],
    ["/codex stop 3f9a0c1b", "3f9a0c1b"],
    ["/codex stop `3F9A0C1B`", "3f9a0c1b"],
    ["It goes wrong.\n\n/codex stop\n\nSee above.", null],
  ])("%j stops", (body, job) => {
    expect(parse(body)).toEqual({ kind: "stop", job });
  });

  it.each([
    "/codex stop using eval",
    "/codex stop the tests from hanging",
    "/codex cancel subscriptions after a year",
    "/codex abort requests on timeout",
  ])("%j is work", (body) => {
    expect(texts(parse(body))).toEqual([body.slice("/codex ".length)]);
  });

  it.each([
    "/codex stopp",
    "/codex stpo",
    "/codex cancel",
    "/codex stop it",
    "/codex stop now please",
    "/codex stop 3f9a0c1",
    "/codex stop job 3f9a0c1b",
    "/codex stop 3f9a0c1b 77de41c2",
    "/codex stop JOB",
  ])("%j gets a hint and starts nothing", (body) => {
    expect(problem(parse(body))).toMatch(/`\/codex stop JOB`/);
  });

  it.each(["/codex stop\n/codex do more", "/codex stop\nthis", "/codex stop\n- this"])(
    "%j is not alone",
    (body) => {
      expect(problem(parse(body))).toMatch(/something else stands beside `\/codex stop`/);
    },
  );
});

describe("what is a command", () => {
  it.each<[string, string, string[]]>([
    ["alone in the comment", "/codex refactor auth", ["refactor auth"]],
    ["after other words", "Thanks!\n\n/codex refactor auth", ["refactor auth"]],
    ["on the second line of a paragraph", "Thanks!\n/codex refactor auth", ["refactor auth"]],
    ["indented by up to three spaces", "   /codex refactor auth", ["refactor auth"]],
    ["with a tab behind it", "/codex\trefactor auth", ["refactor auth"]],
    ["with an ideographic space behind it", "/codex\u3000リファクタ", ["リファクタ"]],
    [
      "in a comment that GitHub sends with CRLF",
      "Hi\r\n\r\n/codex\r\n- a1\r\n- b2\r\n",
      ["a1", "b2"],
    ],
    ["behind a byte order mark", "\uFEFF/codex refactor auth", ["refactor auth"]],
    [
      "above a signature line, which makes it a heading",
      "/codex refactor auth\n--\nBob",
      ["refactor auth"],
    ],
    [
      "below a quotation and a blank line",
      "> please do\n\n/codex refactor auth",
      ["refactor auth"],
    ],
    ["right below a closed fence", "```\nx\n```\n/codex refactor auth", ["refactor auth"]],
    [
      "behind an HTML comment that ended",
      "<!-- note -->\n\n/codex refactor auth",
      ["refactor auth"],
    ],
    [
      "behind folded details that ended",
      "<details>\n\nlog\n\n</details>\n\n/codex fix it",
      ["fix it"],
    ],
    [
      "holding Markdown",
      "/codex rename **all** of [these](x) `a` < b",
      ["rename **all** of [these](x) `a` < b"],
    ],
  ])("%s", (_name, body, tasks) => {
    expect(texts(parse(body))).toEqual(tasks);
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["ordinary talk", "I like this /codex thing"],
    ["a longer word", "/codexfoo refactor"],
    ["a word joined by a hyphen", "/codex-cli refactor"],
    ["a path", "/codex/readme.md"],
    ["another command that ends like it", "/octokit/codex refactor"],
    ["another spelling", "/Codex refactor"],
    ["behind other text on its line", "please /codex refactor auth"],
    ["escaped", "\\/codex refactor auth"],
    ["a quotation", "> /codex refactor auth"],
    [
      "a quotation in an e-mail reply",
      "On Monday Bob wrote:\n> hi\n> /codex refactor auth\n\nNo thanks",
    ],
    [
      "the unmarked rest of a quoted line",
      "> a long line that a mail program broke\n/codex refactor auth",
    ],
    ["a quotation in a quotation", "> > /codex refactor auth"],
    ["a quotation inside a list", "- > quoted\n/codex refactor auth"],
    ["a code fence", "```\n/codex refactor auth\n```"],
    ["a code fence of tildes", "~~~sh\n/codex refactor auth\n~~~"],
    ["a code fence that is never closed", "```\n/codex refactor auth"],
    ["indented code", "text\n\n    /codex refactor auth"],
    ["code indented by a tab", "text\n\n\t/codex refactor auth"],
    ["inline code", "`/codex refactor auth`"],
    ["inline code over several lines", "`some code\n/codex refactor auth\nmore code`"],
    ["an HTML comment", "<!--\n/codex refactor auth\n-->"],
    ["an HTML comment with blank lines", "<!--\n\n/codex refactor auth\n\n-->"],
    ["an HTML comment inside a paragraph", "text <!--\n/codex refactor auth\n--> text"],
    ["an HTML comment that never ends", "<!--\n\n/codex refactor auth"],
    ["an HTML block", "<div>\n/codex refactor auth\n</div>"],
    ["folded details", "<details><summary>log</summary>\n\n/codex refactor auth\n\n</details>"],
    ["a quotation written in HTML", "<blockquote>\n\n/codex refactor auth\n\n</blockquote>"],
    ["preformatted text", "<pre>\n\n/codex refactor auth\n\n</pre>"],
    ["the title of a link, which no one sees", '[a](b "title\n/codex refactor auth\n")'],
    ["the target of a reference", "[a]:\n/codex"],
    ["the text of a link", "[see\n/codex refactor auth](https://example.com)"],
    ["emphasis", "**note\n/codex refactor auth**"],
    ["a list item", "- /codex refactor auth"],
    ["a paragraph inside a list item", "- item\n\n  /codex refactor auth"],
    ["a heading", "# /codex refactor auth"],
    ["a command word with a hidden character in it", "/co\u200Bdex refactor auth"],
    ["a hidden character in front", "\u200B/codex refactor auth"],
  ])("not %s", (_name, body) => {
    expect(parse(body)).toEqual({ kind: "not_for_us" });
  });
});

describe("what a task is made of", () => {
  it.each<[string, string, string[]]>([
    ["each bullet below a bare command", "/codex\n- one\n- two\n- three", ["one", "two", "three"]],
    ["each bullet after a blank line", "/codex\n\n- one\n- two", ["one", "two"]],
    ["bullets indented below the command", "/codex\n  - one\n  - two", ["one", "two"]],
    ["numbers", "/codex\n1. one\n2. two", ["one", "two"]],
    ["numbers with parentheses, from any start", "/codex\n\n7) one\n8) two", ["one", "two"]],
    ["a loose list", "/codex\n\n* one\n\n* two\n", ["one", "two"]],
    [
      "open checkboxes, not ticked ones",
      "/codex\n- [ ] one\n- [x] two\n- [X] three\n- [ ] four",
      ["one", "four"],
    ],
    ["lists of two kinds in a row", "/codex\n- one\n* two\n1. three", ["one", "two", "three"]],
    [
      "a sub-list with its parent",
      "/codex\n- one\n  - deep\n    - deeper\n- two",
      ["one\n- deep\n  - deeper", "two"],
    ],
    [
      "paragraphs and code with their item",
      "/codex\n1. one\n\n   why so\n\n   ```js\n   if (a) {\n     b();\n   }\n   ```\n2. two",
      ["one\n\nwhy so\n\n```js\nif (a) {\n  b();\n}\n```", "two"],
    ],
    [
      "an item that goes on below without indentation",
      "/codex\n- one\nand more\n- two",
      ["one\nand more", "two"],
    ],
    ["items indented by tabs", "/codex\n-\tone\n\n\tmore\n-\ttwo", ["one\n\nmore", "two"]],
    ["empty bullets left out", "/codex\n- one\n-\n- two", ["one", "two"]],
    ["the next line of a bare command", "/codex\nrefactor auth", ["refactor auth"]],
    [
      "the lines below in the same paragraph",
      "/codex refactor auth\nto use JWT\nnot sessions",
      ["refactor auth\nto use JWT\nnot sessions"],
    ],
    [
      "a list right below a task as its details",
      "/codex refactor auth:\n- use JWT\n- drop sessions",
      ["refactor auth:\n\n- use JWT\n- drop sessions"],
    ],
    [
      "a fence right below a task",
      "/codex fix this:\n```\nTypeError\n```",
      ["fix this:\n\n```\nTypeError\n```"],
    ],
    [
      "a quotation right below a task",
      "/codex do what Bob says:\n> use JWT",
      ["do what Bob says:\n\n> use JWT"],
    ],
    ["not a later paragraph", "/codex refactor auth\n\nThanks, all!", ["refactor auth"]],
    [
      "not a list below a later paragraph",
      "/codex refactor auth\n\nMy notes:\n\n- milk",
      ["refactor auth"],
    ],
    ["several commands in a paragraph", "/codex one\n/codex two", ["one", "two"]],
    ["several commands apart", "/codex one\n\ntext\n\n/codex two", ["one", "two"]],
    [
      "a command right below a list",
      "/codex\n- one\n- two\n/codex three\n- detail",
      ["one", "two", "three\n\n- detail"],
    ],
    [
      "text in other scripts",
      "/codex 修复登录\n\n/codex исправь вход",
      ["修复登录", "исправь вход"],
    ],
  ])("%s", (_name, body, tasks) => {
    expect(texts(parse(body))).toEqual(tasks);
  });

  it("keeps two tasks that are the same", () => {
    expect(texts(parse("/codex\n- one\n- one"))).toEqual(["one", "one"]);
  });
});

describe("flags", () => {
  it.each<[string, string, object]>([
    [
      "before the task",
      "/codex --skill fix --draft it",
      { text: "it", flags: { skill: "fix", draft: true } },
    ],
    [
      "behind the task",
      "/codex it --model gpt-5 --ready",
      { text: "it", flags: { model: "gpt-5", draft: false } },
    ],
    [
      "in the middle",
      "/codex mend --base release/2.x the bug",
      { text: "mend the bug", flags: { base: "release/2.x" } },
    ],
    ["with an equals sign", "/codex --base=main it", { text: "it", flags: { base: "main" } }],
    [
      "with quotes",
      '/codex --base "main" --model=“m” it',
      { text: "it", flags: { base: "main", model: "m" } },
    ],
    ["with backticks", "/codex --base `main` it", { text: "it", flags: { base: "main" } }],
    ["in capitals", "/codex --Skill Fix it", { text: "it", flags: { skill: "fix" } }],
    [
      "with the dash a phone makes of two hyphens",
      "/codex it —ready –base main",
      { text: "it", flags: { draft: false, base: "main" } },
    ],
    [
      "a model with slashes and colons",
      "/codex --model openai/gpt-5:free it",
      { text: "it", flags: { model: "openai/gpt-5:free" } },
    ],
    [
      "nothing behind two hyphens",
      "/codex -- add a --verbose option",
      { text: "add a --verbose option", flags: {} },
    ],
    [
      "nothing in backticks",
      "/codex add `--verbose` and `--x y`",
      { text: "add `--verbose` and `--x y`", flags: {} },
    ],
    ["nothing inside a word", "/codex replace a--draft", { text: "replace a--draft", flags: {} }],
    [
      "no other dashes",
      "/codex a --- b --5 c — d —verbose",
      { text: "a --- b --5 c — d —verbose", flags: {} },
    ],
    ["nothing on the next line", "/codex it\n--draft", { text: "it\n--draft", flags: {} }],
    [
      "apostrophes are no quotes",
      "/codex don't --draft and won't",
      { text: "don't and won't", flags: { draft: true } },
    ],
  ])("%s", (_name, body, task) => {
    expect(parse(body)).toEqual({ kind: "command", tasks: [task], cleaned: false });
  });

  it("apply to all tasks of their line and to no other", () => {
    expect(parse("/codex --skill test\n- one\n- two\n\n/codex three")).toEqual({
      kind: "command",
      cleaned: false,
      tasks: [
        { text: "one", flags: { skill: "test" } },
        { text: "two", flags: { skill: "test" } },
        { text: "three", flags: {} },
      ],
    });
  });

  it.each<[string, string, RegExp]>([
    [
      "a mistyped flag, with what was meant",
      "/codex --skil fix it",
      /`--skil` is no flag.*did you mean `--skill`\?/,
    ],
    [
      "an unknown flag, with the way to write it as text",
      "/codex add a --verbose option",
      /`--verbose`.*backticks, or write `--` before/,
    ],
    ["another repository", "/codex --repo victim/x do it", /`--repo` is no flag/],
    ["a missing value", "/codex it --skill", /`--skill` needs a value/],
    ["a flag as a value", "/codex --skill --draft it", /`--skill` needs a value/],
    ["an empty value", "/codex --base= it", /an empty text is no name of a branch/],
    ["a flag twice", "/codex --base a --base b it", /`--base` stands there twice/],
    ["draft and ready", "/codex --draft --ready it", /exclude each other/],
    ["a value for a switch", "/codex --draft=no it", /takes no value/],
    ["a skill that is a path", "/codex --skill ../../etc it", /is no name of a skill/],
    ["a model with control characters", '/codex --model "a b" it', /is no name of a model/],
    ["a branch that git would take for an option", "/codex --base -x it", /is no name of a branch/],
    ["a branch with two dots", "/codex --base a..b it", /is no name of a branch/],
    ["a branch with a reflog", "/codex --base main@{1} it", /is no name of a branch/],
    ["a branch of wildcards", "/codex --base rel* it", /is no name of a branch/],
    ["HEAD", "/codex --base HEAD it", /is no name of a branch/],
    ["a branch that ends in .lock", "/codex --base a.lock it", /is no name of a branch/],
    [
      "a branch with an ideographic space",
      '/codex --base "main\u3000x" it',
      /is no name of a branch/,
    ],
  ])("refuse %s", (_name, body, message) => {
    expect(problem(parse(body))).toMatch(message);
    expect(parse(body)).toMatchObject({ usage: true });
  });

  it("never repeat a long or harmful value as it came", () => {
    const told = problem(parse(`/codex --base @org/team..${"x".repeat(5000)} it`));
    expect(told.length).toBeLessThan(200);
    expect(told).toContain("`@org/team..");
  });
});

describe("help and refusals", () => {
  it.each([
    "/codex help",
    "/codex HELP",
    "/codex help!",
    "/codex --help",
    "/codex -h",
    "Hi\n\n/codex help\nthanks",
  ])("%j asks for the usage", (body) => {
    expect(parse(body)).toEqual({ kind: "help" });
  });

  it("takes more words than help as a task", () => {
    expect(texts(parse("/codex help new users to sign in"))).toEqual(["help new users to sign in"]);
  });

  it.each<[string, string, RegExp]>([
    ["no task", "/codex", /without a task/],
    ["flags without a task", "/codex --draft", /without a task/],
    [
      "a task in another paragraph",
      "/codex\n\nrefactor auth",
      /on the same line, or several as a list below/,
    ],
    ["punctuation", "/codex ...", /without a task/],
    ["only invisible characters", "/codex \u200B\u202E", /without a task/],
    ["a list of empty items", "/codex\n- \n-\n", /without a task/],
    ["a list with all ticked", "/codex\n- [x] one\n- [x] two", /every task of the list is ticked/],
    ["one command without a task beside a good one", "/codex one\n\n/codex", /without a task/],
    ["help beside tasks", "/codex one\n/codex help", /a comment of its own/],
    ["a mistyped help", "/codex hlep", /`hlep` looks like a mistyped `\/codex help`/],
  ])("refuses %s and shows the usage", (_name, body, message) => {
    expect(problem(parse(body))).toMatch(message);
    expect(parse(body)).toMatchObject({ kind: "refused", usage: true });
  });

  it("takes other single words as tasks", () => {
    expect(texts(parse("/codex modernize"))).toEqual(["modernize"]);
  });

  it("refuses more tasks than allowed as a whole, with the numbers and the remedy", () => {
    const list = (n: number) =>
      `/codex\n${Array.from({ length: n }, (_, i) => `- task ${i}`).join("\n")}`;
    expect(texts(parse(list(8)))).toHaveLength(8);
    expect(problem(parse(list(9)))).toMatch(/9 tasks, and 8 are allowed.*`limits\.tasks`/);
    expect(problem(parse(list(100)))).toMatch(/100 tasks/);
    expect(problem(parse(Array.from({ length: 9 }, () => "/codex x1").join("\n")))).toMatch(
      /9 tasks/,
    );
  });

  it("refuses a task that is too long, and tells which", () => {
    expect(texts(parse(`/codex ${"x".repeat(8000)}`))).toEqual(["x".repeat(8000)]);
    expect(problem(parse(`/codex one\n/codex ${"x".repeat(8001)}`))).toMatch(
      /^task 2 has 8,001 characters, and 8,000/,
    );
    expect(problem(parse(`/codex ${"x".repeat(100_000)}`))).toMatch(/100,000 characters/);
  });
});

describe("characters that a person cannot see", () => {
  it.each<[string, string, string]>([
    ["NUL", "fix\u0000 it", "fix it"],
    ["colours of a terminal", "fix \u001b[31mit\u001b[0m", "fix it"],
    ["a terminal title", "fix \u001b]0;title\u0007it", "fix it"],
    ["other control characters", "fix\u0008 \u007fit\u0085", "fix it"],
    ["zero-width characters", "f\u200Bi\u200Cx\u200D \uFEFFit\u2060", "fix it"],
    ["soft hyphens", "fi\u00ADx it", "fix it"],
    ["right-to-left marks", "fix \u202Eit\u202C \u2066a\u2069\u200F", "fix it a"],
    ["tag characters that spell hidden words", "fix it\u{E0068}\u{E0069}", "fix it"],
    ["variation selectors that carry bytes", "fix it\u{E0100}\u{E01EF}\uFE00", "fix it"],
    ["half of a surrogate pair", "fix\ud800 it", "fix it"],
  ])("%s are taken out, and that is told", (_name, task, seen) => {
    expect(parse(`/codex ${task}`)).toMatchObject({ cleaned: true, tasks: [{ text: seen }] });
    expect(parse(`/codex\n- ${task}`)).toMatchObject({ cleaned: true, tasks: [{ text: seen }] });
  });

  it("cannot hide a flag", () => {
    expect(parse("/codex it --re\u200Bady")).toMatchObject({
      tasks: [{ text: "it", flags: { draft: false } }],
    });
  });

  it("tabs, emoji and accents are none of them", () => {
    expect(parse("/codex fix\tthe ❤️ café 🎉\n\tnow")).toMatchObject({ cleaned: false });
  });
});

describe("hostile comments are read in linear time", () => {
  const size = 65_536;
  const fill = (text: string) => text.repeat(Math.ceil(size / text.length)).slice(0, size);
  it.each<[string, string]>([
    ["deep quotations", fill(">")],
    ["deep lists", fill("1. ")],
    ["deep quoted lists", fill("> - ")],
    ["headings", fill("a\n=\n")],
    ["lazy lines", fill("> a\nb\n")],
    ["brackets", fill("[")],
    ["images", fill("![a](")],
    ["references", `${fill("[a][b]")}\n\n[b]: c`],
    ["emphasis", fill("**x*")],
    [
      "backticks of every length",
      Array.from({ length: 360 }, (_, i) => "`".repeat(i + 1)).join(" "),
    ],
    ["open tags", fill("<code ")],
    ["open comments", fill("<!--")],
    ["10,000 lines", "a\n".repeat(10_000)],
    ["commands", fill("/codex a1\n")],
    ["commands right below list items", fill("- a\n/codex b\n")],
    ["list items below a command", `/codex\n${fill("- a\n")}`],
    ["flags", `/codex ${fill("--draft ")}`],
    ["quotes in a command", `/codex ${fill('" ')}`],
    ["backticks in a command", `/codex ${fill("``a`")}`],
    ["dashes in a command", `/codex ${fill("--")}`],
    ["spaces in a command", `/codex ${fill(" ")}x`],
  ])("%s", { timeout: 5000 }, (_name, body) => {
    parse(`${body}\n\n/codex x1\n`);
  });
});

describe("allow", () => {
  const sha = "0123456789abcdef0123456789abcdef01234567";
  const parse = (body: string) => parseCommand(body, { maxTasks: 8 });

  it.each([
    `/codex allow 0a1b2c3d ${sha}`,
    `  /codex   allow  0A1B2C3D\t${sha.toUpperCase()}  `,
    `/codex allow \`0a1b2c3d\` \`${sha}\``,
    `Looks fine to me.\n\n/codex allow 0a1b2c3d ${sha}`,
  ])("is %j", (body) => {
    expect(parse(body)).toEqual({ kind: "allow", job: "0a1b2c3d", sha });
  });

  it("takes a commit of a repository with SHA-256", () => {
    const long = `${sha}89abcdef0123456789abcdef`;
    expect(parse(`/codex allow 0a1b2c3d ${long}`)).toMatchObject({ kind: "allow", sha: long });
    expect(parse("/codex allow 0a1b2c3d 0123456")).toMatchObject({ kind: "allow", sha: "0123456" });
  });

  it.each([
    "/codex allow",
    "/codex allow 0a1b2c3d",
    `/codex allow ${sha}`,
    `/codex allow ${sha} 0a1b2c3d`,
    "/codex allow 0a1b2c3d 012345",
    `/codex Allow 0a1b2c3d ${sha}`,
    `/codex alow 0a1b2c3d ${sha}`,
    `/codex allows 0a1b2c3d ${sha}`,
    "/codex allow JOB SHA",
    "/codex allow <job> <sha>",
    `/codex allow 0a1b2c3d ${sha} ${sha}`,
    `/codex allow 0a1b2c3d ${sha} --force`,
    `/codex allow 0a1b2c3d ${sha} --base main`,
    `/codex allow 0a1b2c3d ${sha} please`,
    `/codex allow --all`,
    `/codex allow 01a206a0-fc7d-7137-8f6a-c4b10a1b2c3d ${sha}`,
  ])("is not %j, which gets a hint instead of work", (body) => {
    expect(parse(body)).toMatchObject({
      kind: "refused",
      problem: expect.stringContaining("/codex allow JOB SHA"),
    });
  });

  it.each([
    `/codex allow 0a1b2c3d ${sha}\n/codex allow 0a1b2c3e ${sha}`,
    `/codex tidy up\n\n/codex allow 0a1b2c3d ${sha}`,
    `/codex allow 0a1b2c3d ${sha}\nand then some`,
    `/codex allow 0a1b2c3d ${sha}\n\n- and this`,
    `/codex help\n\n/codex allow 0a1b2c3d ${sha}`,
    // What people see must be what is taken.
    `/codex allow 0a1b\u200B2c3d ${sha}`,
    `/codex allow \u202E0a1b2c3d ${sha}`,
  ])("stands alone, unlike in %j", (body) => {
    expect(parse(body)).toMatchObject({ kind: "refused" });
  });

  it.each([
    "/codex allow users to log in",
    "/codex allow 3 tries",
    "/codex allowlist the domains of ada",
    "/codex revert 0123456",
    "/codex follow the added facade",
  ])("is a task in %j", (body) => {
    expect(parse(body)).toMatchObject({ kind: "command" });
  });

  it.each([
    `> /codex allow 0a1b2c3d ${sha}`,
    `    /codex allow 0a1b2c3d ${sha}`,
    `<!-- \n/codex allow 0a1b2c3d ${sha}\n-->`,
  ])("is nothing in %j", (body) => {
    expect(parse(body)).toEqual({ kind: "not_for_us" });
  });
});
