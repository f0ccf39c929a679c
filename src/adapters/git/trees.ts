import type { TreeEntry, Trees } from "../../core/ports.ts";
import type { GitContext } from "./layout.ts";
import { inMirror } from "./mirror.ts";
import { objectId } from "./names.ts";
import { gitBytes, gitRecords } from "./run-git.ts";

/** Paths are of a stranger's commit, and a leading colon means something to git. */
const LITERAL = { GIT_LITERAL_PATHSPECS: "1" };
const ENTRY = /^(\d{6}) \w+ ([0-9a-f]+) +(\d+|-)\t([\s\S]+)$/;

/** Files of commits in mirrors: see the port. */
export function createTrees(context: GitContext): Trees {
  return {
    at(repo, commit) {
      /** What git lists of the commit at a path, at most so many. */
      const listed = (flags: readonly string[], path: string, most: number) =>
        inMirror(context, repo, async (dir) => {
          const found: TreeEntry[] = [];
          const args = ["ls-tree", ...flags, "-z", "-l", "--full-tree", "--end-of-options"];
          if (path !== "") args.push(objectId(commit), "--", path);
          else args.push(objectId(commit));
          for await (const record of gitRecords(dir, args, LITERAL)) {
            const [, mode = "", id = "", size = "", at = ""] = ENTRY.exec(record.toString()) ?? [];
            if (!at.startsWith(path)) continue;
            if (found.length === most) return null;
            // A submodule has no size.
            found.push({ path: at, mode, id, size: Number(size) || 0 });
          }
          return found;
        });
      return {
        async entry(path) {
          const found = await listed([], path, Number.POSITIVE_INFINITY);
          return found?.find((each) => each.path === path) ?? null;
        },
        // With its slash it means what is in the folder, and nothing where a file or link has that name.
        entries: (folder, most) => listed(["-r"], folder === "" ? "" : `${folder}/`, most),
        bytes: (id, maxBytes) =>
          inMirror(context, repo, async (dir) => {
            const args = ["cat-file", "blob", objectId(id)];
            const bytes = await gitBytes(dir, args, { maxBytes });
            if (bytes === null)
              throw new Error(`the object ${id} is larger than ${maxBytes} bytes`);
            return bytes;
          }),
      };
    },
  };
}
