import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { systemPrompt } from "../../src/agents/prompt.ts";
import { stripInvisible } from "../../src/core/redact.ts";
import { loadSkills } from "../../src/skills/load.ts";

const BUILT_IN = fileURLToPath(new URL("../../src/skills/", import.meta.url));
const { skills, problems } = await loadSkills(BUILT_IN);
const rules = systemPrompt({ skill: null, checks: ["npm test"], protectedPaths: [], network: [] });

/** Runs of eight words: whoever says the same in the same words says it twice. */
function phrases(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
  return new Set(words.slice(7).map((_, at) => words.slice(at, at + 8).join(" ")));
}

/** Whether two texts share a run of eight words, and which. */
function shared(one: string, other: string): string[] {
  const known = phrases(other);
  return [...phrases(one)].filter((phrase) => known.has(phrase));
}

describe("the skills that come with Draftsmith", () => {
  it("are these nine, and valid", () => {
    expect(problems).toEqual([]);
    expect(skills.map(({ name }) => name)).toEqual([
      "changelog",
      "ci-fix",
      "docs",
      "fix",
      "refactor",
      "review",
      "security-fix",
      "test",
      "upgrade-dependencies",
    ]);
  });

  it("cost little where all of them are listed", () => {
    const list = skills.map(({ name, description }) => `- ${name}: ${description}\n`).join("");
    // About 4 characters a token: below 400 tokens of every job's first request.
    expect(list.length).toBeLessThan(1_600);
    for (const { name, description } of skills) {
      expect(description.length, name).toBeLessThanOrEqual(160);
      expect(description, name).toMatch(/\. Use /);
    }
  });

  describe.each(skills.map((skill) => [skill.name, skill] as const))("%s", (name, { body }) => {
    it("is short, whole, and has nothing that people cannot see", async () => {
      const text = await readFile(path.join(BUILT_IN, name, "SKILL.md"), "utf8");
      const lines = text.split("\n");
      expect(lines.length).toBeLessThan(120);
      // What is read for a task is paid for in each of its steps.
      expect(text.length).toBeLessThan(6_500);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(170);
      expect(text).not.toMatch(/[^\S\n]$/m);
      expect(stripInvisible(text)).toBe(text);
      expect(text).not.toMatch(/https?:|TODO|FIXME/);
    });

    it("says what done means and what not to do", () => {
      expect(body).toMatch(/^## Done means$/m);
      expect(body).toMatch(/^## (Not this|If you find a bug)$/m);
      expect(body).toMatch(/\breport\b/);
    });

    it("repeats neither the rules of every job nor another skill", () => {
      expect(shared(body, rules)).toEqual([]);
      for (const other of skills.filter((each) => each.name !== name)) {
        expect(shared(body, other.body), other.name).toEqual([]);
      }
    });

    it("names no file of its own that is not there", async () => {
      const there = await readdir(path.join(BUILT_IN, name));
      for (const [, part] of body.matchAll(/`(scripts|references|assets)\//g)) {
        expect(there).toContain(part);
      }
    });
  });
});
