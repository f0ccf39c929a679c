import { describe, expect, test } from "vitest";
import { visibleMarkdown, visibleSource, visibleTitle } from "../../../src/core/visible/text.ts";

/** One letter of a word as a tag character, or one byte as a variation selector. */
const asTags = (text: string) =>
  [...text].map((sign) => String.fromCodePoint(0xe0000 + (sign.codePointAt(0) ?? 0))).join("");
const asSelectors = (text: string) =>
  [...text].map((sign) => String.fromCodePoint(0xe0100 + (sign.codePointAt(0) ?? 0))).join("");

/** Each holds PAYLOAD where a reader of the page does not see it, and "before" and "after" where one does. */
const HIDDEN: [string, string][] = [
  ["a comment", "before <!-- PAYLOAD --> after"],
  ["a comment over blocks", "before\n\n<!-- a\n\nPAYLOAD\n\n- b -->\n\nafter"],
  ["a comment in a comment", "before <!-- <!-- x --> <!-- PAYLOAD --> after"],
  ["a comment that HTML ends early", "before after\n\n<!--> PAYLOAD <!-- x -->"],
  ["the same inside a line", "before after <!--> PAYLOAD -->"],
  ["a comment with three dashes", "before after <!---> PAYLOAD -->"],
  ["a comment that ends in --!>", "before after\n\n<!-- a --!> PAYLOAD -->"],
  ["a comment that never ends", "before after\n\n<!-- PAYLOAD"],
  ["a comment inside a line that never ends", "before after <!-- PAYLOAD\n\nPAYLOAD"],
  ["a comment split by an invisible character", "before <\u200b!-\u2060- PAYLOAD --> after"],
  ["a comment in a quotation", "before\n\n> <!-- PAYLOAD -->\n\nafter"],
  ["a comment in a list item", "before\n\n- a <!--\n  PAYLOAD -->\n\nafter"],
  ["a comment in a table", "before\n\n| a |\n| - |\n| b <!-- PAYLOAD --> |\n\nafter"],
  ["a processing instruction", "before <?x PAYLOAD ?> after"],
  ["a declaration", "before <!X PAYLOAD> after"],
  ["a CDATA section", "before <![CDATA[ > PAYLOAD ]]> after"],
  ["an end tag that is none", "before after\n\n<div></ PAYLOAD></div>"],
  [
    "an attribute",
    "before <span title=\"PAYLOAD\" data-x=PAYLOAD aria-label='PAYLOAD'>after</span>",
  ],
  [
    "an attribute over lines",
    'before after\n\n<div title="\nPAYLOAD\n\nPAYLOAD\n\n">\n\nPAYLOAD</div>',
  ],
  ["a tag that never ends", 'before after\n\n<div title="PAYLOAD\n\nPAYLOAD'],
  ["an end tag with attributes", "before\n\n<div>after</b PAYLOAD></div>"],
  ["a name of a tag", "before <PAYLOAD-ignore-all-of-the-above> <PAYLOAD-x/> after </PAYLOAD>"],
  ["an image of HTML", 'before <img alt="PAYLOAD" title="PAYLOAD" src="PAYLOAD"> after'],
  ["the text of an image", 'before ![PAYLOAD *PAYLOAD*](u "PAYLOAD") after'],
  ["an image by reference", "before ![PAYLOAD][x] after\n\n[x]: PAYLOAD 'PAYLOAD'"],
  ["the title of a link", 'before [after](https://example.org "PAYLOAD")'],
  ["the title of a link over lines", "before [after](https://example.org 'a\nPAYLOAD')"],
  ["an unused definition", "before\n\n[//]: # (PAYLOAD)\n[x]: <PAYLOAD> 'PAYLOAD'\n\nafter"],
  ["the title of a used definition", "before [after][x]\n\n[x]: https://example.org\n  'PAYLOAD'"],
  ["a link without words", "before [](https://example.org/PAYLOAD) [\u200b](PAYLOAD) after"],
  ["a data URI", "before <data:text/plain,PAYLOAD> [after](data:text/plain,PAYLOAD) data:,PAYLOAD"],
  [
    "an address that GitHub shortens",
    "before https://github.com/a/b/issues/1?q=PAYLOAD#PAYLOAD after",
  ],
  ["a footnote nobody refers to", "before\n\n[^a]: PAYLOAD\nPAYLOAD\n\n    PAYLOAD\n\nafter"],
  ["a footnote right below a line", "before\n[^a]: PAYLOAD words\n\nafter"],
  [
    "a word behind a form feed",
    "before after\n\n``` js\fPAYLOAD\nx\n```\n\n~~~\u2028PAYLOAD\nx\n~~~",
  ],
  ["an attribute behind a form feed", 'before <b\ftitle="PAYLOAD\f PAYLOAD">after</b>'],
  ["a cell beyond a table ruled with a form feed", "before\n\n|after|\n|-|\f\n|b|PAYLOAD|"],
  [
    "a word behind a fence below an unseen sign",
    "before after\n\n\u200b<div>\n``` PAYLOAD\nx\n```",
  ],
  ["a title behind rare blanks", 'before after [x](u\v"PAYLOAD")\n\n[PAYLOAD]:\vu\f"PAYLOAD"'],
  ["a title behind what a terminal obeys", 'before \u001b[31mafter](u "PAYLOAD")'],
  [
    "an attribute around a line that only follows",
    'before after\n\n- x <img alt="PAYLOAD\n:-:\nPAYLOAD">',
  ],
  ["the same in a quotation", 'before after\n\n> x <img alt="PAYLOAD\n|-|\n> PAYLOAD">'],
  ["a cell of a table in two readings", "before after\n\n- a\n|-|\n      b\n  |-|\n  |c|PAYLOAD|"],
  ["a cell of a table that looks like a quotation", "before after\n\nx\n    >y|\n|-|\nb|PAYLOAD"],
  ["the title behind a mark of a footnote", 'before [^after](u "PAYLOAD")\n\n[^after]: x'],
  [
    "a declaration that is text to GitHub",
    "before after <!x ![> PAYLOAD](u) <!x `> ` ![PAYLOAD](u)",
  ],
  ["the same before a fence", "before after\n\n<!x\n~~~-> PAYLOAD\nx\n~~~"],
  ["a comment that only seems to end", "before after\n\n<div><!-- x\n\n- <!x --> PAYLOAD"],
  ["an attribute behind a name of signs", 'before after\n\n<p ="> <img alt="> PAYLOAD">'],
  ["the name of a footnote", "before[^PAYLOAD] after\n\n[^PAYLOAD]: x"],
  ["a word behind a code fence", "before\n\n```js PAYLOAD\nafter\n```\n\n~~~PAYLOAD\nx\n~~~"],
  ["a diagram", "before after\n\n```mermaid\n%% PAYLOAD\n```\n\n```math\n\\phantom{PAYLOAD}\n```"],
  ["a formula", "before $\\color{white}{PAYLOAD}$ $`\\phantom{PAYLOAD}`$ after"],
  ["a formula between prices", "before $5 then $\\phantom{PAYLOAD}$ after"],
  ["a comment in a formula", "before $$\nx % PAYLOAD\n$$ after"],
  ["a cell beyond the table", "before\n\n| a |\n| - |\n| b | PAYLOAD |\n\nafter"],
  ["a hidden element", "before <span hidden>PAYLOAD</span> after"],
  [
    "a hidden element over blocks",
    "before\n\n<div hidden>\n\nPAYLOAD `PAYLOAD`\n\n```\nPAYLOAD\n```\n\n</div>\n\nafter",
  ],
  ["a hidden element in a hidden one", "before <p hidden><p>a</p>PAYLOAD<p></p></p> after"],
  ["a style that hides", "before <span style='display:none'>PAYLOAD</span> after"],
  [
    "a style that hides in disguise",
    "before <b style=\"dis\\70lay:none\">PAYLOAD</b><i style='text-indent:-9999px'>PAYLOAD</i> after",
  ],
  ["a class that hides", 'before <span class="a sr-only">PAYLOAD</span> after'],
  ["white letters", "before <font color=white>PAYLOAD</font> after"],
  ["a template", "before <template>PAYLOAD</template> after"],
  [
    "a script and a style",
    "before after\n\n<script>\nPAYLOAD\n\nPAYLOAD\n</script>\n\n<style>PAYLOAD</style>",
  ],
  ["a picture", "before <picture><source srcset=PAYLOAD>PAYLOAD</picture> after"],
  ["a drawing", "before <svg><text>PAYLOAD</text><desc>PAYLOAD</desc></svg> after"],
  ["a form", "before <select><option>PAYLOAD</select> <input value=PAYLOAD> after"],
  [
    "what old browsers show",
    "before <ruby>x<rp>PAYLOAD</rp></ruby> <noscript>PAYLOAD</noscript> after",
  ],
  ["an unclosed element at a start of a line", "before after\n\n<template>\n\nPAYLOAD"],
  ["an unclosed hidden element", "before after <div hidden>PAYLOAD\n\nPAYLOAD"],
  [
    "a hidden element with an unclosed comment",
    "before after\n\n<div hidden><!-- </div>\n\nPAYLOAD\n\n</div>\n\nPAYLOAD",
  ],
  ["tag characters", `before${asTags("PAYLOAD")} after`],
  ["variation selectors", `before\u{1F600}${asSelectors("PAYLOAD")} after`],
  ["words cut by zero-width characters", "before after <!-\u200b- PAYLOAD -->"],
  // What cmark-gfm, which GitHub renders with, reads otherwise than other readers of Markdown do.
  ["a table of one column without bars", "before after\n\na\n:-:\nb | PAYLOAD"],
  ["a table whose row begins with another blank", "before after\n\n| a |\n|-|\n\u00a0| PAYLOAD"],
  ["an address that swallows a backtick", "before after http://a.b/`<!-- PAYLOAD -->` PAYLOAD"],
  ["the same without a scheme", "before after (www.a.b/`<!-- PAYLOAD -->`"],
  ["an address that swallows a backslash", "before after https://a.b/\\<!-- PAYLOAD -->"],
  ["a formula that swallows a backtick", "before after $\\a`$ x ` <!-- PAYLOAD --> `"],
  [
    "an indented definition below another",
    "before after\n\n[x]: u\n    [y]: PAYLOAD\n\t[z]: <PAYLOAD> 'PAYLOAD'",
  ],
  ["a table with a tag for a first row", "before after\n<b>\n|-|\nb | PAYLOAD"],
  ["a table with an indented first row", "before after\n    a\n|-|\nb | PAYLOAD"],
  [
    "a table with more cells than fit",
    `before after\n\n|${"a|".repeat(999)}\n|${"-|".repeat(999)}\n${"x\n".repeat(70)}${"|".repeat(1001)}PAYLOAD`,
  ],
  [
    "a definition with a lonely parenthesis",
    "before after\n\n[x]: u(PAYLOAD 'PAYLOAD'\n[y]:(PAYLOAD",
  ],
  ["the name of such a definition", "before [after][PAYLOAD]\n\n[PAYLOAD]: (u"],
  ["a link with a lonely parenthesis", "before ![PAYLOAD](u(PAYLOAD 'PAYLOAD') after"],
  ["a footnote in a list, followed on outside", "before after\n\n- [^a]: PAYLOAD\nPAYLOAD"],
  ["a footnote with what looks like a table", "before after\n\n[^a]: x\na | b\n-|-\nPAYLOAD | c"],
  ["a footnote whose name holds a bracket", "before after\n\n[^a[b]: PAYLOAD"],
  ["a mark of a footnote over two lines", "before [^a\nPAYLOAD] after"],
  ["a declaration behind one that never ends", "before <? <!X PAYLOAD> after"],
  ["a comment that leaves its quotation", "before after\n\n> <!--\n\nPAYLOAD --> PAYLOAD"],
  ["an attribute that leaves its block", "before after\n\n<div title='\n\nPAYLOAD <b>PAYLOAD</b>"],
  ["a tag inside a declaration", "before after <!X~<a href='> PAYLOAD '>"],
  ["a tag inside a comment with dashes", "before after <!-- -- <a href=' --> PAYLOAD '>"],
  ["an image inside a comment with dashes", "before after <!-- -- ![ --> PAYLOAD](x)"],
  ["a text field", "before after\n\n<textarea>\n\nPAYLOAD\n\n</textarea> `PAYLOAD`"],
  ["an element that is new", "before after\n\n<search\n`<!-- PAYLOAD -->`"],
  ["what hides behind two ends of a comment", 'before after\n\n<!-- a --!><p title=" -->PAYLOAD">'],
];

