import type { TreeEntry, TreeFiles } from "../core/ports.ts";

/** Links that are followed on the way to one place; as many as Linux follows. */
const MAX_HOPS = 40;
const MAX_TARGET_BYTES = 4096;

/** What a path leads to in the end, or why it leads nowhere: `broken` tells what is wrong with a link on the way. */
export type Place =
  | { kind: "folder" | "file" | "submodule"; path: string }
  | { kind: "nothing" }
  | { kind: "broken"; why: string };

/** Follows the links on a path and at its end, as a file system would, and never out of the repository. */
export async function placeInTree(files: TreeFiles, path: string): Promise<Place> {
  // Most paths have no link before their end: one look instead of one for each folder on the way.
  const whole = await files.entry(path);
  if (whole !== null && whole.mode !== "120000") return { kind: kindOf(whole), path };
  const left = path.split("/");
  const here: string[] = [];
  let kind: "folder" | "file" = "folder";
  let hops = 0;
  const broken = (why: string): Place => ({ kind: "broken", why });
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (here.pop() === undefined) return broken("leads out of this repository");
      continue;
    }
    const at = [...here, name].join("/");
    const entry: TreeEntry | null = kind === "folder" ? await files.entry(at) : null;
    if (entry === null)
      return hops === 0 ? { kind: "nothing" } : broken("leads to no folder of this repository");
    if (entry.mode !== "120000") {
      here.push(name);
      const found = kindOf(entry);
      // What is in it belongs to another repository.
      if (found === "submodule") return { kind: found, path: here.join("/") };
      kind = found;
      continue;
    }
    hops += 1;
    if (hops > MAX_HOPS) return broken("leads in a circle");
    if (entry.size > MAX_TARGET_BYTES) return broken("leads to no folder of this repository");
    const target = Buffer.from(await files.bytes(entry.id, MAX_TARGET_BYTES)).toString();
    if (target.startsWith("/")) return broken("leads out of this repository");
    if (target.includes("\0")) return broken("leads to no folder of this repository");
    left.unshift(...target.split("/"));
  }
  return { kind, path: here.join("/") };
}

function kindOf({ mode }: TreeEntry): "folder" | "file" | "submodule" {
  if (mode === "160000") return "submodule";
  return mode === "040000" ? "folder" : "file";
}
