import path from "node:path";
import type { ChangedObject } from "./changed-files.ts";
import type { Links } from "./links.ts";

const MB = 1024 * 1024;
/** Bytes of all new objects together, compressed. */
export const MAX_PACK_BYTES = 50 * MB;
const MAX_CHANGED_FILES = 10_000;
/** GitHub takes no larger file. */
const MAX_FILE_BYTES = 100 * MB;
/** Zeros compress a thousandfold: what a clone would unpack counts, too. */
const MAX_TOTAL_BYTES = 500 * MB;
const MAX_NAMED = 5;

/** What the gates need to know about a taken tree. */
export interface Examined {
  files: ChangedObject[];
  /** Bytes of each changed file, by object id. */
  sizes: Map<string, number>;
  links: Links;
}

/** Why a change may not be taken, in words the agent can act on; null when it may. */
export function refusal({ files, sizes, links }: Examined): string | null {
  // First, because to look at each takes time.
  if (files.length > MAX_CHANGED_FILES) return tooMany(files);
  const kept = files.filter((file) => file.status !== "deleted");
  const submodules = kept.filter((file) => file.newMode === "160000");
  if (submodules.length > 0) {
    return `Submodules and nested repositories cannot be added or changed: ${names(submodules)}. Remove the .git inside a directory whose files you want to keep.`;
  }
  const odd = kept.filter((file) => file.path.split("/").some(foldsToGit));
  if (odd.length > 0)
    return `A name that some systems take for .git cannot be kept: ${names(odd)}.`;
  const leaving = kept.filter(
    (file) =>
      file.newMode === "120000" &&
      (file.leadsTo === null || leavesTree(file.path, links.get(file.path) ?? "/")),
  );
  if (leaving.length > 0) {
    return `Symbolic links must be relative and stay inside the repository, with ".." only at the start and without circles: ${names(leaving)}.`;
  }
  const toGit = kept.filter((file) =>
    [links.get(file.path), file.leadsTo].some((way) => way?.split("/").some(foldsToGit)),
  );
  if (toGit.length > 0) return `A link into .git cannot be kept: ${names(toGit)}.`;
  const large = kept.filter((file) => (sizes.get(file.newId) ?? 0) > MAX_FILE_BYTES);
  if (large.length > 0) return `GitHub takes no file larger than 100 MB: ${names(large)}.`;
  const total = kept.reduce((sum, file) => sum + (sizes.get(file.newId) ?? 0), 0);
  return total > MAX_TOTAL_BYTES ? TOO_LARGE : null;
}

/** Why a change that is too large cannot be taken. */
export const TOO_LARGE =
  "The new and changed files are larger than 50 MB together (or 500 MB before compression). Remove generated files, or list them in .gitignore.";

function tooMany(files: ChangedObject[]): string {
  const counts = new Map<string, number>();
  for (const file of files) {
    const top = file.path.includes("/") ? `${file.path.split("/")[0]}/` : "the top directory";
    counts.set(top, (counts.get(top) ?? 0) + 1);
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  const where = most ? ` ${most[1].toLocaleString("en")} of them are in ${most[0]}.` : "";
  return `${files.length.toLocaleString("en")} files changed; at most ${MAX_CHANGED_FILES.toLocaleString("en")} may.${where} Remove generated files, or list them in .gitignore.`;
}

/** Names as JSON, so that a line end or an escape in one shows as what it is. */
function names(files: ChangedObject[]): string {
  const shown = files.slice(0, MAX_NAMED).map((file) => JSON.stringify(file.path));
  const more = files.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/**
 * Whether a link leads out. Its own directory is real, so leading ".." are what they seem; a later one
 * could climb out of wherever another link led, so it counts as leaving.
 */
function leavesTree(file: string, target: string): boolean {
  if (target === "" || path.posix.isAbsolute(target) || target.includes("\0")) return true;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const firstName = parts.findIndex((part) => part !== "..");
  const climbs = firstName === -1 ? parts.length : firstName;
  if (parts.lastIndexOf("..") >= climbs && climbs < parts.length) return true;
  return climbs > file.split("/").length - 1;
}

/** As git does for HFS+ and NTFS: what is ignored there is taken away before comparing. */
function foldsToGit(component: string): boolean {
  const folded = component
    .replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "")
    .toLowerCase()
    .replace(/:.*$/s, "")
    .replace(/(?<![ .])[ .]+$/, "");
  return folded === ".git" || folded === "git~1";
}
