import { chown, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Workspace } from "../../src/core/ports.ts";
import { TEST_USER } from "./workspace.ts";

/** Puts a file into the tree, with its directories, as if a command of the job had made it. */
export async function putFile(
  workspace: Workspace,
  name: string,
  content: string | Uint8Array,
): Promise<void> {
  const file = path.join(workspace.tree, name);
  const first = await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  if (TEST_USER === null) return;
  const uid = workspace.uid ?? TEST_USER.uid;
  await chown(file, uid, TEST_USER.gid);
  if (first === undefined) return;
  for (let dir = path.dirname(file); dir.startsWith(first); dir = path.dirname(dir)) {
    await chown(dir, uid, TEST_USER.gid);
  }
}
