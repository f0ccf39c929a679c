import { expect, test } from "vitest";
import { repoConfigSchema } from "../../src/core/repo-config.ts";
import { NO_MANIFEST } from "../../src/core/skill-manifest.ts";
import { firstSkill } from "../../src/jobs/take-up-skill.ts";
import type { SourcedSkill } from "../../src/skills/catalogue.ts";
import { aCommand, aJob } from "../support/store-rows.ts";

const skill = (name: string, more: Partial<SourcedSkill> = {}): SourcedSkill => ({
  ...{ name, description: "d", body: "b", metadata: {}, allowedTools: [], stripped: [] },
  ...{ path: name, source: "repository", commit: "c".repeat(40), instead: [] },
  manifest: NO_MANIFEST,
  bundle: () => Promise.reject(new Error("nobody reads it here")),
  ...more,
});
const wide = skill("deploy", {
  manifest: { ...NO_MANIFEST, network: ["cloud.example.org"], scripts: ["scripts/go.sh"] },
});
const problem = {
  path: ".agents/skills/broken/SKILL.md",
  line: 3,
  message: "description is missing or empty; say what the skill does and when to use it",
};
const picky = skill("picky", { manifest: { ...NO_MANIFEST, models: ["gpt-5*", "coder"] } });
const catalogue = { skills: [wide, skill("notes"), picky], problems: [problem], commits: [] };
const first = (given: Parameters<typeof aJob>[2]) =>
  firstSkill(aJob("j1", aCommand("c1"), { skill: null, ...given }), catalogue);

test("a repository's skill is found by the first word, whatever its case", () => {
  expect(first({ task: "Notes for 2.4" })).toMatchObject({ kind: "chosen", by: "first_word" });
  expect(first({ task: "write notes" })).toEqual({ kind: "open" });
  expect(first({ task: "notes for 2.4", skillBy: "none" })).toEqual({ kind: "open" });
});

test("what was asked for by name and cannot be is told with what to do", () => {
  expect(first({ task: "x", skill: "nots", skillBy: "flag" })).toEqual({
    kind: "refused",
    reason: "there is no skill `nots`; did you mean `notes`?",
  });
  expect(first({ task: "x", skill: "broken", skillBy: "flag" })).toEqual({
    kind: "refused",
    reason: expect.stringMatching(
      /^the skill `broken` cannot be used: `\.agents\/skills\/broken\/SKILL\.md:3` desc/,
    ),
  });
});

test("a skill that wants more than the repository allows is refused by name, each want with its remedy", () => {
  const config = repoConfigSchema.parse({ skills: { scripts: false } });
  const told = first({ task: "deploy it", config });
  expect(told).toMatchObject({ kind: "refused" });
  const reason = told.kind === "refused" ? told.reason : "";
  expect(reason).toMatch(/^the skill `deploy` wants more .*`cloud\.example\.org`.*`network`/);
  expect(reason).toMatch(/`scripts\/go\.sh`.*scripts: false.*--skill none/);
  const open = repoConfigSchema.parse({ network: ["*.example.org"] });
  expect(first({ task: "deploy it", config: open })).toMatchObject({ kind: "chosen" });
});

test("a skill that is written for some models is taken up while the route begins with one of them or falls back to it", () => {
  const route = (...models: [string, ...string[]]) => {
    const [head, ...fallback] = models.map((model) => ({ model, effort: null }));
    if (head === undefined) throw new Error("no model");
    const escalation = { afterFailedChecks: 1, to: { model: "coder", effort: null } };
    const choices: [typeof head, ...(typeof head)[]] = [head, ...fallback];
    return { model: head.model, route: { rule: "rule 1", why: "so", choices, escalation } };
  };
  const told = (...models: [string, ...string[]]) =>
    first({ task: "x", skill: "picky", skillBy: "flag", ...route(...models) });
  expect(told("gpt-5.1", "large")).toMatchObject({ kind: "chosen" });
  expect(told("large", "gpt-5.1")).toMatchObject({ kind: "chosen" });
  expect(told("large")).toEqual({
    kind: "refused",
    reason: expect.stringMatching(
      /^the skill `picky` .*written for `gpt-5\*`, `coder`.*has the model `large`; name/,
    ),
  });
  expect(told("large", "small")).toMatchObject({
    reason: expect.stringContaining("has the models `large`, `small`; name"),
  });
  expect(first({ task: "x", skill: "picky", skillBy: "flag", model: "coder" })).toMatchObject({
    kind: "chosen",
  });
});
