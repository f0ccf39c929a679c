/** What a patch wants of one file, in the order it was written. Paths are as the model wrote them. */
export type FilePatch =
  | { kind: "add"; path: string; lines: string[] }
  | { kind: "delete"; path: string }
  | { kind: "update"; path: string; moveTo: string | null; hunks: Hunk[] };

/** Lines that stand together, and what becomes of them. */
export interface Hunk {
  /** Lines of the file above it, from the outermost: what `@@` names. */
  headers: string[];
  lines: HunkLine[];
  /** It reaches the end of the file. */
  atEnd: boolean;
}

export interface HunkLine {
  kind: "keep" | "drop" | "add";
  text: string;
}

export type ParsedPatch =
  | { status: "parsed"; files: FilePatch[] }
  | { status: "failed"; reason: string };

const BEGIN = "*** Begin Patch";
const END = "*** End Patch";
const SECTION = /^\*\*\* (Add|Delete|Update) File:(.*)$/i;
const MOVE = /^\*\*\* Move to:(.*)$/i;
const END_OF_FILE = "*** End of File";
/** Line numbers as a unified diff has them: they are often wrong, and say nothing that we need. */
const RANGE = /^-\d+(?:,\d+)? \+\d+(?:,\d+)?(?: @@|$)/;

const FORM =
  "A patch is: *** Begin Patch, then for each file *** Add File: path, *** Update File: path or *** Delete File: path with its lines, then *** End Patch.";

/**
 * Reads a patch in the V4A form, https://cookbook.openai.com/examples/gpt4-1_prompting_guide, as models
 * write it: also in a fence or a here-document, with white space around marks, or without the last one.
 */
export function parsePatch(input: string): ParsedPatch {
  const lines = input.split("\n").map((line) => line.replace(/\r$/, ""));
  const last = lines.findLastIndex((line) => !endsPatch(line));
  // With a space in front it would be context.
  if (lines[last]?.trim() === END) lines[last] = END;
  const files: FilePatch[] = [];
  let inside = !lines.some((line) => line.trim() === BEGIN);
  let ended = false;
  let at = 0;
  const fail = (why: string): ParsedPatch => ({
    status: "failed",
    reason: `Line ${at + 1} of the patch, ${JSON.stringify(lines[at]?.slice(0, 100))}: ${why}`,
  });
  while (at < lines.length) {
    const line = lines[at]?.trim() ?? "";
    const section = SECTION.exec(line);
    // Models go on with the next file behind an end that came too early.
    if (section && ended) inside = true;
    if (line === BEGIN) inside = true;
    else if (line === END) {
      ended ||= inside;
      inside = false;
    } else if (ended && !inside && line.startsWith("@@")) {
      return fail(`it stands behind ${END}.`);
    } else if (inside && section) {
      const file = emptyFile(section[1] ?? "", section[2] ?? "");
      if (file.path === "") return fail("it names no file.");
      const [next, why] = readSection(file, lines, at + 1);
      if (why !== null) {
        at = next;
        return fail(why);
      }
      files.push(file);
      at = next;
      continue;
    } else if (inside && files.length > 0 && !/^(|`{3,}\w*|~{3,}|[A-Z_]{3,})$/.test(line)) {
      return fail(`no file was named for it. ${FORM}`);
    }
    at += 1;
  }
  if (files.length > 0) return { status: "parsed", files };
  const unified = lines.some((line) => line.startsWith("+++ ") || line.startsWith("diff --git "));
  const what = unified ? "This is a unified diff, which is not taken." : "The patch names no file.";
  return { status: "failed", reason: `${what} ${FORM}` };
}

function emptyFile(verb: string, written: string): FilePatch {
  const path = pathOf(written);
  switch (verb.toLowerCase()) {
    case "add":
      return { kind: "add", path, lines: [] };
    case "delete":
      return { kind: "delete", path };
    default:
      return { kind: "update", path, moveTo: null, hunks: [] };
  }
}

function pathOf(written: string): string {
  return written.trim().replace(/^(["'`])(.*)\1$/, "$2");
}

