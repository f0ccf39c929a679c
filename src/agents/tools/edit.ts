import { formatPatch, structuredPatch } from "diff";
import { z } from "zod";
import { cut } from "../fence.ts";
import {
  exactText,
  MAX_FILE_BYTES,
  notAFile,
  readAnswer,
  runOnFile,
  SAY_KIND,
  save,
} from "./file-access.ts";
import { replaceExact } from "./replace.ts";
import { defineTool, failed } from "./tool.ts";
import { treePath } from "./tree-path.ts";

const SCRIPT = `${SAY_KIND}
if [ -f "$1" ]; then head -c ${MAX_FILE_BYTES + 1} <"$1" | base64; fi 2>/dev/null
`;

/** Characters of the change that the model is shown again. */
const MAX_SHOWN = 2000;

/** Replaces an exact, unique piece of a file, or creates a file. */
export const edit = defineTool({
  name: "edit",
  description:
    "Replaces one piece of a file. old has to match the file exactly, indentation included, and to be " +
    "unique in it, unless all is set. With an empty old it creates the file, which must not exist yet.",
  writes: true,
  schema: z.object({
    path: z.string().min(1).describe("Relative to the root of the checkout."),
    old: z.string().describe("The text to replace, as read returns it; enough lines to be unique."),
    new: z.string().describe("The text to put in its place."),
    all: z.boolean().optional().describe("Replace every occurrence."),
  }),
  async run(args, context) {
    const place = treePath(context.workspace.tree, args.path);
    if (place.status === "refused") return failed(place.reason, "to edit a file");
    const { path } = place;
    const fail = (reason: string) => failed(reason, `to edit ${path}`);
    const answer = readAnswer(await runOnFile(context, SCRIPT, [`./${path}`]));
    const creates = args.old === "";
    if (creates && (answer.kind === "missing" || (answer.kind === "file" && answer.bytes === 0))) {
      return save(context, path, args.new, (did) => `${did} ${path}`);
    }
    if (answer.kind === "missing")
      return fail(`${path} does not exist. To create it, leave old empty.`);
    if (answer.kind !== "file") return fail(notAFile(path, answer));
    if (creates) {
      return fail(
        `${path} exists already. Give the text to replace in old, or replace all of it with write.`,
      );
    }
    if (answer.bytes > MAX_FILE_BYTES) {
      return fail(
        `${path} is larger than ${MAX_FILE_BYTES / 1e6} MB. Change it with a command in shell.`,
      );
    }
    if (answer.content.length !== answer.bytes) return fail(`${path} changed while it was read.`);
    const text = exactText(answer.content);
    if (text === null) return fail(`${path} is not UTF-8 text. Change it with a command in shell.`);
    const result = replaceExact(text, args.old, args.new, args.all ?? false);
    if (result.status === "failed") return fail(`Nothing was changed in ${path}: ${result.reason}`);
    const times = result.count > 1 ? ` in ${result.count} places` : "";
    const saved = await save(context, path, result.text, () => `edited ${path}${times}`);
    return saved.ok ? { ...saved, text: `${saved.text}\n${hunks(text, result.text)}` } : saved;
  },
});

/** What changed, so that a replacement in the wrong place is seen at once. */
function hunks(before: string, after: string): string {
  const patch = structuredPatch("", "", before, after, "", "", { context: 2, maxEditLength: 2000 });
  if (!patch) return "";
  const whole = formatPatch(patch);
  return cut(whole.slice(whole.indexOf("@@")).trimEnd(), MAX_SHOWN);
}
