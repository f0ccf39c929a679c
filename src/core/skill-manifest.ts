import { domainProblem, isWithin, plainDomain } from "./domains.ts";
import { globMatcher, globProblem } from "./glob.ts";
import { codeSpan } from "./markdown.ts";
import { dollars } from "./money.ts";
import type { RepoConfig } from "./repo-config.ts";
import type { SkillManifest, SkillPin } from "./skill.ts";

const PREFIX = "draftsmith-";
const MAX_ENTRIES = 50;
const MAX_CHECKS = 20;
const MAX_COMMAND = 4000;
const LIMITS = ["minutes", "steps", "tokens", "budget"] as const;
const KEYS = ["network", "scripts", "writes", "models", "checks", ...LIMITS];

/** A manifest of a skill that has none: nothing is claimed and nothing narrowed. */
export const NO_MANIFEST: SkillManifest = {
  network: [],
  scripts: "all",
  writes: null,
  models: null,
  checks: [],
  limits: {},
};

/** What is wrong with a manifest: the key of the metadata, and what to do. */
export interface ManifestProblem {
  key: string;
  message: string;
}

/**
 * Reads the capability manifest among the metadata of a skill: the keys that begin with `draftsmith-`.
 * A mistake in it is a problem, for what a skill says of itself must not be guessed.
 */
export function readManifest(metadata: Record<string, unknown>): {
  manifest: SkillManifest;
  problems: ManifestProblem[];
} {
  const problems: ManifestProblem[] = [];
  const manifest: SkillManifest = { ...NO_MANIFEST, limits: {} };
  for (const [key, value] of Object.entries(metadata)) {
    if (!key.startsWith(PREFIX)) continue;
    const name = key.slice(PREFIX.length);
    const wrong = (message: string) => problems.push({ key, message });
    const listed = Array.isArray(value) ? value.map(scalar) : null;
    const text = listed === null ? scalar(value) : listed.join("\n");
    if (text === null || !isWhole(listed)) {
      wrong("must be a text, or a list of texts");
      continue;
    }
    // What is written as a list has its entries; a text is taken apart.
    const entries = listed ?? listOf(text);
    if (entries.length > MAX_ENTRIES) {
      wrong(`names more than ${MAX_ENTRIES}; name fewer`);
      continue;
    }
    const limit = LIMITS.find((each) => each === name);
    if (limit === "budget") {
      const amount = dollars(text);
      if (amount.ok) manifest.limits.budget = amount.microDollars / 1e6;
      else wrong(`${codeSpan(text)} ${amount.problem}`);
    } else if (limit !== undefined) {
      const value = Number(text);
      const whole = limit === "minutes" || Number.isSafeInteger(value);
      if (/^\d+(\.\d+)?$/.test(text.trim()) && value > 0 && value < 1e9 && whole) {
        manifest.limits[limit] = value;
      } else wrong(`must be a number above 0, such as "10"`);
    } else if (name === "network") {
      manifest.network = isNone(text) ? [] : entries.map(plainDomain);
      for (const domain of manifest.network) {
        const problem = domainProblem(domain);
        if (problem !== null) wrong(`${codeSpan(domain)} ${problem}`);
      }
    } else if (name === "scripts") {
      manifest.scripts = isNone(text) ? "none" : isAll(text) ? "all" : entries.map(plainPath);
    } else if (name === "writes") {
      if (entries.length === 0)
        wrong("names no path; leave it out, or write none, or paths such as docs/**");
      manifest.writes = isNone(text) ? [] : entries;
      for (const glob of manifest.writes) {
        const problem = globProblem(glob);
        if (problem !== null) wrong(`${codeSpan(glob)} ${problem}`);
      }
    } else if (name === "models") {
      manifest.models = isAll(text) || entries.length === 0 ? null : entries;
    } else if (name === "checks") {
      manifest.checks = isNone(text) ? [] : (listed ?? commandsOf(text));
      if (manifest.checks.length > MAX_CHECKS) wrong(`names more than ${MAX_CHECKS}; name fewer`);
      if (manifest.checks.some((command) => command.length > MAX_COMMAND || command.includes("\0")))
        wrong(`holds a command of more than ${MAX_COMMAND} characters; put it into a script`);
    } else {
      wrong(`is no key of the manifest; there are ${KEYS.map((each) => PREFIX + each).join(", ")}`);
    }
  }
  return { manifest, problems };
}

/**
 * What a skill wants beyond what a repository allows: clauses that name it, each with its remedy.
 * Empty when the job may take it up. Of `jobModels` one that it is written for is enough.
 */
