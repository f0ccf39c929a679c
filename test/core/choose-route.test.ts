import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  type Choosers,
  chooseRoute,
  pathsIn,
  type RouteFacts,
} from "../../src/core/choose-route.ts";
import { routeText } from "../../src/core/messages/route.ts";
import type { ModelProfile } from "../../src/core/model-profile.ts";
import { parseOperatorConfig } from "../../src/core/operator-config.ts";
import {
  completeRepoConfig,
  parseRepoConfig,
  type RepoConfig,
} from "../../src/core/repo-config.ts";
import type { Resolved } from "../../src/core/resolve-model.ts";
import { NO_MANIFEST } from "../../src/core/skill-manifest.ts";

const MODELS = ["small", "usual", "strong", "other"];

const PROFILE: ModelProfile = {
  name: "",
  provider: "p",
  id: "",
  contextWindow: 1,
  maxOutput: 1,
  price: "unpriced",
  editTool: "edit",
  efforts: [],
};

function resolve(name: string): Resolved {
  if (!MODELS.includes(name)) return { ok: false, problem: `there is no model ${name}` };
  const efforts = name === "other" ? [] : ["low", "high"];
  return { ok: true, profile: { ...PROFILE, name, id: name, efforts } };
}

const FACTS: RouteFacts = {
  skill: null,
  verb: "task",
  labels: [],
  paths: [],
  characters: 100,
  author: "ada",
};

