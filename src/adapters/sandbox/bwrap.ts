import path from "node:path";
import { RELAY_SOCKET, type Relay, relayScript } from "./network/relay.ts";

/** What `narrow` needs to know about the line. */
export interface Narrowing {
  /** The program the line must start with. */
  bwrap: string;
  /** What of the host's `/` is shown: directories, and links with what they say. */
  root: { dirs: string[]; links: { name: string; target: string }[] };
  /** Name of the machine inside. */
  hostname: string;
  /** Files that come by a descriptor instead of from the host: its number, the path inside. */
  files: { descriptor: number; name: string }[];
  /** Descriptor of our own filter of system calls; null where there is none. */
  filter: number | null;
  /** Host directory to stand at `/tmp`; null for empty memory. */
  tmp: string | null;
  /** Host directory to stand at `/dev/shm`, so that what is put there takes no memory. */
  shm: string;
  /** Whether this bubblewrap can bound a directory in memory (0.7 or later can). */
  sizes: boolean;
  /** What leads to the proxy; null for a command that may not ask it. */
  relay: Relay | null;
}

const NEEDED = ["--unshare-net", "--unshare-pid", "--unshare-user", "--die-with-parent", "--proc"];

/** Size of `/tmp` in memory. */
const MEMORY_BYTES = 512 * 1024 * 1024;

/** Empty directories that programs expect below `/`, whatever the host has there. */
const EXPECTED = [
  ...["/etc", "/home", "/media", "/mnt", "/opt", "/root", "/run", "/srv", "/sys", "/tmp", "/var"],
];

/**
 * The bubblewrap arguments that srt prepared, narrowed to what a job needs: a root of its own in place
 * of the host's with masks over it, no System V or POSIX message IPC shared between jobs of one uid, no
 * capability (srt plans for its own uid 0, which bubblewrap does not run as here), a relay to the proxy
 * only for a command that may ask it, `/tmp` backed by the job's own directory, all else read-only.
 * Throws when the line has not the shape this was written for.
 */
export function narrow(line: string, to: Narrowing): string[] {
  const words = shellWords(line);
  const end = words.indexOf("--");
  const prepared = words.slice(1, end);
  const masks = prepared.flatMap((word, at) =>
    word === "--tmpfs" ? [prepared[at + 1] ?? ""] : [],
  );
  const missing = NEEDED.filter((each) => !prepared.includes(each));
  const roots = prepared.filter(
    (_, at) => prepared.slice(at, at + 3).join(" ") === "--ro-bind / /",
  );
  if (roots.length !== 1) missing.push("--ro-bind / /");
  if (words[0] !== to.bwrap || end < 1 || missing.length > 0 || !masks.includes("/tmp")) {
    throw new Error(
      `sandbox-runtime prepared an unexpected command (without ${missing.join(" ")})`,
    );
  }
  const options = ["--unshare-ipc", "--unshare-uts", "--hostname", to.hostname];
  options.push("--unshare-cgroup-try");
  if (to.filter !== null) options.push("--seccomp", String(to.filter));
  const kept: string[] = [];
  for (let at = 0; at < prepared.length; at += 1) {
    const word = prepared[at] ?? "";
    const [next = "", after = ""] = prepared.slice(at + 1, at + 3);
    if (word === "--cap-add") at += 1;
    else if (word === "--ro-bind" && next === "/" && after === "/") {
      // Without it bubblewrap's own root stands there: empty, and seen by nobody else.
      for (const { name, target } of to.root.links) options.push("--symlink", target, name);
      for (const dir of to.root.dirs) options.push("--ro-bind", dir, dir);
      at += 2;
    } else if (word === "--ro-bind" && next === "/dev/null" && path.dirname(after) === "/") {
      at += 2;
    } else if (word === "--tmpfs" && next === "/tmp" && to.tmp !== null) {
      options.push("--bind", to.tmp, "/tmp");
      at += 1;
    } else if (word === "--tmpfs") {
      // Right below the root only what programs expect, or what something is shown in.
      const shown = prepared.slice(at + 2).some((each) => isBelow(next, each));
      if (path.dirname(next) !== "/" || EXPECTED.includes(next) || shown) {
        if (next !== "/tmp") kept.push(next);
        else if (to.sizes) options.push("--size", String(MEMORY_BYTES));
        options.push(word, next);
      }
      at += 1;
    } else options.push(word);
  }
  for (const { descriptor, name } of to.files) {
    options.push("--ro-bind-data", String(descriptor), name);
  }
  options.push("--bind", to.shm, "/dev/shm");
  for (const mask of [...kept, "/"]) options.push("--remount-ro", mask);
  const [, shell = "", flag = "", last = ""] = words.slice(end);
  if (to.relay !== null) options.push("--ro-bind", to.relay.socket, RELAY_SOCKET);
  // It is memory, too, and as large as half of the machine's.
  options.push("--remount-ro", "/dev");
  if (to.relay === null) return [to.bwrap, ...options, "--", shell, flag, last];
  return [to.bwrap, ...options, "--", to.relay.bash, "-c", relayScript(to.relay, last)];
}

function isBelow(dir: string, name: string): boolean {
  return name.startsWith(`${dir}/`);
}

/** The words of a shell line that holds only plain words and quotes, which is all srt writes. */
function shellWords(line: string): string[] {
  return (line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) =>
    word.replace(
      /'([^']*)'|"([^"]*)"/g,
      (_, single?: string, double?: string) => single ?? double ?? "",
    ),
  );
}
