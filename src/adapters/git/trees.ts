import type { TreeEntry, Trees } from "../../core/ports.ts";
import type { GitContext } from "./layout.ts";
import { inMirror } from "./mirror.ts";
import { objectId } from "./names.ts";
import { gitBytes, gitRecords } from "./run-git.ts";

const ENTRY = /^(\d{6}) \w+ ([0-9a-f]+) +(\d+|-)\t([\s\S]+)$/;

/** Files of commits in mirrors: see the port. */
export function createTrees(context: GitContext): Trees {
  return {
    entries: (repo, commit, folder, most) =>
      inMirror(context, repo, async (dir) => {
        const found: TreeEntry[] = [];
        const args = ["ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options"];
        // With its slash it means what is in the folder, and nothing where a file or link has that name.
        const records = gitRecords(dir, [...args, objectId(commit), "--", `${folder}/`]);
        for await (const record of records) {
          const [, mode = "", id = "", size = "", path = ""] = ENTRY.exec(record.toString()) ?? [];
          if (!path.startsWith(`${folder}/`)) continue;
          if (found.length === most) return null;
          // A submodule has no size.
          found.push({ path, mode, id, size: Number(size) || 0 });
        }
        return found;
      }),

    bytes: (repo, id, maxBytes) =>
      inMirror(context, repo, async (dir) => {
        const bytes = await gitBytes(dir, ["cat-file", "blob", objectId(id)], { maxBytes });
        if (bytes === null) throw new Error(`the object ${id} is larger than ${maxBytes} bytes`);
        return bytes;
      }),
  };
}
