import { setImmediate } from "node:timers/promises";
import { limitViolations, MAX_PATCH_BYTES } from "../core/change-limits.ts";
import type { Caution, Job, VerifiedChange, Violation } from "../core/job.ts";
import { count } from "../core/messages/words.ts";
import { type FilePatch, readPatch } from "../core/patch.ts";
import { type ShownFile, sortPaths } from "../core/paths.ts";
import type { ChangedFile, Log, Objects, SecretFinding, SecretScanner } from "../core/ports.ts";
import { scanPieces } from "../core/scan-pieces.ts";
import { describeShown, MAX_READ_BYTES, needsVersions } from "../core/shown/describe.ts";
import { weakenedTests } from "../core/weakened.ts";

export interface InspectDeps {
  objects: Objects;
  scanner: SecretScanner;
  log: Log;
}

/** A commit that is about to leave, with the words that go with it. */
export interface Leaving {
  commit: string;
  parent: string;
  files: ChangedFile[];
  /** Every text that will stand on GitHub beside it, in all the forms it will take there. */
  words: string[];
}

/** What may be said of a change once everything in it was looked at. */
export type Inspection =
  | ({ status: "inspected" } & Pick<VerifiedChange, "cautions" | "violations" | "excerpt">)
  /** No admin's word lets this out; `reason` is for people, `told` for the agent. */
  | { status: "refused"; reason: string; told: string };

/** Characters of a diff that a board shows of a held change. */
const MAX_EXCERPT = 12_000;

/** Files that are read whole to tell what changed in them. */
const MAX_READ = 50;

/** Violations of one kind that are named. */
const MAX_NAMED = 20;

/**
 * Looks at everything in a change that is about to leave: paths, size, secrets in added lines, names and
 * words, and what a reviewer should see first.
 */
export async function inspect(job: Job, leaving: Leaving, deps: InspectDeps): Promise<Inspection> {
  const { parent, commit, files } = leaving;
  const patch = await deps.objects.patch(job.repo, parent, commit, MAX_PATCH_BYTES);
  if (patch === null) {
    const reason = `the change is larger than ${MAX_PATCH_BYTES / 1024 / 1024} MB as a patch, more than can be looked through. Remove generated files, or list them in .gitignore`;
    return { status: "refused", reason, told: reason };
  }
  const patches = readPatch(patch, files);
  const secrets = await findSecrets(patches, leaving.words, deps.scanner);
  if (secrets.own.length > 0) {
    // Where it stands is for the operator alone: whoever knows could try values one by one.
    deps.log.error({ jobId: job.id, found: secrets.own }, "a change held a secret of this server");
    const reason =
      "the change, or the words about it, hold one of this server's own secrets; its log says where";
    return { status: "refused", reason, told: OWN_SECRET };
  }
  const { violations, shown } = sortPaths(files, job.config.paths, [
    ...job.config.setup,
    ...job.config.checks,
  ]);
  const named = violations.map((violation) => withheld(violation, secrets.names));
  const held = [
    ...named.slice(0, MAX_NAMED),
    ...(named.length > MAX_NAMED ? [moreOf(named.length - MAX_NAMED)] : []),
    ...limitViolations(patches, job.config.limits),
    ...secrets.violations,
  ];
  return {
    status: "inspected",
    violations: held,
    cautions: [...weakenedTests(patch), ...(await cautionsOf(job, leaving, shown, patches, deps))],
    excerpt: excerptOf(patches, violations, secrets),
  };
}

const OWN_SECRET =
  "the change, or your report, holds text that may never leave: a secret of the server this runs on";

interface Secrets {
  own: SecretFinding[];
  violations: Violation[];
  /** Paths that hold a secret themselves. */
  names: Set<string>;
  /** Paths of files that hold one. */
  files: Set<string>;
}