function configOf(text: string): RepoConfig {
  const read = parseRepoConfig(text, null);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

function choose(
  yaml: string,
  facts: Partial<RouteFacts> = {},
  more: { flags?: Choosers["flags"]; operator?: string } = {},
) {
  const choosers: Choosers = {
    flags: more.flags ?? {},
    repository: configOf(yaml),
    operator: {
      routes: configOf(more.operator ?? "").routes,
      usual: { model: "usual", effort: null },
    },
  };
  const chosen = chooseRoute({ ...FACTS, ...facts }, choosers, resolve);
  return chosen.ok ? { ...chosen.route, profile: chosen.profile.name } : chosen.problem;
}

/** A rule of one condition that chooses `small`. */
const rule = (match: string) => `routes: [{match: {${match}}, use: {model: small}}]`;

describe("which rule chooses", () => {
  it.each<[string, string, Partial<RouteFacts>, string]>([
    ["skill: docs", "its skill", { skill: "docs" }, "skill is docs"],
    ["skill: [fix, docs]", "one of its skills", { skill: "docs" }, "skill is docs"],
    ["skill: none", "no skill", {}, "there is no skill"],
    ["verb: follow_up", "what it is", { verb: "follow_up" }, "it follows up on a pull request"],
    ["labels: Easy", "a label in any case", { labels: ["bug", "easy"] }, "the label is Easy"],
    ["paths: 'docs/**'", "a path", { paths: ["src/a.ts", "docs/b.md"] }, "a path matches docs/**"],
    ["longer_than: 99", "its length", {}, "the task has more than 99 characters"],
    ["shorter_than: 101", "its shortness", {}, "the task has fewer than 101 characters"],
    ["author: Ada", "who asked", {}, "Ada asked"],
    ["", "everything", {}, "it holds for every task"],
    [
      "skill: docs, shorter_than: 400",
      "all of its conditions",
      { skill: "docs" },
      "skill is docs and the task has fewer than 400 characters",
    ],
  ])("{%s} matches by %s", (match, _what, facts, why) => {
    expect(choose(rule(match), facts)).toMatchObject({
      rule: "rule 1",
      why,
      choices: [{ model: "small", effort: null }],
      profile: "small",
    });
  });

  it.each<[string, Partial<RouteFacts>]>([
    ["skill: docs", {}],
    ["skill: docs", { skill: "fix" }],
    ["skill: none", { skill: "fix" }],
    ["verb: [follow_up, continue]", {}],
    ["labels: easy", { labels: ["easy-ish"] }],
    ["paths: 'docs/**'", { paths: ["src/docs/a.ts"] }],
    ["longer_than: 100", {}],
    ["shorter_than: 100", {}],
    ["author: ad", {}],
    ["skill: docs, author: eve", { skill: "docs" }],
  ])("{%s} does not match %j", (match, facts) => {
    expect(choose(rule(match), facts)).toMatchObject({ rule: "default" });
  });

  it("is the first that matches, of the repository before the operator's, then the model, then the default", () => {
    const two = `routes:
  - {match: {skill: docs}, use: {model: small}}
  - {name: big ones, match: {longer_than: 50}, use: {model: strong, effort: high}}
model: other`;
    const operator = "routes: [{match: {author: ada}, use: {model: small, effort: low}}]";
    expect(choose(two, { skill: "docs" }, { operator })).toMatchObject({ rule: "rule 1" });
    expect(choose(two, {}, { operator })).toMatchObject({
      rule: "rule 2 (big ones)",
      choices: [{ model: "strong", effort: "high" }],
    });
    expect(choose(two, { characters: 9 }, { operator })).toMatchObject({
      rule: "server rule 1",
      why: "ada asked",
      choices: [{ model: "small", effort: "low" }],
    });
    expect(choose(two, { characters: 9 })).toMatchObject({
      rule: "model",
      choices: [{ model: "other", effort: null }],
    });
    expect(choose("effort: low")).toMatchObject({
      rule: "default",
      choices: [{ model: "usual", effort: "low" }],
    });
  });

  it("is beaten by --model, whatever stands in the files, and adjusted by --effort", () => {
    const yaml = "routes: [{use: {model: small, fallback: [other]}}]\nmodel: other\neffort: low";
    expect(choose(yaml, {}, { flags: { model: "strong" } })).toMatchObject({
      rule: "--model",
      choices: [{ model: "strong", effort: null }],
      escalation: null,
    });
    const choices = [
      { model: "small", effort: "high" },
      { model: "other", effort: null },
    ];
    expect(choose(yaml, {}, { flags: { effort: "high" } })).toMatchObject({
      rule: "rule 1",
      why: "it holds for every task; --effort asked for high",
      choices,
    });
  });
});

describe("what a rule brings", () => {
  const yaml = `routes:
  - use:
      model: small
      fallback: [other, {model: usual, effort: low}]
    escalate: {after_failed_checks: 1, model: strong, effort: high}`;

  it("are its model, those that take over, and who mends", () => {
    expect(choose(yaml)).toEqual({
      rule: "rule 1",
      why: "it holds for every task",
      choices: [
        { model: "small", effort: null },
        { model: "other", effort: null },
        { model: "usual", effort: "low" },
      ],
      escalation: { afterFailedChecks: 1, to: { model: "strong", effort: "high" } },
      profile: "small",
    });
  });

  it("is told in one line, in which nothing of a rule is Markdown", () => {
    const route = choose(yaml.replace("- use", "- name: '<b>@ada</b> [x](y)'\n    use"));
    if (typeof route === "string") throw new Error(route);
    expect(routeText(route)).toMatchInlineSnapshot(
      `"\`small\` by rule 1 (\\<b>\`@ada\`\\</b> \\[x\\](y)), because it holds for every task; else \`other\`, \`usual\` (low effort); \`strong\` (high effort) after 1 failed round of checks"`,
    );
  });

  it("is told without the models that a skill of the job is not written for", () => {
    const route = choose(yaml);
    if (typeof route === "string") throw new Error(route);
    const skill = { name: "tidy", manifest: { ...NO_MANIFEST, models: ["us*", "other"] } };
    expect(routeText(route, [skill])).toMatchInlineSnapshot(
      `"\`other\` by rule 1, because it holds for every task; else \`usual\` (low effort); \`small\` left out, as the skill \`tidy\` is not written for it; \`strong\` left out, as the skill \`tidy\` is not written for it"`,
    );
  });

  it.each<[string, Choosers["flags"], RegExp]>([
    ["routes: [{use: {model: huge}}]", {}, /^there is no model huge \(chosen by rule 1\)$/],
    ["routes: [{use: {model: small, fallback: [huge]}}]", {}, /no model huge/],
    ["routes: [{use: {model: small}, escalate: {model: huge}}]", {}, /no model huge/],
    [
      "routes: [{use: {model: small, effort: wild}}]",
      {},
      /`small` does not take the effort `wild`; it takes `low`, `high`/,
    ],
    ["routes: [{use: {model: other, effort: low}}]", {}, /it takes none; leave the effort out/],
    ["", { model: "huge" }, /no model huge \(chosen by --model\)/],
    ["", { effort: "wild" }, /`usual` does not take the effort `wild`/],
  ])("is refused by name: %s %j", (text, flags, problem) => {
    expect(choose(text, {}, { flags })).toMatch(problem);
  });
});

it("the example in docs/models.md says what it would", () => {
  const docs = readFileSync(new URL("../../docs/models.md", import.meta.url), "utf8");
  const blocks = [...docs.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = ""]) => yaml);
  const operator = parseOperatorConfig(blocks[0] ?? "");
  if (!operator.ok) throw new Error(JSON.stringify(operator.problems));
  const { models, routes } = operator.config;
  const choosers: Choosers = {
    flags: {},
    repository: configOf(blocks[1] ?? ""),
    operator: { routes, usual: { model: "gpt-5-mini", effort: null } },
  };
  const offered = (name: string): Resolved =>
    models?.some((model) => model.name === name)
      ? { ok: true, profile: { ...PROFILE, name, efforts: ["high"] } }
      : { ok: false, problem: `there is no model ${name}` };
  for (const [task, skill] of [
    ["round refunds in src/payments/refund.ts half up", null],
    ["rename the helper", null],
    ["docs explain refunds in the README", "docs"],
  ] as const) {
    const facts = { ...FACTS, skill, paths: pathsIn(task), characters: task.length };
    const chosen = chooseRoute(facts, choosers, offered);
    expect(docs).toContain(`/codex ${task}`);
    expect(docs).toContain(`> ${chosen.ok ? routeText(chosen.route) : chosen.problem}\n`);
  }
});

