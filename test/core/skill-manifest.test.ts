import { describe, expect, it } from "vitest";
import { repoConfigSchema } from "../../src/core/repo-config.ts";
import { excessOf, narrowed, readManifest } from "../../src/core/skill-manifest.ts";

const config = (given: object = {}) => repoConfigSchema.parse(given);
const read = (metadata: Record<string, string>) =>
  readManifest(
    Object.fromEntries(Object.entries(metadata).map(([key, text]) => [`draftsmith-${key}`, text])),
  );
const excess = (metadata: Record<string, string>, given: object = {}, model = "gpt-5.1") => {
  const { manifest, problems } = read(metadata);
  expect(problems).toEqual([]);
  return excessOf(manifest, config(given), [model]);
};

describe("the manifest of a skill", () => {
  it("wants nothing by itself", () => {
    expect(readManifest({ author: "me", version: "1.0" }).problems).toEqual([]);
    expect(excess({})).toEqual([]);
    const before = config({ checks: ["npm test"] });
    expect(narrowed(before, [read({}).manifest])).toEqual(before);
  });

  it("is read from texts with commas, blanks or lines", () => {
    expect(
      read({
        network: "A.example.org, *.example.com",
        scripts: "./scripts/a.py scripts/b.sh",
        writes: "docs/** README.md *.{md,txt}",
        checks: "npm run lint, npm test",
        minutes: "2.5",
        steps: "10",
        models: "gpt-5* claude-fable-5",
      }).manifest,
    ).toEqual({
      network: ["a.example.org", "*.example.com"],
      scripts: ["scripts/a.py", "scripts/b.sh"],
      writes: ["docs/**", "README.md", "*.{md,txt}"],
      checks: ["npm run lint", "npm test"],
      limits: { minutes: 2.5, steps: 10 },
      models: ["gpt-5*", "claude-fable-5"],
    });
  });

  it.each<[string, string[]]>([
    ["a, b\nc", ["a, b", "c"]],
    ["npx eslint --ext .ts,.tsx src", ["npx eslint --ext .ts,.tsx src"]],
    ["npm test -- -g 'one, two', ./check.sh", ["npm test -- -g 'one, two'", "./check.sh"]],
    ['sh -c "a, \\" b", c', ['sh -c "a, \\" b"', "c"]],
    ["it's one, really two", ["it's one", "really two"]],
    ["none", []],
  ])("has the commands of %j", (checks, commands) => {
    expect(read({ checks })).toMatchObject({ manifest: { checks: commands }, problems: [] });
  });

  it.each<[string, RegExp]>([
    ["0.0000001", /has more than 6 decimals/],
    ["0", /would allow nothing/],
    ["-1", /is no amount of dollars/],
    ["1e3", /is no amount of dollars/],
    ["2000000", /write at most 1000000/],
  ])("has no budget of %s", (budget, remedy) => {
    const { manifest, problems } = read({ budget });
    expect(problems).toEqual([
      { key: "draftsmith-budget", message: expect.stringMatching(remedy) },
    ]);
    expect(manifest.limits.budget).toBeUndefined();
  });

  it.each<[string, number]>([
    ["0.000001", 0.000001],
    ["$2.50", 2.5],
  ])("has a budget of %s", (budget, limit) => {
    expect(read({ budget })).toMatchObject({
      manifest: { limits: { budget: limit } },
      problems: [],
    });
  });

  it("is read from lists as from texts", () => {
    const { manifest, problems } = readManifest({
      "draftsmith-checks": ["true", "echo one, two"],
      "draftsmith-writes": ["docs/**", "CHANGELOG.md"],
      "draftsmith-models": ["gpt-5.1"],
      "draftsmith-minutes": 10,
      "draftsmith-scripts": false,
    });
    expect(problems).toEqual([]);
    expect(manifest).toMatchObject({
      checks: ["true", "echo one, two"],
      writes: ["docs/**", "CHANGELOG.md"],
      models: ["gpt-5.1"],
      limits: { minutes: 10 },
      scripts: "none",
    });
    for (const wrong of [{ a: 1 }, [["x"]], [{ a: 1 }], [""], null]) {
      expect(readManifest({ "draftsmith-writes": wrong }).problems).toHaveLength(1);
    }
  });

  it.each([
    [["docs/**"], "docs/"],
    [["docs/**"], "./docs/"],
    [["*/*"], "b/"],
  ])("cannot widen %j by %j", (allowed, writes) => {
    expect(excess({ writes }, { paths: { allowed } })).toHaveLength(1);
  });

  it("that writes nothing is taken wherever something may be written, and leaves nothing", () => {
    const { manifest, problems } = read({ writes: "none" });
    expect(problems).toEqual([]);
    const before = config({ paths: { allowed: ["src/**"], protected: ["none"] } });
    expect(excessOf(manifest, before, ["gpt-5.1"])).toEqual([]);
    const after = narrowed(before, [manifest, read({}).manifest]);
    expect(after.paths.within).toEqual([[]]);
    // A second skill opens nothing that the first closed.
    expect(excessOf(read({ writes: "src/**" }).manifest, after, ["gpt-5.1"])).toEqual([
      expect.stringMatching(/`src\/\*\*`.*another skill of this job has `draftsmith-writes: none`/),
    ]);
  });

  it.each([
    ["minutes", "0"],
    ["minutes", "NaN"],
    ["steps", "1e99"],
    ["steps", "-1"],
    ["tokens", "1.5"],
    ["network", "http://a.example.org"],
    ["network", "*.com"],
    ["writes", "../etc"],
    ["writes", " "],
    ["netwrok", "a.example.org"],
  ])("says what is wrong with %s: %s", (key, text) => {
    expect(read({ [key]: text }).problems).toMatchObject([{ key: `draftsmith-${key}` }]);
  });

  it("is refused by name where it exceeds the repository's configuration, with the remedy", () => {
    expect(excess({ network: "a.example.org" })).toEqual([
      expect.stringMatching(/reach `a\.example\.org`.*add it to `network`/),
    ]);
    expect(excess({ network: "a.example.org" }, { network: ["*.example.org"] })).toEqual([]);
    expect(excess({ scripts: "scripts/x.sh" })).toEqual([]);
    expect(excess({ scripts: "scripts/x.sh" }, { skills: { scripts: false } })).toHaveLength(1);
    expect(excess({ models: "o3 gpt-4*" })).toEqual([expect.stringMatching(/--model/)]);
    expect(excess({ models: "gpt-5*" })).toEqual([]);
    const checks = Array.from({ length: 20 }, (_, at) => `check ${at}`);
    expect(excess({ checks: "one more" }, { checks })).toHaveLength(1);
    expect(excess({ checks: "check 3" }, { checks })).toEqual([]);
  });

  it.each<[string, object, number]>([
    ["docs/**", {}, 0],
    ["**", {}, 0],
    ["docs/**", { allowed: ["docs/**"] }, 0],
    ["docs/api/*.md", { allowed: ["docs/**"] }, 0],
    ["/README.md", { allowed: ["/README.md"] }, 0],
    ["src/**", { allowed: ["docs/**"] }, 1],
    ["**/*.md", { allowed: ["docs/**"] }, 1],
    ["*.md", { allowed: ["docs/**"] }, 1],
    ["docs*/x", { allowed: ["docs/**"] }, 1],
    ["**", { allowed: ["docs/**"] }, 1],
    ["infra/x/**", { protected: ["infra/**"] }, 1],
    ["**", { protected: ["infra/**"] }, 0],
  ])("may write %s where paths are %j: %i refusals", (writes, paths, refusals) => {
    expect(excess({ writes }, { paths })).toHaveLength(refusals);
  });

  it("only ever makes a job stricter", () => {
    const before = config({ checks: ["npm test"], limits: { minutes: 10, steps: 50 } });
    const limits = { minutes: "60", steps: "5", budget: "0.5" };
    const { manifest } = read({ checks: "npm test, npm run lint", ...limits });
    const after = narrowed(before, [manifest, manifest]);
    expect(after.checks).toEqual(["npm test", "npm run lint"]);
    expect(after.limits).toMatchObject({ minutes: 10, steps: 5, tokens: before.limits.tokens });
    expect(after.budget.job).toBe(0.5);
    const docs = read({ writes: "docs/**" }).manifest;
    const { paths } = narrowed(config({ paths: { allowed: ["src/**"] } }), [docs]);
    expect(paths).toMatchObject({ allowed: ["src/**"], within: [["docs/**"]] });
  });
});