/** Looks through added lines, file names and words. */
async function findSecrets(
  patches: FilePatch[],
  words: string[],
  scanner: SecretScanner,
): Promise<Secrets> {
  const secrets: Secrets = { own: [], violations: [], names: new Set(), files: new Set() };
  const told = new Set<string>();
  const tell = (finding: SecretFinding, path: string | null, where: string) => {
    const reason = `${where} looks like a secret (${finding.what})`;
    if (finding.own) secrets.own.push({ ...finding, where: `${finding.where}, ${where}` });
    else if (!told.has(`${path} ${reason}`))
      secrets.violations.push({ kind: "secret", path, reason });
    told.add(`${path} ${reason}`);
  };
  const paths = patches.map(({ file }) => file.path);
  // One line each, so that the line of a finding tells which.
  const names = paths.map((path) => path.replace(/[\r\n]/g, " ")).join("\n");
  for (const finding of await scanner.scan([{ where: "file names", text: names }])) {
    secrets.names.add(paths[finding.line - 1] ?? "");
    tell(finding, null, `the name of file ${finding.line} of ${paths.length}`);
  }
  const moved = movedWhole(patches);
  for (const piece of scanPieces(patches)) {
    // A large change takes seconds: others get their turn between two pieces.
    await setImmediate();
    const path = paths[piece.file] ?? "";
    for (const finding of await scanner.scan([{ where: path, text: piece.text }])) {
      // What was in the repository already is told to nobody by its new name.
      if (moved.has(piece.file) && !finding.own) continue;
      secrets.files.add(path);
      const where = `line ${piece.lines[finding.line - 1] ?? "?"}`;
      tell(finding, secrets.names.has(path) ? null : path, where);
    }
  }
  for (const text of new Set(words)) {
    for (const finding of await scanner.scan([{ where: "the report", text }])) {
      tell(finding, null, "the report, which becomes commit message and pull request,");
    }
  }
  const rest = secrets.violations.length - MAX_NAMED;
  if (rest > 0) secrets.violations = [...secrets.violations.slice(0, MAX_NAMED), moreSecrets(rest)];
  return secrets;
}

/** Files that came with the very content of one that went. */
function movedWhole(patches: FilePatch[]): Set<number> {
  const gone = new Set(
    patches
      .filter(({ file }) => file.status === "deleted")
      .map(({ removed }) => removed.join("\n")),
  );
  const moved = new Set<number>();
  for (const [index, { file, runs }] of patches.entries()) {
    const text = runs.map(({ lines }) => lines.join("\n")).join("\n");
    if (file.status === "added" && text !== "" && gone.has(text)) moved.add(index);
  }
  return moved;
}

function moreOf(rest: number): Violation {
  return { kind: "path", path: null, reason: `and ${count(rest, "more guarded path")}` };
}

function moreSecrets(rest: number): Violation {
  return { kind: "secret", path: null, reason: `and ${count(rest, "more line")} like that` };
}

/** A violation without the name of its file, where the name itself may not be told. */
function withheld(violation: Violation, names: Set<string>): Violation {
  if (violation.path === null || !names.has(violation.path)) return violation;
  return { ...violation, path: null, reason: `a file whose name is withheld: ${violation.reason}` };
}

/** What a pull request opens with, each with what changed in it. */
async function cautionsOf(
  job: Job,
  { parent, commit }: Leaving,
  shown: ShownFile[],
  patches: FilePatch[],
  { objects }: InspectDeps,
): Promise<Caution[]> {
  const byPath = new Map(patches.map((patch) => [patch.file.path, patch]));
  const cautions: Caution[] = [];
  for (const each of shown) {
    const { path, status } = each.file;
    const patch = byPath.get(path);
    if (!patch) throw new Error(`${path} is not in the patch`);
    const read = (of: string) => objects.file(job.repo, of, path, MAX_READ_BYTES);
    const wanted = needsVersions(each) && cautions.length < MAX_READ;
    const before = wanted && status !== "added" ? await read(parent) : null;
    const after = wanted && status !== "deleted" ? await read(commit) : null;
    // What is there and could not be read is not told as if it were not there.
    const whole =
      (before !== null || status === "added") && (after !== null || status === "deleted");
    cautions.push(describeShown(each, patch, wanted && whole ? { before, after } : null));
  }
  return cautions;
}

/** The parts of a diff that need an admin's word, without any file that may hold a secret. */
function excerptOf(patches: FilePatch[], violations: Violation[], secrets: Secrets): string {
  const guarded = new Set(violations.map(({ path }) => path));
  const parts = patches.filter(
    ({ file }) =>
      guarded.has(file.path) &&
      file.added !== null &&
      !secrets.names.has(file.path) &&
      !secrets.files.has(file.path),
  );
  const text = parts.map((part) => part.text).join("");
  if (text.length <= MAX_EXCERPT) return text;
  return `${text.slice(0, text.lastIndexOf("\n", MAX_EXCERPT) + 1)}[… ${text.length - MAX_EXCERPT} more characters]\n`;
}

/** Why the branch of a job would tell a secret, or null. Its name is made from the task, before any work. */
export async function branchProblem(job: Job, { scanner }: InspectDeps): Promise<string | null> {
  if (job.target.kind !== "new_pull") return null;
  const found = await scanner.scan([{ where: "the branch", text: job.target.branch }]);
  return found.length === 0
    ? null
    : "the task holds what looks like a secret, and its branch would be named after it; write the task again without it";
}