describe("what a page does not show is gone", () => {
  test.each(HIDDEN)("%s", (_name, source) => {
    for (const trusted of [true, false]) {
      const { text, what } = visibleMarkdown(source, { trusted });
      expect(text).not.toContain("PAYLOAD");
      expect(text).toContain("before");
      expect(text).toContain("after");
      expect(text).not.toMatch(/[\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}]/u);
      expect(what.length).toBeGreaterThan(0);
      expect(what.join()).not.toContain("PAYLOAD");
    }
  });

  test("what an outsider hides in a target or an open element goes; a trusted person's words stay", () => {
    const source =
      "see [the docs](https://example.org/PAYLOAD) on <template> and Map<String>\n\nnext";
    expect(visibleMarkdown(source, { trusted: false })).toEqual({
      text: "see the docs on\n\nnext",
      what: ["1 link target", "1 element that is not shown"],
    });
    expect(visibleMarkdown(source, { trusted: true })).toEqual({ text: source, what: [] });
  });

  test("entities of invisible characters, however often encoded", () => {
    const source =
      "a&#8203;b&#x200b;c&shy;d&ZeroWidthSpace;e&amp;#8203;f&amp;amp;#xE0041;g&zwj;h<i>i&#8203;j</i>";
    expect(visibleMarkdown(source, { trusted: false }).text).toBe("abcdefghij");
  });

  test("characters by kind and number", () => {
    const source =
      "a\u200b\u200bb\u202ec\u{E0041}d\ufe01e\u00adf\ue000g\u0378h\u2062i\u115fj\u0007k \u2764\ufe0f";
    expect(visibleMarkdown(source, { trusted: true })).toEqual({
      text: "abcdefghijk \u2764",
      what: [
        "1 tag character",
        "1 variation selector",
        "1 bidirectional control",
        "3 zero-width characters",
        "1 soft hyphen",
        "1 private-use character",
        "1 unassigned character",
        "1 other invisible character",
        "1 control character",
      ],
    });
  });

  test("blanks are all the same", () => {
    expect(visibleMarkdown("a\u2003b\u00a0\u2800c\u3000 d   e", { trusted: false }).text).toBe(
      "a b  c  d e",
    );
  });
});

