import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { operatorConfigJsonSchema } from "../../src/core/operator-config.ts";
import { parseRepoConfig, repoConfigJsonSchema } from "../../src/core/repo-config.ts";

const DEFAULTS = {
  enabled: true,
  context: { outsiders: false },
  on: { label: "codex", assigned: true },
  setup: [],
  checks: [],
  network: [],
  limits: {
    tasks: 8,
    steps: 60,
    minutes: 30,
    tokens: 2_000_000,
    check_minutes: 10,
    files: 200,
    lines: 20_000,
    kilobytes: 4096,
    binary_kilobytes: 1024,
  },
  paths: { allowed: ["**"], protected: [], shown_first: [], free: [] },
  routes: [],
  budget: {},
  skills: { scripts: true },
};

/** "line: message" of each problem. */
function problems(text: string): string[] {
  const read = parseRepoConfig(text, null);
  return read.ok ? [] : read.problems.map(({ line, message }) => `${line}: ${message}`);
}

describe("a configuration that is read", () => {
  it.each<[string, string, object]>([
    ["an empty file", "", {}],
    ["only comments", "# nothing yet\n\n", {}],
    ["an empty document", "---\n", {}],
    ["keys without a value", "checks:\nlimits:\n  steps:\npaths:\n", {}],
    ["a byte order mark and CRLF", "\uFEFFchecks:\r\n  - npm test\r\n", { checks: ["npm test"] }],
    [
      "a script of several lines",
      "checks:\n  - |\n    npm ci\n    npm test\n",
      { checks: ["npm ci\nnpm test"] },
    ],
    [
      "the flow style",
      'network: [packages.example.org, "*.example.com"]',
      { network: ["packages.example.org", "*.example.com"] },
    ],
    [
      "domains in any spelling",
      "network: [Packages.Example.ORG.]",
      { network: ["packages.example.org"] },
    ],
    ["some of a group", "limits: { steps: 10 }", { limits: { ...DEFAULTS.limits, steps: 10 } }],
    ["words that older YAML took for truth", "checks: [yes, 'no']", { checks: ["yes", "no"] }],
    [
      "everything",
      "setup: [npm ci]\nmodel: openai/gpt-5\nbase: release/2.x\npaths:\n  allowed: ['src/**']\n  protected: [package.json]",
      {
        setup: ["npm ci"],
        model: "openai/gpt-5",
        base: "release/2.x",
        paths: { ...DEFAULTS.paths, allowed: ["src/**"], protected: ["package.json"] },
      },
    ],
  ])("%s", (_name, text, config) => {
    expect(parseRepoConfig(text, null)).toEqual({ ok: true, config: { ...DEFAULTS, ...config } });
  });
});

