import { z } from "zod";
import { changedLines } from "./changed-lines.ts";
import { readText, save } from "./file-access.ts";
import { replaceExact } from "./replace.ts";
import { defineTool, failed } from "./tool.ts";
import { treePath } from "./tree-path.ts";

/** Replaces an exact, unique piece of a file, or creates a file. */
export const edit = defineTool({
  name: "edit",
  description:
    "Replaces one piece of a file. old has to match the file exactly, indentation included, and to be " +
    "unique in it unless all is set.",
  writes: true,
  schema: z.object({
    path: z.string().min(1),
    old: z.string().describe("Enough lines to be unique."),
    new: z.string(),
    all: z.boolean().optional().describe("Every occurrence."),
  }),
  async run(args, context) {
    const place = treePath(context.workspace.tree, args.path);
    if (place.status === "refused") return failed(place.reason, "to edit a file");
    const { path } = place;
    const fail = (reason: string) => failed(reason, `to edit ${path}`);
    const answer = await readText(context, path);
    const creates = args.old === "";
    if (
      creates &&
      (answer.status === "missing" || (answer.status === "text" && answer.text === ""))
    ) {
      return save(context, path, args.new, (did) => `${did} ${path}`);
    }
    if (answer.status === "missing")
      return fail(`${path} does not exist. To create it, leave old empty.`);
    if (creates && (answer.status === "text" || answer.file)) {
      return fail(
        `${path} exists already. Give the text to replace in old, or replace all of it with write.`,
      );
    }
    if (answer.status === "failed") return fail(answer.reason);
    const { text } = answer;
    const result = replaceExact(text, args.old, args.new, args.all ?? false);
    if (result.status === "failed") return fail(`Nothing was changed in ${path}: ${result.reason}`);
    const times = result.count > 1 ? ` in ${result.count} places` : "";
    const saved = await save(context, path, result.text, () => `edited ${path}${times}`);
    return saved.ok
      ? { ...saved, text: `${saved.text}\n${changedLines(text, result.text)}` }
      : saved;
  },
});
