import { git } from "../../demo/github/bare.ts";

/** A person pushes one file to a branch of the bare repository; its commit. */
export async function pushFile(
  world: { bare: string },
  branch: string,
  path: string,
  content: string,
): Promise<string> {
  const blob = await git(world.bare, ["hash-object", "-w", "--stdin"], { input: content });
  const tree = await git(world.bare, ["ls-tree", branch]);
  const lines = tree.split("\n").filter((line) => line !== "" && !line.endsWith(`\t${path}`));
  const input = `${[...lines, `100644 blob ${blob}\t${path}`].join("\n")}\n`;
  const made = await git(world.bare, ["mktree"], { input });
  const parent = await git(world.bare, ["rev-parse", branch]);
  const person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  const commit = await git(world.bare, [
    ...person,
    "commit-tree",
    made,
    "-p",
    parent,
    "-m",
    "Mine",
  ]);
  await git(world.bare, ["update-ref", `refs/heads/${branch}`, commit]);
  return commit;
}
