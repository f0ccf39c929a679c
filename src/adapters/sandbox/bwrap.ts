import path from "node:path";

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
  /** Host path of the proxy's socket, once the proxy runs. */
  socket: string | null;
  /** Whether this command may reach the proxy. */
  network: boolean;
}

/** Where a command with network finds the proxy: `/dev` is new for every command, so no job can plant a link there. */
const SOCKET = "/dev/draftsmith-proxy";

const NEEDED = ["--unshare-net", "--unshare-pid", "--unshare-user", "--die-with-parent", "--proc"];

/** Empty directories that programs expect below `/`, whatever the host has there. */
const EXPECTED = [
  ...["/etc", "/home", "/media", "/mnt", "/opt", "/root", "/run", "/srv", "/sys", "/tmp", "/var"],
];

/**
 * The bubblewrap arguments that srt prepared, narrowed to what a job needs: a root of its own in place
 * of the host's with masks over it, no System V or POSIX message IPC shared between jobs of one uid, no
 * capability (srt plans for its own uid 0, which bubblewrap does not run as here), the proxy's socket
 * only for a command with network, `/tmp` backed by the job's own directory, all else read-only. Throws
 * when the line has not the shape this was written for.
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
    else if (word === "--bind" && next === to.socket) at += 2;
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
      if (EXPECTED.includes(next) || prepared.slice(at + 2).some((each) => isBelow(next, each))) {
        options.push(word, next);
        if (next !== "/tmp") kept.push(next);
      }
      at += 1;
    } else options.push(word);
  }
  for (const { descriptor, name } of to.files) {
    options.push("--ro-bind-data", String(descriptor), name);
  }
  for (const mask of [...kept, "/"]) options.push("--remount-ro", mask);
  const command = words.slice(end);
  if (to.socket === null) return [to.bwrap, ...options, ...command];
  const socket = to.socket;
  if (!to.network) return [to.bwrap, ...options, ...withoutRelays(command)];
  options.push("--ro-bind", socket, SOCKET);
  return [to.bwrap, ...options, ...command.map((word) => word.replaceAll(socket, SOCKET))];
}

function isBelow(dir: string, name: string): boolean {
  return name.startsWith(`${dir}/`);
}

/**
 * What srt runs where it has no proxy: once the proxy runs it starts relays for every command, in a
 * script whose last line is the command proper.
 */
function withoutRelays(command: string[]): string[] {
  const script = shellWords(command.at(-1) ?? "").at(-1) ?? "";
  const last = script.split("\n").at(-1) ?? "";
  if (!script.includes("UNIX-CONNECT") || !/^\w+=0 .*\/apply-seccomp .* -c /.test(last)) {
    throw new Error("sandbox-runtime prepared relays of an unexpected shape");
  }
  return [...command.slice(0, -1), last];
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
