import type { Violation } from "./job.ts";
import { count } from "./messages/words.ts";
import type { FilePatch } from "./patch.ts";
import type { RepoConfig } from "./repo-config.ts";

/** Bytes of a patch, with everything in it, above which nobody can look through it: a change is then refused. */
export const MAX_PATCH_BYTES = 16 * 1024 * 1024;

const KB = 1024;

/** Which limits of one change are exceeded, each in words the agent can act on. */
export function limitViolations(patches: FilePatch[], limits: RepoConfig["limits"]): Violation[] {
  const lines = patches.map(({ file }) => (file.added ?? 0) + (file.removed ?? 0));
  const texts = patches.map((patch) => (isBinary(patch) ? 0 : Buffer.byteLength(patch.text)));
  const binaries = patches.map((patch) => (isBinary(patch) ? addedBytes(patch) : 0));
  const measures = [
    {
      key: "files",
      is: patches.length,
      most: limits.files,
      said: (n: number) => `${count(n, "file")} changed`,
      each: patches.map(() => 1),
    },
    {
      key: "lines",
      is: sum(lines),
      most: limits.lines,
      said: (n: number) => `${count(n, "line")} added and removed`,
      each: lines,
    },
    {
      key: "kilobytes",
      is: sum(texts) / KB,
      most: limits.kilobytes,
      said: (n: number) => `a patch of ${n} KB`,
      each: texts,
    },
    {
      key: "binary_kilobytes",
      is: sum(binaries) / KB,
      most: limits.binary_kilobytes,
      said: (n: number) => `${n} KB of binary files`,
      each: binaries,
    },
  ];
  return measures
    .filter(({ is, most }) => is > most)
    .map(({ key, is, most, said, each }) => ({
      kind: "limit",
      path: null,
      reason: `${said(Math.ceil(is))}, and at most ${most} may be (limits.${key} in .github/codex.yml). ${mostOf(patches, each)}Remove generated files, or list them in .gitignore`,
    }));
}

function isBinary({ file }: FilePatch): boolean {
  return file.added === null;
}

function addedBytes(patch: FilePatch): number {
  return sum(patch.runs.flatMap(({ lines }) => lines.map((line) => Buffer.byteLength(line) + 1)));
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Where most of it comes from. */
function mostOf(patches: FilePatch[], each: number[]): string {
  const shares = new Map<string, number>();
  for (const [index, { file }] of patches.entries()) {
    const [top = ""] = file.path.split("/", 1);
    const where = file.path.includes("/") ? `${top}/` : file.path;
    shares.set(where, (shares.get(where) ?? 0) + (each[index] ?? 0));
  }
  const [most] = [...shares].sort((a, b) => b[1] - a[1]);
  return most === undefined ? "" : `Most of it is in ${JSON.stringify(most[0])}. `;
}