describe("a mistake is told with its line and remedy", () => {
  it.each<[string, string, string[]]>([
    [
      "a mistyped key",
      "setup: []\nchekcs:\n  - npm test",
      ["2: unknown key `chekcs`; did you mean `checks`?"],
    ],
    [
      "an unknown key",
      "billing: 5",
      [
        "1: unknown key `billing`; known here: `enabled`, `context`, `on`, `setup`, `checks`, `network`, `model`, `effort`, `routes`, `budget`, `base`, `limits`, `paths`, `skills`",
      ],
    ],
    [
      "a mistyped key in a group",
      "limits:\n  steps: 5\n  minute: 3",
      ["3: unknown key `minute` in `limits`; did you mean `minutes`?"],
    ],
    [
      "text for a list",
      "\n\nchecks: npm test",
      ["3: `checks` must be a list, not text; write each entry on a line of its own behind `- `"],
    ],
    [
      "a colon in a command",
      "checks:\n  - npm test\n  - echo: hi",
      ["3: entry 2 of `checks` must be text, not a group of keys; put it in quotes"],
    ],
    [
      "a truth for a command",
      "checks:\n  - true",
      ["2: entry 1 of `checks` must be text, not true or false; put it in quotes"],
    ],
    [
      "an empty entry",
      "checks:\n  - npm test\n  -",
      ["3: entry 2 of `checks` must be text, not empty; fill it in or remove it"],
    ],
    ["a list for a group", "limits:\n  - 3", ["1: `limits` must be a group of keys, not a list"]],
    [
      "text for a number",
      "limits:\n  minutes: 30m",
      ["2: `limits.minutes` must be a number, not text; write it without quotes and units"],
    ],
    ["half a step", "limits:\n  steps: 1.5", ["2: `limits.steps` must be a whole number, not 1.5"]],
    [
      "too many steps",
      "limits:\n  steps: 900",
      ["2: `limits.steps` must be at most 500, not 900; lower it"],
    ],
    [
      "no time",
      "limits:\n  minutes: 0",
      ["2: `limits.minutes` must be more than 0, not 0; raise it"],
    ],
    [
      "nothing allowed",
      "paths:\n  allowed: []",
      ["2: `paths.allowed` must have at least 1 entry; add one or remove the key"],
    ],
    [
      "an empty command",
      "checks: ['  ']",
      ["1: entry 1 of `checks` must not be empty; fill it in or remove it"],
    ],
    [
      "a URL for a domain",
      "network:\n  - https://x.example/",
      [
        "2: entry 1 of `network` must be a domain such as packages.example.org or *.example.com, without scheme, port or path",
      ],
    ],
    [
      "all of a top-level domain",
      "network: ['*.com']",
      [
        "1: entry 1 of `network` is too wide: anybody can get a name below com; name the hosts that are needed",
      ],
    ],
    [
      "a branch that is an option",
      "base: --upload-pack=x",
      ["1: `base` must be the name of a branch"],
    ],
    [
      "a model of several words",
      "model: the best one",
      ["1: `model` must be the name of a model: printable ASCII without spaces"],
    ],
    [
      "a negated glob",
      "paths:\n  protected: ['!src']",
      ["2: entry 1 of `paths.protected` cannot be negated; name what is meant instead"],
    ],
    [
      "a glob of a billion",
      `paths: { protected: ['${"{a,b}".repeat(30)}'] }`,
      [
        "1: entry 1 of `paths.protected` has more than 256 alternatives in braces; write several globs",
      ],
    ],
    [
      "text where a list is wanted, once",
      "routes:\n  - use: {model: gpt-5, fallback: gpt-5-mini}",
      [
        "2: `use.fallback` in entry 1 of `routes` must be a list, not text; write each entry on a line of its own behind `- `",
      ],
    ],
    [
      "an empty name, once",
      "model: ''\nbase: ''\npaths: {allowed: ['']}",
      [
        "1: `model` must not be empty; fill it in or remove it",
        "2: `base` must not be empty; fill it in or remove it",
        "3: entry 1 of `paths.allowed` must not be empty; fill it in or remove it",
      ],
    ],
    [
      "names that are too long, once",
      `model: ${"x".repeat(201)}\nbase: ${"x".repeat(201)}`,
      [
        "1: `model` must have at most 200 characters; shorten it",
        "2: `base` must have at most 200 characters; shorten it",
      ],
    ],
    [
      "a number below all whole ones, once",
      "limits: {steps: -1e30}",
      ["1: `limits.steps` must be at least 1, not -1e+30; raise it"],
    ],
    [
      "two globs of one list, each",
      "routes: [{match: {paths: ['!a', b//c]}, use: {model: a}}]",
      [
        "1: `match.paths` in entry 1 of `routes` `!a` cannot be negated; name what is meant instead",
        "1: `match.paths` in entry 1 of `routes` `b//c` matches nothing: a path has no empty names, no `.` and no `..`; write it from the root",
      ],
    ],
    [
      "several mistakes, in the order of the file",
      "limits:\n  steps: 0\n  x: 1\nchecks: 5",
      [
        "2: `limits.steps` must be at least 1, not 0; raise it",
        "3: unknown key `x` in `limits`; known here: `tasks`, `steps`, `minutes`, `tokens`, `check_minutes`, `files`, `lines`, `kilobytes`, `binary_kilobytes`",
        "4: `checks` must be a list, not a number; write each entry on a line of its own behind `- `",
      ],
    ],
    [
      "a key twice",
      "checks: []\nsetup: []\nchecks: [x]",
      ["3: the key `checks` stands there twice; keep one"],
    ],
    [
      "a list for a file",
      "- npm test",
      ["1: the file must hold keys and their values (`key: value`)"],
    ],
    ["text for a file", "npm test", ["1: the file must hold keys and their values (`key: value`)"]],
    [
      "a tab",
      "limits:\n\tsteps: 3",
      ["2: not valid YAML: a tab is used as indentation; use spaces"],
    ],
    [
      "several documents",
      "checks: []\n---\nsetup: []",
      ["2: the file holds several documents; remove the line `---` between them"],
    ],
    ["an anchor", "checks: &a\n  - x", ["2: anchors (`&name`) are not supported; remove it"]],
    [
      "an alias",
      "checks:\n  - &a x\nsetup:\n  - *a",
      [
        "2: anchors (`&name`) are not supported; remove it",
        "4: aliases (`*name`) are not supported; write the value out",
      ],
    ],
    ["a key that is a list", "? [a, b]\n: 1", ["1: a key must be plain text"]],
    [
      "a merge of keys",
      "limits:\n  <<: { steps: 3 }",
      [
        "2: unknown key `<<` in `limits`; known here: `tasks`, `steps`, `minutes`, `tokens`, `check_minutes`, `files`, `lines`, `kilobytes`, `binary_kilobytes`",
      ],
    ],
    [
      "the prototype of objects",
      "__proto__: { checks: [x] }",
      [
        "1: unknown key `__proto__`; known here: `enabled`, `context`, `on`, `setup`, `checks`, `network`, `model`, `effort`, `routes`, `budget`, `base`, `limits`, `paths`, `skills`",
      ],
    ],
    [
      "the prototype in a group",
      "limits: { constructor: 1 }",
      [
        "1: unknown key `constructor` in `limits`; known here: `tasks`, `steps`, `minutes`, `tokens`, `check_minutes`, `files`, `lines`, `kilobytes`, `binary_kilobytes`",
      ],
    ],
  ])("%s", (_name, text, told) => {
    expect(problems(text)).toEqual(told);
  });

  it.each<[string, string, RegExp]>([
    ["a quote that does not end", 'checks:\n  - "npm test', /^2: not valid YAML: .*quote/],
    ["a bracket that does not end", "checks: [npm test\n", /^\d: not valid YAML: /],
    ["a tag of another language", "checks: !!js/function x", /^1: not valid YAML: Unresolved tag/],
    [
      "a list of pairs",
      "limits: !!omap [steps: 3]",
      /^1: this is no plain YAML value; remove its tag/,
    ],
    ["bytes", "model: !!binary aGk=", /^1: this is no plain YAML value; remove its tag/],
    ["too many brackets", `a: ${"[".repeat(5000)}`, /^1: nested too deeply/],
    [
      "another word for true",
      "enabled: yes",
      /^1: `enabled` must be true or false, not text; write `true`/,
    ],
    ["a fraction", "limits: {steps: 1.5}", /^1: `limits.steps` must be a whole number, not 1.5$/],
    [
      "no number",
      "limits: {minutes: .nan}",
      /^1: `limits.minutes` must be a number, not NaN; write an ordinary number, such as 2.5$/,
    ],
    [
      "a huge number",
      "limits: {steps: 1e99}",
      /^1: `limits.steps` must be at most 500, not 1e\+99; lower it$/,
    ],
    [
      "a key with something unseen in it",
      "ena\u200bbled: true",
      /^1: unknown key `ena\\u\{200b\}bled`/,
    ],
    ["a command with a NUL", 'checks: ["a\\0b"]', /^1: entry 1 of `checks` must not hold a NUL/],
    [
      "a path that is none",
      "paths: {protected: [infra//x]}",
      /^1: entry 1 of `paths.protected` matches nothing: /,
    ],
    [
      "a path that leads out",
      "paths: {protected: [../infra]}",
      /^1: entry 1 of `paths.protected` matches nothing: /,
    ],
    ["wrong indentation", "limits:\n   steps: 3\n  tasks: 1", /^3: not valid YAML: /],
  ])("%s", (_name, text, told) => {
    expect(problems(text)[0]).toMatch(told);
  });

  it("never mentions anyone, whatever the file holds", () => {
    for (const text of [
      "@org/team: 1",
      "checks: !<@org/team> x",
      "a: 'b' @org/team",
      "'<!-- @org/team': 1",
    ]) {
      const told = problems(text).join("\n");
      expect(told).not.toBe("");
      expect(told.replace(/`[^`]*`/g, "")).not.toContain("@org");
    }
  });

  it("shows twenty problems and counts the others", () => {
    const told = problems(Array.from({ length: 50 }, (_, i) => `key${i}: 1`).join("\n"));
    expect(told).toHaveLength(21);
    expect(told.at(-1)).toBe("21: and 30 more problems from here on");
  });
});

describe("a hostile file is refused in short time", () => {
  const fill = (text: string) => text.repeat(Math.ceil(65_536 / text.length)).slice(0, 65_536);
  it.each<[string, string]>([
    ["more than 64 kB", `${fill("# x\n")}#`],
    ["a billion laughs", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]"],
    ["deep lists", fill("[")],
    ["deep groups", fill("{")],
    ["deep keys", fill("? ")],
    ["deep blocks", fill("- ")],
    [
      "deep nesting that is valid",
      Array.from({ length: 60 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    ],
    ["many keys", Array.from({ length: 6000 }, (_, i) => `k${i}: 1`).join("\n")],
    ["anchors", fill("&a ")],
    ["anchors that are valid", `checks:\n${fill("- &a x\n").slice(10)}`],
    ["quotes", fill('"')],
  ])("%s", { timeout: 10_000 }, (_name, text) => {
    expect(problems(text).length).toBeGreaterThan(0);
    expect(problems(text).length).toBeLessThan(30);
  });
});

describe("this repository's own configuration", () => {
  it("is read, with its rules and budget", () => {
    const own = readFileSync(new URL("../../.github/codex.yml", import.meta.url), "utf8");
    expect(parseRepoConfig(own, null)).toMatchObject({
      ok: true,
      config: { routes: [{}, {}, {}], budget: { job: 1.5 } },
    });
  });
});

describe("docs/draftsmith.schema.json", () => {
  it("is what the server reads by; if not, run npm run schema", () => {
    const file = new URL("../../docs/draftsmith.schema.json", import.meta.url);
    expect(readFileSync(file, "utf8")).toBe(operatorConfigJsonSchema());
  });
});

describe("docs/codex.schema.json", () => {
  it("is what the server reads by; if not, run npm run schema", () => {
    const committed = readFileSync(
      new URL("../../docs/codex.schema.json", import.meta.url),
      "utf8",
    );
    expect(committed).toBe(repoConfigJsonSchema());
  });
});
