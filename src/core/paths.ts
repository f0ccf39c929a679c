import { foldCase, foldPath } from "./fold-path.ts";
import { globMatcher, globReach } from "./glob.ts";
import type { Violation } from "./job.ts";
import { NEVER, SHOWN_FIRST, type Topic } from "./path-classes.ts";
import type { ChangedFile } from "./ports.ts";
import type { RepoConfig } from "./repo-config.ts";

const GITLINK = "160000";
const LINK = "120000";
const EXECUTABLE = "100755";

/** A changed file that a pull request opens with. */
export interface ShownFile {
  file: ChangedFile;
  topic: Topic;
  /** Why it matters, each a clause. */
  why: string[];
}

/**
 * Sorts the files of a change into three classes: what may not leave without an admin's word, what the
 * pull request opens with, and the rest.
 *
 * Globs are written from the root; one without a slash matches at any depth (`*.pem`), and one that
 * names a folder covers what is in it. What guards and what shows is compared without regard to case
 * or to the spelling of a character; what allows and what frees, exactly. A link counts as the place
 * it leads to as well. `commands` are those of the configuration: what one of them names decides
 * whether a change passes.
 */
export function sortPaths(
  files: ChangedFile[],
  paths: RepoConfig["paths"],
  commands: readonly string[] = [],
): { violations: Violation[]; shown: ShownFile[] } {
  const guards = [...ALWAYS, ...paths.protected.map(configuredGuard)];
  const allowed = matcher(paths.allowed.map((glob) => glob.normalize("NFC")));
  const bounds = (paths.within ?? []).map((globs) => ({
    globs,
    matches: matcher(globs.map((glob) => glob.normalize("NFC"))),
  }));
  const outside = (path: string): string | null => {
    if (!allowed(path)) return "not among the allowed paths of .github/codex.yml";
    const bound = bounds.find(({ matches }) => !matches(path));
    if (bound === undefined) return null;
    return bound.globs.length === 0
      ? "the skill of this job has draftsmith-writes: none, so it changes nothing"
      : "not among the paths that the skill of this job names in draftsmith-writes";
  };
  const free = matcher(paths.free.map((glob) => glob.normalize("NFC")));
  const chosen = paths.shown_first.map((glob) => ({
    matches: globMatcher(foldCase(glob)),
    why: `shown first by ${JSON.stringify(glob)} in .github/codex.yml`,
  }));
  const run = new Map(
    commands.flatMap((command) => filesIn(command).map((name) => [name, command])),
  );
  const violations: Violation[] = [];
  const shown: ShownFile[] = [];
  for (const file of files) {
    const exact = file.path.normalize("NFC");
    const reason = guardReason(file, guards) ?? outside(exact);
    if (reason !== null) {
      violations.push({ kind: "path", path: file.path, reason });
      continue;
    }
    const folded = foldPath(file.path);
    const wish = chosen.find(({ matches }) => matches(folded));
    if (!wish && free(exact)) continue;
    const group = shownGroup(folded);
    const command = run.get(folded);
    const runs =
      command === undefined ? [] : `${JSON.stringify(command)} in .github/codex.yml names it`;
    const why = [group?.why ?? wish?.why ?? [], runs, modeReasons(file)].flat();
    if (why.length > 0) shown.push({ file, topic: group?.topic ?? "other", why });
  }
  return { violations, shown };
}

/** Words of a command that may be files. */
function filesIn(command: string): string[] {
  return command
    .split(/[\s"'`;&|()<>=]+/)
    .map((word) => foldPath(word.replace(/^(?:\.\/)+/, "")))
    .filter((word) => word !== "");
}

interface Guard {
  matches: (path: string) => boolean;
  /** Whether it covers something below a folder. */
  reaches: (folder: string) => boolean;
  reason: string;
}

const ALWAYS: Guard[] = NEVER.flatMap(({ globs, reason }) =>
  globs.map((glob) => {
    const always = guard(glob, reason);
    // What guards one file of a folder leaves the folder free: links to docs/ are common.
    return glob.endsWith("/**") ? always : { ...always, reaches: () => false };
  }),
);

function guard(glob: string, reason: string): Guard {
  const folded = foldCase(glob);
  return { matches: globMatcher(folded), reaches: globReach(folded), reason };
}

function configuredGuard(glob: string): Guard {
  return guard(glob, `protected by ${JSON.stringify(glob)} in .github/codex.yml`);
}

function matcher(globs: string[]): (path: string) => boolean {
  const matchers = globs.map(globMatcher);
  return (path) => matchers.some((matches) => matches(path));
}

function guardReason(file: ChangedFile, guards: Guard[]): string | null {
  if (file.newMode === GITLINK || file.oldMode === GITLINK) {
    return "a submodule (a repository inside the repository)";
  }
  const path = foldPath(file.path);
  const own = guards.find(({ matches }) => matches(path));
  if (own) return own.reason;
  if (file.status === "deleted") return null;
  const replaced = guards.find(({ reaches }) => reaches(path));
  if (replaced) return `it stands in place of a guarded folder: ${replaced.reason}`;
  if (file.newMode !== LINK) return null;
  const target = foldPath(file.leadsTo ?? "");
  const behind = guards.find(({ matches, reaches }) => matches(target) || reaches(target));
  return behind ? `a link to ${placeOf(file)}: ${behind.reason}` : null;
}

/** What a new mode means for whoever checks the change out. */
function modeReasons(file: ChangedFile): string[] {
  if (file.newMode === EXECUTABLE && file.oldMode !== EXECUTABLE) {
    return [file.status === "added" ? "a new executable file" : "it became executable"];
  }
  return file.newMode === LINK ? [`a symbolic link to ${placeOf(file)}`] : [];
}

function placeOf({ leadsTo }: ChangedFile): string {
  return leadsTo === "" ? "the root of the repository" : JSON.stringify(leadsTo);
}

type Group = (typeof SHOWN_FIRST)[number];

const BY_NAME = new Map<string, Group>(
  SHOWN_FIRST.toReversed().flatMap((group) =>
    group.names.split(" ").map((name): [string, Group] => [name, group]),
  ),
);
const BY_GLOB = SHOWN_FIRST.map((group) => ({ group, matches: matcher([...group.globs]) }));

/** The first group, in their order, that a folded path belongs to. */
function shownGroup(path: string): Group | undefined {
  const named = BY_NAME.get(path.slice(path.lastIndexOf("/") + 1));
  for (const { group, matches } of BY_GLOB) if (group === named || matches(path)) return group;
  return undefined;
}
