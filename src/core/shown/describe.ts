import type { Caution } from "../job.ts";
import { count } from "../messages/words.ts";
import { addedLines, type FilePatch } from "../patch.ts";
import type { ShownFile } from "../paths.ts";
import { isJsonManifest, manifestChanges } from "./json-manifest.ts";
import { lockChanges } from "./lock-file.ts";
import { quoted } from "./quoted.ts";

/** Bytes of a file above which only its changed lines are told. */
export const MAX_READ_BYTES = 4 * 1024 * 1024;

const MAX_CHANGES = 12;
const MAX_LINES = 3;

/** Both versions of a file; null where there is none, or where it was not read. */
export interface Versions {
  before: string | null;
  after: string | null;
}

/** Whether the whole file is needed to tell what changed in it. */
export function needsVersions({ file, topic }: ShownFile): boolean {
  const text = file.added !== null && !isLink(file.oldMode) && !isLink(file.newMode);
  return text && (topic === "lock" || isJsonManifest(nameOf(file.path)));
}

/** What changed in a file that a pull request opens with, and why it matters, as plain text. */
export function describeShown(
  shown: ShownFile,
  patch: FilePatch,
  versions: Versions | null,
): Caution {
  const { file, why } = shown;
  const changes = changesOf(shown, patch, versions);
  const rest = changes.length - MAX_CHANGES;
  const told = changes
    .slice(0, MAX_CHANGES)
    .concat(rest > 0 ? [`and ${count(rest, "more change")}`] : []);
  return {
    kind: "shown_first",
    path: file.path,
    line: patch.runs[0]?.from ?? null,
    why: `${why.join("; ")}. It ${told.join("; ")}`,
  };
}

function changesOf(shown: ShownFile, patch: FilePatch, versions: Versions | null): string[] {
  const { file, topic } = shown;
  if (file.status === "deleted") return ["is deleted"];
  const name = nameOf(file.path);
  if (versions !== null) {
    if (topic === "lock") return [size(patch), ...lockChanges(versions.before, versions.after)];
    const changes = manifestChanges(name, versions.before, versions.after);
    if (changes !== null && changes.length > 0) return changes;
  }
  return [size(patch), ...samples(patch)];
}

function size({ file }: FilePatch): string {
  if (file.added === null)
    return `is a binary file that ${file.status === "added" ? "is new" : "changed"}`;
  const lines = `has ${count(file.added, "new line")}`;
  if (file.status === "added") return `is new and ${lines}`;
  return file.added + (file.removed ?? 0) === 0
    ? "has the content it had"
    : `${lines}, and ${file.removed} went`;
}

/** The first added lines with anything in them. */
function samples(patch: FilePatch): string[] {
  if (patch.file.added === null || isLink(patch.file.newMode)) return [];
  const lines = addedLines(patch).filter(({ text }) => /[^\s{}()[\],;]/.test(text));
  const shown = lines.slice(0, MAX_LINES).map(({ text }) => quoted(text.trim()));
  const more = lines.length > shown.length ? " …" : "";
  return shown.length > 0 ? [`begins to say ${shown.join(", ")}${more}`] : [];
}

function isLink(mode: string): boolean {
  return mode === "120000";
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).toLowerCase();
}
