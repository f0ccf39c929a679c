import { z } from "zod";
import { type FileAnswer, notAFile, readAnswer, runOnFile, SAY_KIND } from "./file-access.ts";
import { defineTool, failed, type ToolAnswer } from "./tool.ts";
import { type TreePath, treePath } from "./tree-path.ts";

const MAX_LINES = 2000;
const MAX_BYTES = 50_000;
const MAX_ENTRIES = 400;

const SCRIPT = `${SAY_KIND}
if [ -d "$1" ]; then ls -1Ap "$1" | head -n ${MAX_ENTRIES + 1}
elif [ -f "$1" ]; then tail -n "+$2" <"$1" | head -n "$3" | head -c ${MAX_BYTES + 1} | base64
fi 2>/dev/null
`;

/** Reads lines of a file, verbatim: numbers in front of them would get into exact replacements. */
export const read = defineTool({
  name: "read",
  description:
    "Reads a text file, verbatim and without line numbers, or lists a directory. At most " +
    `${MAX_LINES} lines or ${MAX_BYTES / 1000} kB a call, with a notice in [brackets] on how to go on.`,
  writes: false,
  schema: z.object({
    path: z.string(),
    offset: z.int().min(1).optional().describe("First line, from 1."),
    limit: z.int().min(1).optional().describe("Lines to read."),
  }),
  async run(args, context) {
    const place = skillPath(args.path) ?? treePath(context.workspace.tree, args.path);
    if (place.status === "refused") return failed(place.reason, "to read a file");
    const { path } = place;
    const first = args.offset ?? 1;
    const count = Math.min(args.limit ?? MAX_LINES, MAX_LINES);
    const result = await runOnFile(context, SCRIPT, [`./${path}`, `${first}`, `${count}`]);
    const answer = readAnswer(result);
    if (answer.kind === "directory") return done(path, listing(path, answer.names));
    if (answer.kind !== "file") return failed(notAFile(path, answer), `to read ${path}`);
    if (answer.content.includes(0)) {
      return done(
        path,
        `[${path} is a binary file of ${answer.bytes} bytes; look at it with shell]`,
      );
    }
    return done(path, excerpt(answer, first));
  },
});

/** A file of a skill, which is no part of the checkout; null for any other path. */
function skillPath(written: string): TreePath | null {
  const path = /^(?:\.\/)*(\.\.\/skills\/.+)$/.exec(written)?.[1];
  if (path === undefined || path.split("/").slice(2).includes("..")) return null;
  return { status: "inside", path };
}

function done(path: string, text: string): ToolAnswer {
  return { ok: true, text, action: `read ${path}` };
}

function listing(path: string, entries: string[]): string {
  if (entries.length === 0) return `[${path} is an empty directory]`;
  const more =
    entries.length > MAX_ENTRIES
      ? `\n[more than ${MAX_ENTRIES} entries; list them with shell]`
      : "";
  return `[directory ${path}]\n${entries.slice(0, MAX_ENTRIES).join("\n")}${more}`;
}

/** The lines asked for, whole ones as far as they fit, with notices about what is not shown. */
function excerpt(file: Extract<FileAnswer, { kind: "file" }>, first: number): string {
  if (file.bytes === 0) return "[the file is empty]";
  if (first > file.lines) return `[the file has ${file.lines} lines]`;
  let shown = file.content;
  const notices: string[] = [];
  if (shown.length > MAX_BYTES) {
    const lastLineFeed = shown.lastIndexOf(10, MAX_BYTES - 1);
    shown = shown.subarray(0, lastLineFeed >= 0 ? lastLineFeed + 1 : MAX_BYTES);
    if (lastLineFeed < 0) {
      notices.push(
        `[line ${first} is cut after ${MAX_BYTES} bytes; see more of it with cut -c in shell]`,
      );
    }
  }
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(shown, { stream: true });
  const wholeLines = shown.at(-1) === 10;
  const last = first + text.split("\n").length - (wholeLines ? 2 : 1);
  if (last < file.lines) {
    notices.push(`[lines ${first} to ${last} of ${file.lines}; go on with offset ${last + 1}]`);
  } else {
    if (first > 1) notices.push(`[lines ${first} to ${last} of ${file.lines}]`);
    if (!file.endsWithLineFeed) notices.push("[no line feed at the end of the file]");
  }
  if (text.includes("\r\n"))
    notices.push("[lines end with CRLF; edits take LF for it and keep CRLF]");
  if (text.includes("\ufffd"))
    notices.push("[not all of it is UTF-8: where it is not, change it with shell]");
  const body = text.replaceAll("\r\n", "\n");
  if (notices.length === 0) return body;
  return `${body}${body.endsWith("\n") ? "" : "\n"}${notices.join("\n")}`;
}
