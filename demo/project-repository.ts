import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { git } from "./github/bare.ts";

const PROJECT = fileURLToPath(new URL("./project/", import.meta.url));

/** Makes a bare repository whose branch main has one commit: the sample project. Gives its commit. */
export async function createProjectRepository(bare: string): Promise<string> {
  await mkdir(bare);
  await git(bare, ["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  const env = {
    GIT_DIR: bare,
    GIT_WORK_TREE: PROJECT,
    GIT_INDEX_FILE: path.join(bare, "demo-index"),
    GIT_AUTHOR_NAME: "maintainer",
    GIT_AUTHOR_EMAIL: "maintainer@example.com",
    GIT_COMMITTER_NAME: "maintainer",
    GIT_COMMITTER_EMAIL: "maintainer@example.com",
  };
  await git(PROJECT, ["add", "--all", "."], { env });
  const tree = await git(bare, ["write-tree"], { env });
  const sha = await git(bare, ["commit-tree", tree, "-m", "Open the booking desk"], { env });
  await git(bare, ["update-ref", "refs/heads/main", sha]);
  return sha;
}