describe("what a page shows stays", () => {
  const SHOWN = [
    "# Heading\n\ntext with *emphasis*, **weight**, ~~strike~~ and `code`\nnext line",
    "- a\n- b\n  - c\n\n    d\n- [ ] e\n- [x] f",
    "3. a\n4. b",
    "> quoted\n>\n> - list",
    "| a | b |\n| --- | --- |\n| 1 | 2 \\| 3 |",
    "```ts\nconst a = '<!-- shown -->';\n\n  indented(); // $\\phantom{x}$ &#8203;\n```",
    "````\n```\ninner\n```\n````",
    "`<!-- shown -->` and `` a`b `` and `<div hidden>`",
    "costs $5 and $10, 100% of $HOME, $x^2$",
    "see https://example.org/a?b=c#d and <me@example.org>".replace(
      "<me@example.org>",
      "me@example.org",
    ),
    "a \\<!-- shown --> b \\* c",
    "Grüße, 你好, שלום, café, 👍",
    "---",
    "[INFO]: server started up",
    "`http://a.b/c` and http://a.b/some\\_page and www.a.b",
    "$env:PATH\\bin and `code`, $x",
    "```html\n<textarea rows=3></textarea>\n<search>\n```\n\nand `<textarea>`",
    "a < b && c > d, x <- y, <3",
    "[not a footnote][^1] and [^a-z]+",
  ];

  test.each(SHOWN)("%j", (source) => {
    expect(visibleMarkdown(source, { trusted: true })).toEqual({ text: source, what: [] });
    expect(visibleMarkdown(source, { trusted: false }).what).toEqual([]);
  });

  test("what follows a comment of a template", () => {
    const source = "<!-- Thank you -- see <https://example.org> first -->\n\nIt fails.";
    expect(visibleMarkdown(source, { trusted: false }).text).toBe("It fails.");
  });

  test("bare tags in a trusted person's sentence are words", () => {
    for (const source of [
      "use <b> or <strong>, not <div>, <img> and <textarea>",
      "in <script> and <select> of Map<String, List<T>> at /users/<user-id>",
    ]) {
      expect(visibleMarkdown(source, { trusted: true })).toEqual({ text: source, what: [] });
    }
    expect(visibleMarkdown("<b>bold</b><br>next", { trusted: true }).text).toBe("bold\nnext");
  });

  test("HTML gives its words, folds are marked", () => {
    const source =
      "<details><summary>The <b>log</b></summary>\n\n```\nboom\n```\n\n</details>\n\n<p align=center>centred<br>lines &amp; more</p>";
    expect(visibleMarkdown(source, { trusted: true }).text).toBe(
      "[folded on the page]\nThe log\n\n```\nboom\n```\n\n[end of the fold]\n\ncentred\nlines & more",
    );
  });

  test("what was written for people to see is seen: entities and escapes", () => {
    const { text } = visibleMarkdown("&lt;!-- shown --&gt; and &amp;lt;", { trusted: true });
    expect(text).toBe("<!-- shown --> and &lt;");
  });

  test("what is seen twice is the same", () => {
    for (const source of SHOWN) {
      const once = visibleMarkdown(source, { trusted: false }).text;
      expect(visibleMarkdown(once, { trusted: false }).text).toBe(once);
    }
  });
});