export function excessOf(
  manifest: SkillManifest,
  config: RepoConfig,
  jobModels: readonly string[],
): string[] {
  const { network, scripts, writes, models, checks } = manifest;
  const excess: string[] = [];
  for (const domain of network) {
    if (config.network.some((allowed) => isWithin(domain, plainDomain(allowed)))) continue;
    excess.push(
      `it wants to reach ${codeSpan(domain)}, which the repository does not allow; add it to \`network\` in \`.github/codex.yml\``,
    );
  }
  if (Array.isArray(scripts) && scripts.length > 0 && !config.skills.scripts) {
    excess.push(
      `it wants to run ${scripts.map(codeSpan).join(", ")}, and \`skills: { scripts: false }\` in \`.github/codex.yml\` lets no skill run its scripts; remove that key, or the scripts`,
    );
  }
  const bounds = [config.paths.allowed, ...(config.paths.within ?? [])];
  for (const glob of writes ?? []) {
    const start = fixedStart(glob);
    const within = (outer: string) =>
      outer === "**" || outer === glob || (start !== "" && globMatcher(outer)(start));
    if (bounds.some((globs) => globs.length === 0)) {
      excess.push(
        `it wants to change ${codeSpan(glob)}, and another skill of this job has \`draftsmith-writes: none\`; give it a job of its own`,
      );
    } else if (!bounds.every((globs) => globs.some(within))) {
      excess.push(
        `it wants to change ${codeSpan(glob)}, which \`paths.allowed\` in \`.github/codex.yml\` or another skill of this job does not cover; add it there, or name less in \`draftsmith-writes\``,
      );
    } else if (config.paths.protected.some((each) => each !== "**" && within(each))) {
      excess.push(
        `it wants to change ${codeSpan(glob)}, which \`paths.protected\` in \`.github/codex.yml\` closes; take it out there, or out of \`draftsmith-writes\``,
      );
    }
  }
  if (models !== null && !jobModels.some((model) => isWrittenFor(manifest, model))) {
    const has = `the model${jobModels.length === 1 ? "" : "s"} ${jobModels.map(codeSpan).join(", ")}`;
    excess.push(
      `it is written for ${models.map(codeSpan).join(", ")}, and this job has ${has}; name one of them with \`--model\`, or \`model\` in \`.github/codex.yml\``,
    );
  }
  const all = new Set([...config.checks, ...checks]);
  if (all.size > MAX_CHECKS) {
    excess.push(
      `with its checks the job would have ${all.size}, more than ${MAX_CHECKS}; join some of them in one script`,
    );
  }
  return excess;
}

/** The name of a skill that a job took up and that is not written for a model; null when there is none. */
export function skillAgainst(
  pins: readonly Pick<SkillPin, "name" | "manifest">[],
  model: string,
): string | null {
  return pins.find(({ manifest }) => !isWrittenFor(manifest, model))?.name ?? null;
}

/** A repository's configuration for a job that took up skills: their checks added, the stricter bound of each. */
export function narrowed(config: RepoConfig, manifests: readonly SkillManifest[]): RepoConfig {
  let now = config;
  for (const { checks, limits, writes } of manifests) {
    const { minutes, steps, tokens } = now.limits;
    now = {
      ...now,
      checks: [...new Set([...now.checks, ...checks])],
      limits: {
        ...now.limits,
        minutes: Math.min(minutes, limits.minutes ?? minutes),
        steps: Math.min(steps, limits.steps ?? steps),
        tokens: Math.min(tokens, limits.tokens ?? tokens),
      },
      ...(limits.budget !== undefined && {
        budget: { ...now.budget, job: Math.min(limits.budget, now.budget.job ?? limits.budget) },
      }),
      // Besides what the repository allows, never in its place: no spelling of a glob can widen it.
      paths:
        writes === null
          ? now.paths
          : { ...now.paths, within: [...(now.paths.within ?? []), writes] },
    };
  }
  return now;
}

/**
 * Commands: one a line, or with a comma and a blank between them where there is one line only. A comma that
 * belongs to a command has no blank behind it, or stands in quotes.
 */
function commandsOf(text: string): string[] {
  const lines = text.trim().split("\n");
  const parts = lines.length > 1 ? lines : unquotedParts(text);
  return [...new Set(parts.map((part) => part.trim()).filter((part) => part !== ""))];
}

function unquotedParts(text: string): string[] {
  const parts = [""];
  for (const [token] of text.matchAll(/'[^']*'|"(?:[^"\\]|\\.)*"|\\.|,\s+(?=[\w./~])|[\s\S]/g)) {
    if (/^,\s/.test(token)) parts.push("");
    else parts.push(`${parts.pop() ?? ""}${token}`);
  }
  return parts;
}

/** Entries with commas or blanks between them; a comma in braces belongs to its glob. */
function listOf(text: string): string[] {
  return text.split(/[\s,]+(?![^{}]*\})/).filter((entry) => entry !== "");
}

/** A YAML number or truth stands for its text; null for what is no single value. */
function scalar(value: unknown): string | null {
  if (typeof value === "string") return value.trim();
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

function isWhole(listed: (string | null)[] | null): listed is string[] | null {
  return listed === null || listed.every((each) => each !== null && each !== "");
}

function isNone(text: string): boolean {
  return /^\s*(none|no|false)?\s*$/i.test(text);
}

function isAll(text: string): boolean {
  return /^\s*(all|any|yes|true|\*)\s*$/i.test(text);
}

function plainPath(path: string): string {
  return path.replace(/^(\.\/)+/, "");
}

function isWrittenFor({ models }: SkillManifest, model: string): boolean {
  return (models ?? [model]).some((pattern) =>
    pattern.endsWith("*") ? model.startsWith(pattern.slice(0, -1)) : pattern === model,
  );
}

/** The names of a glob before the first that is not fixed: everything it matches lies below. */
function fixedStart(glob: string): string {
  const names = glob.replace(/^\.?\/+|\/+$/g, "").split("/");
  // Without a slash within it a glob matches at any depth.
  if (names.length === 1)
    return glob.startsWith("/") && isFixed(names[0] ?? "") ? (names[0] ?? "") : "";
  const end = names.findIndex((name) => !isFixed(name));
  return names.slice(0, end === -1 ? undefined : end).join("/");
}

function isFixed(name: string): boolean {
  return !/[*?[\]{}\\]/.test(name);
}
