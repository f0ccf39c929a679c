import type { ChangedObject } from "./changed-files.ts";
import { git, gitBytes, gitRecords } from "./run-git.ts";

/** The longest target that is read; systems take no longer one. */
const MAX_TARGET_BYTES = 4096;
/** Links that a system follows on one way before it calls it a loop. */
const MAX_HOPS = 40;
/** Directories that are passed on the ways of all links of one change; real ones need a thousandth of it. */
const MAX_WORK = 10_000_000;

/** Symbolic links of a tree, by path; null where the target is too long to be one, or cannot be told. */
export type Links = Map<string, string | null>;

/**
 * The changed files of `tree`, each new or changed link with the path it leads to at last, through
 * every other link of the tree. It stays null where a link leaves the tree or leads round in circles, and
 * where so many have such long ways that to follow them all would take minutes.
 */
export async function followLinks(
  dir: string,
  tree: string,
  files: ChangedObject[],
  env: Record<string, string> = {},
): Promise<{ files: ChangedObject[]; links: Links }> {
  if (!files.some(isLink)) return { files, links: new Map() };
  const links = await linksOf(dir, tree, env);
  const work = { left: MAX_WORK };
  const followed = files.map((file) =>
    isLink(file) ? { ...file, leadsTo: whereTo(file.path, links, work) } : file,
  );
  return { files: followed, links };
}

/**
 * Where a path of the tree leads when every link on the way is followed; null when out of the tree, or
 * when no `work` is left to find out.
 */
export function whereTo(path: string, links: Links, work = { left: MAX_WORK }): string | null {
  const ahead = path.split("/");
  const behind: string[] = [];
  let hops = 0;
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    work.left -= behind.length + 1;
    if (work.left < 0) return null;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (behind.pop() === undefined) return null;
      continue;
    }
    const target = links.get([...behind, name].join("/"));
    if (target === undefined) {
      behind.push(name);
      continue;
    }
    hops += 1;
    if (target === null || target.startsWith("/") || hops > MAX_HOPS) return null;
    ahead.unshift(...target.split("/"));
  }
  return behind.join("/");
}

function isLink(file: ChangedObject): boolean {
  return file.newMode === "120000";
}

async function linksOf(dir: string, tree: string, env: Record<string, string>): Promise<Links> {
  const ids: { path: string; id: string }[] = [];
  const args = ["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree];
  for await (const record of gitRecords(dir, args, env)) {
    const [, id = "", path = ""] = /^120000 blob ([0-9a-f]+)\t(.*)$/s.exec(record.toString()) ?? [];
    if (id !== "") ids.push({ path, id });
  }
  const targets = await targetsOf(dir, [...new Set(ids.map(({ id }) => id))], env);
  const links: Links = new Map();
  for (const { path, id } of ids) {
    // Names that are not UTF-8 may look the same: nobody knows which of them leads where.
    links.set(path, links.has(path) ? null : (targets.get(id) ?? null));
  }
  return links;
}

/** Texts of small objects; larger ones are left out. */
async function targetsOf(
  dir: string,
  ids: string[],
  env: Record<string, string>,
): Promise<Map<string, string>> {
  const sizes = await sizesOf(dir, ids, env);
  const small = ids.filter((id) => (sizes.get(id) ?? Infinity) <= MAX_TARGET_BYTES);
  const texts = new Map<string, string>();
  if (small.length === 0) return texts;
  const output = await gitBytes(dir, ["cat-file", "--batch"], {
    input: small.map((id) => `${id}\n`).join(""),
    maxBytes: small.length * (MAX_TARGET_BYTES + 200),
    env,
  });
  for (let at = 0; output !== null && at < output.length; ) {
    const end = output.indexOf(10, at);
    const [id = "", , size = "0"] = output.subarray(at, end).toString().split(" ");
    texts.set(id, output.subarray(end + 1, end + 1 + Number(size)).toString());
    at = end + 1 + Number(size) + 1;
  }
  return texts;
}

/** Bytes of objects, by id. */
export async function sizesOf(
  dir: string,
  ids: string[],
  env: Record<string, string>,
): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const { stdout } = await git(dir, ["cat-file", "--batch-check=%(objectname) %(objectsize)"], {
    input: ids.map((id) => `${id}\n`).join(""),
    env,
  });
  const lines = stdout.split("\n").map((line) => line.split(" "));
  return new Map(lines.map(([id = "", size = ""]) => [id, Number(size)]));
}
