import type { ChangedFile, Objects } from "../../core/ports.ts";
import { changedFiles, changedObjects, LARGE_IS_BINARY } from "./changed-files.ts";
import { commitTree, treeOf } from "./commit.ts";
import type { GitContext } from "./layout.ts";
import { followLinks, sizesOf } from "./links.ts";
import { inMirror } from "./mirror.ts";
import { objectId } from "./names.ts";
import { GitFailure, git, gitBytes, gitRecords, startGit } from "./run-git.ts";

const ENTRY_BYTES = 64 * 1024;

/** Everything as text and nothing as a rename: neither may hide what was added. */
const PATCH = [
  "-p",
  "-r",
  "--text",
  "--no-renames",
  "--full-index",
  "--no-ext-diff",
  "--no-textconv",
  "--no-color",
  "--submodule=short",
];

/**
 * The largest piece of memory git may ask for where it compares lines whatever a file holds: that ends it
 * at some eight million lines.
 */
const BOUNDED = { GIT_ALLOC_LIMIT: "256m" };

/** Questions to mirrors: see the port. */
export function createObjects(context: GitContext): Objects {
  return {
    file: (repo, commit, path, maxBytes) =>
      inMirror(context, repo, async (dir) => {
        if (path.includes("\0") || path.split("/").some(isNoName)) return null;
        const args = ["ls-tree", "-z", "-l", "--full-tree", "--end-of-options", objectId(commit)];
        const entry = await gitBytes(dir, [...args, "--", path], { maxBytes: ENTRY_BYTES });
        const [facts = "", name] =
          entry
            ?.toString()
            .split("\0")[0]
            ?.split(/\t(.*)/s) ?? [];
        const [, id = "", size = ""] =
          /^100[67][45][45] blob ([0-9a-f]+) +(\d+)$/.exec(facts) ?? [];
        if (name !== path || id === "" || Number(size) > maxBytes) return null;
        const bytes = await gitBytes(dir, ["cat-file", "blob", objectId(id)], { maxBytes });
        return bytes === null ? null : bytes.toString();
      }),

    find: (repo, commit, name) =>
      inMirror(context, repo, async (dir) => {
        const found: string[] = [];
        const args = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", "--end-of-options"];
        for await (const record of gitRecords(dir, [...args, objectId(commit)])) {
          const file = record.toString();
          if (file === name || file.endsWith(`/${name}`)) found.push(file);
        }
        return found;
      }),

    patch: (repo, from, to, maxBytes) =>
      inMirror(context, repo, async (dir) => {
        const both = [objectId(from), objectId(to)] as const;
        if ((await leastPatch(dir, ...both)) > maxBytes) return null;
        const bytes = await gitBytes(dir, ["diff-tree", ...PATCH, "--end-of-options", ...both], {
          maxBytes,
          env: BOUNDED,
        }).catch(tooMuch);
        return bytes === null ? null : bytes.toString();
      }),

    changed: (repo, commit) =>
      inMirror(context, repo, async (dir) => {
        const args = ["rev-list", "--parents", "--no-walk", "--ignore-missing", "--end-of-options"];
        const { stdout } = await git(dir, [...args, objectId(commit)]);
        const [, parent, other] = stdout.trim().split(" ");
        if (parent === undefined || other !== undefined) return null;
        return filesOf(dir, objectId(parent), commit);
      }),

    diff: (repo, from, to, maxBytes) =>
      inMirror(context, repo, async (dir) => {
        const both = [objectId(from), objectId(to)];
        const { code, stdout } = await git(dir, ["merge-base", ...both], { codes: [0, 1] });
        // Histories that share nothing are compared as they stand.
        const parted = code === 0 ? objectId(stdout.trim()) : objectId(from);
        return diff(dir, parted, objectId(to), maxBytes);
      }),

    merge: (repo, ours, theirs, base) =>
      inMirror(context, repo, async (dir) => {
        // A commit nobody refers to, by which git finds that base (it is asked for by name since 2.40).
        const mine =
          base === undefined
            ? ours
            : await commitTree(dir, await treeOf(dir, ours), base, "Carry over");
        const flags = ["--write-tree", "-z", "--name-only", "--no-messages"];
        const both = [objectId(mine), objectId(theirs)];
        const { code, stdout, stderr } = await git(
          dir,
          ["merge-tree", ...flags, "--allow-unrelated-histories", ...both],
          { codes: [0, 1], env: BOUNDED },
        );
        const [tree = "", ...files] = stdout.split("\0").filter((token) => token !== "");
        // It ends with 1 as well when a commit is not there, and then names no tree.
        if (tree === "") throw new GitFailure("merge-tree", code, stderr);
        return code === 0 ? { tree: objectId(tree) } : { conflicts: [...new Set(files)] };
      }),

    commit: (repo, tree, parent, message) =>
      inMirror(context, repo, async (dir) => {
        const commit = await commitTree(dir, tree, parent, message);
        return { commit, files: await filesOf(dir, parent, commit) };
      }),
  };
}

/** Bytes that a patch has at least: what a file grew or shrank by stands in it. */
async function leastPatch(dir: string, from: string, to: string): Promise<number> {
  const files = await changedObjects(dir, from, to);
  const sizes = await sizesOf(
    dir,
    [...new Set(files.flatMap(({ oldId, newId }) => [oldId, newId]))],
    {},
  );
  // A submodule's commit has no size here, nor has what is not there.
  const size = (id: string) => sizes.get(id) || 0;
  return files.reduce((sum, { oldId, newId }) => sum + Math.abs(size(newId) - size(oldId)), 0);
}

function tooMuch(error: unknown): null {
  if (error instanceof GitFailure && /attempting to allocate/.test(error.stderr)) return null;
  throw error;
}

/** What a commit changed since its parent. */
async function filesOf(dir: string, parent: string, commit: string): Promise<ChangedFile[]> {
  const { files } = await followLinks(dir, commit, await changedFiles(dir, parent, commit));
  return files.map(({ oldId: _, newId: __, ...file }) => file);
}

/** No file of a tree is called that, but git would make something of it. */
function isNoName(component: string): boolean {
  return component === "" || component === "." || component === "..";
}

async function diff(dir: string, from: string, to: string, maxBytes: number): Promise<string> {
  const flags = ["-p", "-r", "--find-renames", "--no-ext-diff", "--no-textconv", "--no-color"];
  const args = [...LARGE_IS_BINARY, "diff-tree", ...flags, "--end-of-options", from, to];
  const running = startGit(dir, args);
  const chunks: Buffer[] = [];
  let size = 0;
  running.child.stdout?.on("data", (chunk: Buffer) => {
    if (size <= maxBytes) chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) running.kill();
  });
  const { code, stderr } = await running.ended;
  const bytes = Buffer.concat(chunks);
  if (size > maxBytes) {
    const end = bytes.subarray(0, maxBytes).lastIndexOf(10) + 1;
    return `${bytes.subarray(0, end)}[... the rest of the diff is left out: it is longer than ${maxBytes} bytes ...]\n`;
  }
  if (code !== 0) throw new GitFailure("diff-tree", code, stderr);
  return bytes.toString();
}
