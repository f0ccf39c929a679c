import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** Where the server itself stands in the kernel's control groups. */
export interface OwnGroups {
  /** Own directory in the unified hierarchy (v2); null where it is not mounted. */
  unified: string | null;
  /** Own directory of each controller of the older hierarchies (v1). */
  legacy: Map<string, string>;
}

/** Reads `mountinfo` and `cgroup` of a process, `/proc/self` unless told otherwise. */
export function findOwnGroups(self = "/proc/self"): OwnGroups {
  const own: OwnGroups = { unified: null, legacy: new Map() };
  const paths = ownPaths(textOf(path.join(self, "cgroup")));
  for (const mount of mountsOf(textOf(path.join(self, "mountinfo")))) {
    if (mount.type === "cgroup2") {
      own.unified ??= place(mount, paths.get("") ?? "/");
    } else if (mount.type === "cgroup") {
      for (const name of mount.options) {
        const at = paths.get(name);
        if (at !== undefined && !own.legacy.has(name)) own.legacy.set(name, place(mount, at));
      }
    }
  }
  return own;
}

interface Mount {
  /** The part of the hierarchy that is mounted here. */
  root: string;
  point: string;
  type: string;
  options: string[];
}

/** Lines such as `32 24 0:28 /part /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory`. */
function mountsOf(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [, , , root, point] = left.split(" ");
    const [type, , options = ""] = right.split(" ");
    if (root === undefined || point === undefined || type === undefined) return [];
    return [{ root: plain(root), point: plain(point), type, options: options.split(",") }];
  });
}

/** Own paths by controller; the unified hierarchy has the empty name. */
function ownPaths(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, names, at] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const name of (names ?? "").split(",")) if (at !== undefined) paths.set(name, at);
  }
  return paths;
}

/**
 * The directory that stands for `own` below a mount. In a container the path may be the host's, of
 * which only the container's own part is mounted: then the mount point itself is meant.
 */
function place({ root, point }: Mount, own: string): string {
  const relative = path.relative(root, own);
  const dir = path.join(point, relative);
  return relative.startsWith("..") || !existsSync(dir) ? point : dir;
}

function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
