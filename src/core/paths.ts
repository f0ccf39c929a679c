import { globMatcher } from "./glob.ts";
import type { ChangedFile } from "./ports.ts";
import type { RepoConfig } from "./repo-config.ts";

const GITLINK = "160000";

/** What no job may change, whatever is configured. */
const NEVER = [
  {
    glob: ".github/workflows/**",
    reason: "workflows run with the repository's secrets, so no job may change them",
  },
  {
    glob: ".github/codex.yml",
    reason: "this file sets the limits of the jobs, so no job may change it",
  },
];

/** A folder of the paths above that became a file or a link would move them elsewhere. */
const FOLDERS = [".github", ".github/workflows"];

/**
 * Paths of a change that may not be published, each with the reason for a person and the agent.
 *
 * Globs are written from the root; one without a slash matches at any depth (`*.pem`), and one that
 * names a folder covers what is in it. Protected paths are compared without regard to case or to the
 * spelling of a character, allowed ones exactly.
 */
export function pathViolations(
  files: ChangedFile[],
  paths: RepoConfig["paths"],
): { path: string; reason: string }[] {
  const fixed = NEVER.map(({ glob, reason }) => ({ matches: globMatcher(foldCase(glob)), reason }));
  const guarded = paths.protected.map((glob) => ({
    matches: globMatcher(foldCase(glob)),
    reason: `protected by ${JSON.stringify(glob)} in .github/codex.yml`,
  }));
  const allowed = paths.allowed.map((glob) => globMatcher(glob.normalize("NFC")));
  return files.flatMap((file) => {
    const reason = judge(file, [...fixed, ...guarded], allowed);
    return reason === null ? [] : [{ path: file.path, reason }];
  });
}

type Matcher = (path: string) => boolean;

function judge(
  file: ChangedFile,
  guarded: { matches: Matcher; reason: string }[],
  allowed: Matcher[],
): string | null {
  if (file.newMode === GITLINK || file.oldMode === GITLINK) {
    return "a submodule (a repository inside the repository), which no job may add, move or remove";
  }
  const path = folded(file.path);
  if (FOLDERS.includes(path) && file.status !== "deleted") {
    return "this folder holds workflows, so no job may replace it";
  }
  const guard = guarded.find(({ matches }) => matches(path));
  if (guard) return guard.reason;
  if (allowed.some((matches) => matches(file.path.normalize("NFC")))) return null;
  return "not among the allowed paths of .github/codex.yml";
}

/** A path as the least careful file system sees it: no case, no ignorable characters, no dots and spaces at the end of a name. */
function folded(path: string): string {
  return foldCase(path.replace(/\p{Default_Ignorable_Code_Point}/gu, ""))
    .replaceAll("\\", "/")
    .split("/")
    .map((name) => name.replace(/[. ]+$/, "") || name)
    .join("/");
}

/** Upper case first: it joins spellings that lower case alone keeps apart, such as "ſ" and "s". */
function foldCase(text: string): string {
  return text.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}
