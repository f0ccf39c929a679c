import { objectId } from "./names.ts";
import { git } from "./run-git.ts";

/** Nobody's: GitHub would show a commit from one of its own noreply addresses as that user's work. */
export const EMAIL = "draftsmith@noreply.invalid";

const IDENTITY = {
  GIT_AUTHOR_NAME: "Draftsmith",
  GIT_AUTHOR_EMAIL: EMAIL,
  GIT_COMMITTER_NAME: "Draftsmith",
  GIT_COMMITTER_EMAIL: EMAIL,
};

/** Makes a commit of `tree` on `parent`, if it has one, with our fixed identity, and gives its id. */
export async function commitTree(
  dir: string,
  tree: string,
  parent: string | null,
  message: string,
): Promise<string> {
  const onto = parent === null ? [] : ["-p", objectId(parent)];
  const { stdout } = await git(dir, ["commit-tree", objectId(tree), ...onto], {
    // A commit cannot hold NUL, and an empty input would leave git waiting.
    input: `${message.replaceAll("\0", "").trimEnd()}\n`,
    env: IDENTITY,
  });
  return objectId(stdout.trim());
}

/** The tree of a commit. Throws GitFailure when the commit is not there. */
export async function treeOf(dir: string, commit: string): Promise<string> {
  const { stdout } = await git(dir, ["rev-parse", "--verify", `${objectId(commit)}^{tree}`]);
  return objectId(stdout.trim());
}
