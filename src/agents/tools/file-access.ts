import type { CommandResult } from "../../core/ports.ts";
import { howStopped } from "../../core/stopped.ts";
import { failed, type ToolAnswer, type ToolContext } from "./tool.ts";

/** Largest file that is edited or written in one call, in bytes. */
export const MAX_FILE_BYTES = 1_000_000;

/** Runs a script of ours on a path in the sandbox. */
export async function runOnFile(
  context: ToolContext,
  script: string,
  args: string[],
  stdin?: Uint8Array,
): Promise<CommandResult> {
  const result = await context.sandbox.run({
    workspace: context.workspace,
    script,
    args,
    ...(stdin && { stdin }),
    timeoutMs: 60_000,
    maxOutputBytes: 2 * MAX_FILE_BYTES,
    keepBytes: 2 * MAX_FILE_BYTES,
    signal: context.signal,
  });
  context.signal.throwIfAborted();
  return result;
}

/**
 * Tells what a path is before anything is done with it: a line with `directory`, `missing`,
 * `special`, `unreadable`, or `file`, its bytes, its line feeds and 1 if it ends with one.
 */
export const SAY_KIND = `
if [ -d "$1" ]; then echo directory
elif [ ! -e "$1" ]; then echo missing
elif [ ! -f "$1" ]; then echo special
elif [ ! -r "$1" ]; then echo unreadable
else echo file $(wc -c <"$1") $(wc -l <"$1") $(tail -c 1 <"$1" | wc -l)
fi
`;

/** What `SAY_KIND` said, with what the script wrote after it: the bytes of a file come in base64. */
export type FileAnswer =
  | { kind: "file"; bytes: number; lines: number; endsWithLineFeed: boolean; content: Buffer }
  | { kind: "directory"; names: string[] }
  | { kind: "missing" | "special" | "unreadable" }
  | { kind: "failed"; reason: string };

/** Reads the answer of a script that begins with `SAY_KIND`. */
export function readAnswer(result: CommandResult): FileAnswer {
  const [said = "", ...rest] = result.output.split("\n");
  const [kind, bytes, lineFeeds, last] = said.split(" ");
  switch (kind) {
    case "file": {
      const size = Number(bytes);
      const endsWithLineFeed = last === "1";
      const lines = Number(lineFeeds) + (size > 0 && !endsWithLineFeed ? 1 : 0);
      const content = Buffer.from(rest.join(""), "base64");
      return { kind, bytes: size, lines, endsWithLineFeed, content };
    }
    case "directory":
      return { kind, names: rest.filter((name) => name !== "") };
    case "missing":
    case "special":
    case "unreadable":
      return { kind };
    default:
      return { kind: "failed", reason: reasonOf(result) };
  }
}

/** Why a command of ours did not work, in words. */
export function reasonOf(result: CommandResult): string {
  if (result.stopped) return `it was ${howStopped(result.stopped)}`;
  return result.output.trim() || `exit code ${result.exitCode}`;
}

/** Why something that is no ordinary file cannot be handled as one. */
export function notAFile(path: string, answer: Exclude<FileAnswer, { kind: "file" }>): string {
  switch (answer.kind) {
    case "directory":
      return `${path} is a directory.`;
    case "missing":
      return `${path} does not exist.`;
    case "special":
      return `${path} is no ordinary file.`;
    case "unreadable":
      return `${path} may not be read.`;
    case "failed":
      return `${path} could not be read: ${answer.reason}`;
  }
}

/** The text of a file whose bytes can be restored from it; null when they are not UTF-8 text. */
function exactText(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** A file as text that can be written back, or why it is none. `file`: it is one that can be deleted. */
export type TextAnswer =
  | { status: "text"; text: string }
  | { status: "missing" }
  | { status: "failed"; reason: string; file: boolean };

const READ_WHOLE = `${SAY_KIND}
if [ -f "$1" ]; then head -c ${MAX_FILE_BYTES + 1} <"$1" | base64; fi 2>/dev/null
`;

/** Reads a whole file whose path lies in the tree. */
export async function readText(context: ToolContext, path: string): Promise<TextAnswer> {
  const answer = readAnswer(await runOnFile(context, READ_WHOLE, [`./${path}`]));
  if (answer.kind === "missing") return { status: "missing" };
  const fail = (reason: string): TextAnswer => ({
    status: "failed",
    reason,
    file: answer.kind === "file",
  });
  if (answer.kind !== "file") return fail(notAFile(path, answer));
  if (answer.bytes > MAX_FILE_BYTES) {
    return fail(
      `${path} is larger than ${MAX_FILE_BYTES / 1e6} MB. Change it with a command in shell.`,
    );
  }
  if (answer.content.length !== answer.bytes) return fail(`${path} changed while it was read.`);
  const text = exactText(answer.content);
  if (text !== null) return { status: "text", text };
  return fail(`${path} is not UTF-8 text. Change it with a command in shell.`);
}

/** Writes a text of the model, unless it is too large, and says what was done. */
export async function save(
  context: ToolContext,
  path: string,
  text: string,
  say: (did: "created" | "replaced") => string,
): Promise<ToolAnswer> {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    return failed(`The text is larger than ${MAX_FILE_BYTES / 1e6} MB.`, `to write ${path}`);
  }
  const written = await writeFile(context, path, text);
  if (written.status === "failed") {
    return failed(`${path} could not be written: ${written.reason}`, `to write ${path}`);
  }
  const action = say(written.status);
  return { ok: true, text: action, action };
}

/**
 * Replaces a file, or creates it with its directories. It keeps the mode of a file that exists and
 * goes through links; the new text is there in full before the old one is touched.
 */
async function writeFile(
  context: ToolContext,
  path: string,
  text: string,
): Promise<{ status: "created" | "replaced" } | { status: "failed"; reason: string }> {
  const script = `
set -e
if [ -d "$1" ]; then echo "it is a directory" >&2; exit 1; fi
mkdir -p "$(dirname "$1")"
incoming=$(mktemp)
cat >"$incoming"
if [ -e "$1" ]; then did=replaced; else did=created; fi
cat "$incoming" >"$1"
rm -f "$incoming"
echo $did
`;
  const result = await runOnFile(context, script, [`./${path}`], Buffer.from(text));
  const did = result.output.trim();
  if (result.exitCode === 0 && (did === "created" || did === "replaced")) return { status: did };
  return { status: "failed", reason: reasonOf(result) };
}
