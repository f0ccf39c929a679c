import { z } from "zod";
import { save } from "./file-access.ts";
import { defineTool, failed } from "./tool.ts";
import { treePath } from "./tree-path.ts";

/** Writes a whole file. */
export const write = defineTool({
  name: "write",
  description:
    "Writes a whole file: creates it, with its directories, or replaces all of its text. To change a " +
    "part of a file use edit.",
  writes: true,
  schema: z.object({
    path: z.string().min(1).describe("Relative to the root of the checkout."),
    content: z.string().describe("All of the text, with a line feed at its end."),
  }),
  async run({ path: written, content }, context) {
    const place = treePath(context.workspace.tree, written);
    if (place.status === "refused") return failed(place.reason, "to write a file");
    return save(context, place.path, content, (did) => `${did} ${place.path}`);
  },
});