/** Reads what follows the name of a file. Gives the line after it, or the line that is wrong and why. */
function readSection(file: FilePatch, lines: string[], from: number): [number, string | null] {
  switch (file.kind) {
    case "delete":
      return [from, null];
    case "add":
      return readAdded(file.lines, lines, from);
    case "update": {
      const moved = MOVE.exec(lines[from]?.trim() ?? "");
      if (moved) file.moveTo = pathOf(moved[1] ?? "");
      const [next, why] = readHunks(file.hunks, lines, moved ? from + 1 : from);
      if (why !== null) return [next, why];
      const empty = file.hunks.length === 0 && file.moveTo === null;
      return empty ? [from - 1, "it has no lines that say what to change."] : [next, null];
    }
  }
}

function readAdded(added: string[], lines: string[], from: number): [number, string | null] {
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line.startsWith("+")) added.push(line.slice(1));
    else if (line.trim() === "" && lines[at + 1]?.startsWith("+")) added.push("");
    // It says nothing of a new file, and models write it nevertheless.
    else if (line.trimEnd() === END_OF_FILE && !lines[at + 1]?.startsWith("+")) continue;
    else if (isMark(line) || endsPatch(line)) return [at, null];
    else return [at, "each line of a new file has to begin with +."];
  }
  return [lines.length, null];
}

function readHunks(hunks: Hunk[], lines: string[], from: number): [number, string | null] {
  let hunk: Hunk | null = null;
  /** Empty lines without a sign, which are either context or space between sections. */
  let bare = 0;
  const open = (): Hunk => {
    const fresh: Hunk = { headers: [], lines: [], atEnd: false };
    hunks.push(fresh);
    return fresh;
  };
  const put = (kind: HunkLine["kind"], line: string) => {
    const to = hunk ?? open();
    hunk = to;
    for (; bare > 0; bare -= 1) to.lines.push({ kind: "keep", text: "" });
    to.lines.push({ kind, text: line.slice(1) });
  };
  let at = from;
  for (; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line.trimEnd() === END_OF_FILE) {
      if (hunk === null) return [at, "there are no lines before it."];
      hunk.atEnd = true;
      hunk = null;
      bare = 0;
    } else if (line.startsWith("@@")) {
      if (hunk === null || hunk.lines.length > 0) hunk = open();
      bare = 0;
      const header = headerOf(line);
      if (header !== null) hunk.headers.push(header);
    } else if (line === "") {
      bare += 1;
    } else if (line.startsWith("+")) {
      put("add", line);
    } else if (line.startsWith("-")) {
      put("drop", line);
    } else if (line.startsWith(" ") && !(hunk === null && isMark(line))) {
      put("keep", line);
    } else if (isMark(line) || endsPatch(line)) {
      break;
    } else if (!line.startsWith("\\ No newline")) {
      return [
        at,
        "it begins with none of the signs: a space for a line that stays, - for one that goes, + for a new one, @@ for where it is.",
      ];
    }
  }
  const kept = hunks.filter(({ lines: own }) => own.length > 0);
  hunks.splice(0, hunks.length, ...kept);
  return [at, null];
}

/** The line of the file that an `@@` names, with its indentation; null when it names none. */
function headerOf(line: string): string | null {
  const written = line.slice(line.startsWith("@@ ") ? 3 : 2).trimEnd();
  if (written === "" || RANGE.test(written.trimStart())) return null;
  if (!written.endsWith("@@")) return written;
  return written.slice(0, -2).trimEnd() || null;
}

/** Whether a line names the next file or ends the patch. */
function isMark(line: string): boolean {
  const mark = line.trim();
  return mark === BEGIN || mark === END || SECTION.test(mark);
}

/** What is left of a fence or a here-document when the mark at the end is missing. */
function endsPatch(line: string): boolean {
  return line.trim() === "" || /^(`{3,}|~{3,}|EOF|PATCH)\s*$/.test(line);
}
