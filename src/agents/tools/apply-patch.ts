import { z } from "zod";
import { cut } from "../fence.ts";
import { changedLines } from "./changed-lines.ts";
import { MAX_FILE_BYTES, readText, type TextAnswer } from "./file-access.ts";
import { applyHunks } from "./patch/hunks.ts";
import { type FilePatch, parsePatch } from "./patch/parse.ts";
import { defineTool, failed, oneLine, type ToolAnswer, type ToolContext } from "./tool.ts";
import { treePath } from "./tree-path.ts";
import { type FileChange, writeFiles } from "./write-files.ts";

const MAX_FILES = 100;
/** Lines that may be looked at to find all hunks; a hundred bytes count as one more. */
const MAX_SEARCH = 50_000_000;
const MAX_SHOWN = 3000;

/** Changes files by a patch in the V4A form. */
export const applyPatch = defineTool({
  name: "apply_patch",
  description:
    "Changes files by a patch in the V4A format: *** Begin Patch, a section per file (*** Add File: path " +
    "with + lines, *** Delete File: path, or *** Update File: path, with *** Move to: path under it to " +
    "rename), *** End Patch. Each hunk of an update begins with @@; about 3 lines of context, a space in " +
    "front, stand around its - and + lines. @@ may name the class or function above, to tell equal " +
    "places apart. No line numbers. All of it is done, or nothing.",
  writes: true,
  schema: z.object({ input: z.string().min(1) }),
  async run({ input }, context) {
    const fail = (reason: string) => failed(`Nothing was changed. ${reason}`, "to patch files");
    if (input.length > MAX_FILE_BYTES) {
      return fail(`The patch is larger than ${MAX_FILE_BYTES / 1e6} MB: give it in parts.`);
    }
    const parsed = parsePatch(input);
    if (parsed.status === "failed") return fail(parsed.reason);
    if (parsed.files.length > MAX_FILES) {
      return fail(`The patch is of more than ${MAX_FILES} files: give it in parts.`);
    }
    const files = createFiles(context);
    let search = MAX_SEARCH;
    for (const file of parsed.files) {
      const path = pathIn(context, file.path);
      if (path.status === "refused") return fail(path.reason);
      const made = await outcome(file, path.path, files, search, context);
      if (made.status === "failed") return fail(made.reason);
      search -= made.cost;
    }
    return finish(files, context);
  },
});

/** The files of a patch as they were and as they will be. */
interface Files {
  read(path: string): Promise<TextAnswer>;
  set(path: string, text: string | null, like?: string): void;
  /** Only what is not as it was; `before` is null when it was no text. */
  changes(): (FileChange & { existed: boolean; before: string | null })[];
}

function createFiles(context: ToolContext): Files {
  const were = new Map<string, TextAnswer>();
  const will = new Map<string, FileChange>();
  return {
    async read(path) {
      const change = will.get(path);
      if (change) {
        return change.text === null ? { status: "missing" } : { status: "text", text: change.text };
      }
      const known = were.get(path) ?? (await readText(context, path));
      were.set(path, known);
      return known;
    },
    set(path, text, like) {
      will.set(path, { path, text, like: like ?? will.get(path)?.like ?? null });
    },
    changes() {
      return [...will.values()].flatMap((change) => {
        const was = were.get(change.path);
        const before = was?.status === "text" ? was.text : null;
        const existed = was !== undefined && was.status !== "missing";
        const same = change.text === null ? !existed : existed && before === change.text;
        return same ? [] : [{ ...change, existed, before }];
      });
    },
  };
}

type Outcome = { status: "done"; cost: number } | { status: "failed"; reason: string };

/** Works out what a section does to its file; nothing is written yet. */
async function outcome(
  file: FilePatch,
  path: string,
  files: Files,
  search: number,
  context: ToolContext,
): Promise<Outcome> {
  const fail = (reason: string): Outcome => ({ status: "failed", reason });
  const was = await files.read(path);
  if (file.kind === "add") {
    if (was.status === "failed" && !was.file) return fail(was.reason);
    files.set(path, file.lines.map((line) => `${line}\n`).join(""));
    return { status: "done", cost: 0 };
  }
  if (was.status === "missing") return fail(`${path} does not exist.`);
  if (file.kind === "delete") {
    if (was.status === "failed" && !was.file) return fail(was.reason);
    files.set(path, null);
    return { status: "done", cost: 0 };
  }
  if (was.status === "failed") return fail(was.reason);
  const lines = was.text.split("\n").length + was.text.length / 100;
  const cost = lines * file.hunks.length;
  if (cost > search) return fail(`${path} is too long for so many hunks: give them in parts.`);
  const patched = applyHunks(was.text, file.hunks);
  if (patched.status === "failed") return fail(`In ${path} ${patched.reason}`);
  if (file.moveTo === null) {
    files.set(path, patched.text);
    return { status: "done", cost };
  }
  const target = pathIn(context, file.moveTo);
  if (target.status === "refused") return fail(target.reason);
  if (target.path !== path) {
    if ((await files.read(target.path)).status !== "missing") {
      return fail(`${target.path} exists already: delete it in the same patch, before the move.`);
    }
    files.set(path, null);
  }
  files.set(target.path, patched.text, path);
  return { status: "done", cost };
}

/** A path that the patch may change. Git's own files are none: the controller throws them away. */
function pathIn(context: ToolContext, written: string): ReturnType<typeof treePath> {
  const place = treePath(context.workspace.tree, written);
  if (place.status === "refused") return place;
  const { path } = place;
  if (path === ".") return { status: "refused", reason: `${JSON.stringify(written)} is no file.` };
  if (path.split("/").some((part) => part.toLowerCase() === ".git")) {
    return { status: "refused", reason: `${path} belongs to git: use git in shell.` };
  }
  return place;
}

async function finish(files: Files, context: ToolContext): Promise<ToolAnswer> {
  const changes = files.changes();
  if (changes.length === 0) return failed("The patch changes nothing.", "to patch files");
  // What is written may take its mode from a file that goes.
  const written = changes.filter(({ text }) => text !== null);
  const trouble = await writeFiles(context, [
    ...written,
    ...changes.filter(({ text }) => text === null),
  ]);
  if (trouble !== null) {
    const what = trouble.begun
      ? "Only a part of it was written: look at the files"
      : "Nothing was changed";
    return failed(`${what}. ${trouble.reason}`, "to patch files");
  }
  const told = changes.map(({ path, text, existed, before }) => {
    if (text === null) return { did: `deleted ${path}`, diff: "" };
    if (before === null) return { did: `${existed ? "replaced" : "created"} ${path}`, diff: "" };
    return { did: `edited ${path}`, diff: changedLines(before, text) };
  });
  const text = told.map(({ did, diff }) => (diff === "" ? did : `${did}\n${diff}`)).join("\n");
  const action = oneLine(told.map(({ did }) => did).join(", "), 120);
  return { ok: true, text: cut(text, MAX_SHOWN), action };
}