test("a title is one line without comments and invisible characters", () => {
  expect(visibleTitle("Escape <b> in `x`\n<!-- PAYLOAD --> \u200bnow")).toEqual({
    text: "Escape <b> in `x` now",
    what: ["1 zero-width character", "1 HTML comment"],
  });
});

test("a file keeps everything but invisible characters", () => {
  expect(visibleSource("\ufeffa <!-- b -->\r\n\tc\u200b\ue000")).toEqual({
    text: "a <!-- b -->\n\tc",
    what: ["1 zero-width character", "1 private-use character"],
  });
});

test("what no host would send is cut, and says so", () => {
  const { text, what } = visibleMarkdown("a ".repeat(60_000), { trusted: false });
  expect(text).toHaveLength(99_999);
  expect(what).toEqual(["20000 cut-off characters"]);
});

test("a megabyte of anything costs less than a second of the processor", {
  timeout: 60_000,
}, () => {
  const SEEDS = [
    ..."[!<>&*_`~$\\|#-=\u200b\ufe0f",
    ..."<!--,<!-->,<a ,<b>,</b>,<div hidden>,![,](,[a](,*a _b ,- a\n,&amp;#8203;,<?a>,<![CDATA[,[a]: b\n,[^a]: b\n\n".split(
      ",",
    ),
    ...'$\\a,$\\a$,<a b=",<details>,x <svg> ,data:a/b,,<p style="a:,```\n,# ,|a|b\n,> ,http://a/b/c/issues/1?x '.split(
      ",",
    ),
  ];
  for (const seed of SEEDS.filter(Boolean)) {
    for (const before of ["", "<div>\n", "x "]) {
      const source = before + seed.repeat(1_000_000 / seed.length);
      // Not the time of the clock, which other processes take, too.
      const from = process.cpuUsage();
      visibleMarkdown(source, { trusted: false });
      visibleTitle(source);
      visibleSource(source);
      const { user, system } = process.cpuUsage(from);
      expect((user + system) / 1000, JSON.stringify(before + seed)).toBeLessThan(1000);
    }
  }
});
