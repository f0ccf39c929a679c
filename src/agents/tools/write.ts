import { z } from "zod";
import { save } from "./file-access.ts";
import { defineTool, failed } from "./tool.ts";
import { treePath } from "./tree-path.ts";

/** Writes a whole file. */
export const write = defineTool({
  name: "write",
  description:
    "Writes a whole file: creates it, with its directories, or replaces all of its text. To change a " +
    "part use edit.",
  writes: true,
  schema: z.object({
    path: z.string().min(1),
    content: z.string().describe("With a line feed at its end."),
  }),
  async run({ path: written, content }, context) {
    const place = treePath(context.workspace.tree, written);
    if (place.status === "refused") return failed(place.reason, "to write a file");
    return save(context, place.path, content, (did) => `${did} ${place.path}`);
  },
});