describe("rules in .github/codex.yml", () => {
  const problems = (text: string) => {
    const read = parseRepoConfig(text, null);
    return read.ok ? [] : read.problems.map(({ line, message }) => `${line}: ${message}`);
  };

  it("say on which line what is wrong, all at once", () => {
    expect(
      problems(`effort: very high
routes:
  - use: {modle: small}
  - match: {skil: docs, paths: [a//b], verb: fly}
    use: {model: small, fallback: [7]}
    escalate: {after_failed_checks: 0, model: x}
  - match: {longer_than: -1}
budget: {job: 0, command: .nan, day: .inf, month: 1e99, week: 3}`),
    ).toMatchInlineSnapshot(`
      [
        "1: \`effort\` must be one of the model's reasoning efforts, such as \`low\` or \`high\`",
        "3: \`use.model\` in entry 1 of \`routes\` is missing; fill it in",
        "3: unknown key \`modle\` in \`use\` in entry 1 of \`routes\`; did you mean \`model\`?",
        "4: \`match.verb\` in entry 2 of \`routes\` must be \`task\`, \`follow_up\`, \`continue\`, \`ask\`, \`plan\` or a list of them",
        "4: \`match.paths\` in entry 2 of \`routes\` \`a//b\` matches nothing: a path has no empty names, no \`.\` and no \`..\`; write it from the root",
        "4: unknown key \`skil\` in \`match\` in entry 2 of \`routes\`; did you mean \`skill\`?",
        "5: entry 1 of \`use.fallback\` in entry 2 of \`routes\` must be the name of a model, or \`model:\` with \`effort:\`",
        "6: \`escalate.after_failed_checks\` in entry 2 of \`routes\` must be at least 1, not 0; raise it",
        "7: \`match.longer_than\` in entry 3 of \`routes\` must be at least 1, not -1; raise it",
        "7: \`use\` in entry 3 of \`routes\` is missing; fill it in",
        "8: \`budget.job\` must be at least 0.01, not 0; raise it",
        "8: \`budget.command\` must be a number, not NaN; write an ordinary number, such as 2.5",
        "8: \`budget.day\` must be a number, not Infinity; write an ordinary number, such as 2.5",
        "8: \`budget.month\` must be at most 10,000, not 1e+99; lower it",
        "8: unknown key \`week\` in \`budget\`; known here: \`job\`, \`command\`, \`day\`, \`month\`",
      ]
    `);
  });

  it("escalate no later than checks can fail, as nobody would see it happen", () => {
    const text = "routes: [{use: {model: a}, escalate: {after_failed_checks: 3, model: b}}]\n";
    const read = parseRepoConfig(text, null);
    expect(read.ok ? [] : read.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("at most 2"),
    ]);
  });

  it("are none in a configuration that an earlier version stored", () => {
    const { routes: _routes, budget: _budget, ...stored } = configOf("model: small");
    expect(completeRepoConfig(stored as RepoConfig)).toMatchObject({
      model: "small",
      routes: [],
      budget: {},
    });
  });
});

it.each<[string, string[]]>([
  ["refactor src/auth/login.ts and ./docs/a.md", ["src/auth/login.ts", "docs/a.md"]],
  ["see `package.json`, README.md.", ["package.json", "README.md"]],
  ["look at https://example.com/a/b.ts first", []],
  ["bump to 1.2.3, e.g. now; and/or later", ["and/or"]],
  ["tidy up", []],
  ["src/", []],
  ["(lib/a.ts:12) and @scope/pkg", ["lib/a.ts", "@scope/pkg"]],
])("the paths in %j", (text, paths) => {
  expect(pathsIn(text)).toEqual(paths);
});

// Each has 300,000 characters: who reads them again from every place in them is not done in minutes.
it.each([
  ["a/", 299_999],
  ["a.", 0],
  ["@", 0],
  ["../", 0],
  ["a//", 0],
  ["-a-", 0],
  ["./a ", 0],
  ["a/b.", 299_999],
])(
  "the paths in a text of many %j are found in one reading",
  { timeout: 20_000 },
  (sign, length) => {
    const text = sign.repeat(Math.ceil(300_000 / sign.length)).slice(0, 300_000);
    expect(pathsIn(text).map((each) => each.length)).toEqual(length === 0 ? [] : [length]);
  },
);
