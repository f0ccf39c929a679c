import { z } from "zod";
import { quoted } from "./quoted.ts";

/** Sections of a manifest that say what is run and what is installed, with what to call one entry. */
const SECTIONS = new Map<string, Record<string, string>>(
  Object.entries({
    "package.json": {
      scripts: "script",
      gitHooks: "git hook",
      "simple-git-hooks": "git hook",
      "lint-staged": "command on commit for",
      dependencies: "dependency",
      optionalDependencies: "optional dependency",
      peerDependencies: "peer dependency",
      devDependencies: "development dependency",
      overrides: "override of",
      resolutions: "override of",
      bin: "command",
    },
    "composer.json": {
      scripts: "script",
      require: "dependency",
      "require-dev": "development dependency",
      repositories: "source of packages",
    },
    "deno.json": { tasks: "task", imports: "import" },
  }),
);

/** Scripts that a package manager runs by itself when the package, or what needs it, is installed. */
const BY_THEMSELVES =
  /^(?:(?:pre|post)?(?:install|prepare|publish|pack|version)|prepublishOnly|dependencies|(?:pre|post)-(?:install|update|autoload-dump|package-install)-cmd|post-(?:root|create)[a-z-]*)$/;

const record = z.record(z.string(), z.unknown());

/** Whether the sections of a manifest of this name are known. */
export function isJsonManifest(name: string): boolean {
  return SECTIONS.has(name);
}

/**
 * What a change of a JSON manifest adds, changes and removes, by name and version, the most serious
 * first. Null when one of the two versions is no JSON object.
 */
export function manifestChanges(
  name: string,
  before: string | null,
  after: string | null,
): string[] | null {
  const [old, young] = [read(before), read(after)];
  if (old === null || young === null) return null;
  const sections = SECTIONS.get(name) ?? {};
  const serious: string[] = [];
  const changes: string[] = [];
  for (const [section, noun] of Object.entries(sections)) {
    for (const [entry, from, to] of differences(
      entriesOf(old, section),
      entriesOf(young, section),
    )) {
      const itself = section === "scripts" && to !== undefined && BY_THEMSELVES.test(entry);
      const change = tell(`the ${noun} ${quoted(entry)}`, from, to);
      if (itself) serious.push(`${change}, which runs by itself when the package is installed`);
      else changes.push(change);
    }
  }
  const known = new Set(Object.keys(sections));
  for (const [key, from, to] of differences(old, young)) {
    if (!known.has(key)) changes.push(tell(quoted(key), from, to));
  }
  return [...serious, ...changes];
}

function tell(what: string, from: string | undefined, to: string | undefined): string {
  if (to === undefined) return `removes ${what}`;
  if (from === undefined) return `adds ${what}: ${quoted(to)}`;
  return `changes ${what} from ${quoted(from)} to ${quoted(to)}`;
}

/** A manifest that is not there has nothing in it; null for one that cannot be read. */
function read(text: string | null): Map<string, unknown> | null {
  if (text === null) return new Map();
  try {
    const parsed = record.safeParse(JSON.parse(text.replace(/^\uFEFF/, "")));
    return parsed.success ? new Map(Object.entries(parsed.data)) : null;
  } catch {
    return null;
  }
}

function entriesOf(manifest: Map<string, unknown>, section: string): Map<string, unknown> {
  const parsed = record.safeParse(manifest.get(section));
  if (parsed.success) return new Map(Object.entries(parsed.data));
  const whole = manifest.get(section);
  // Such as "bin": "cli.js", or a list.
  return whole === undefined ? new Map() : new Map([[section, whole]]);
}

/** Entries that differ, with both values as text; undefined where there is none. */
function differences(
  before: Map<string, unknown>,
  after: Map<string, unknown>,
): [string, string | undefined, string | undefined][] {
  return [...new Set([...after.keys(), ...before.keys()])].flatMap((key) => {
    const [from, to] = [textOf(before.get(key)), textOf(after.get(key))];
    return from === to ? [] : [[key, from, to]];
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : JSON.stringify(value);
}
