/** What `narrow` needs to know about the line. */
export interface Narrowing {
  /** The program the line must start with. */
  bwrap: string;
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

/**
 * The bubblewrap arguments that srt prepared, narrowed to what a job needs: no System V or POSIX
 * message IPC shared between jobs of one uid, no capability (srt plans for its own uid 0, which
 * bubblewrap does not run as here), the proxy's socket only for a command with network, `/tmp` backed
 * by the job's own directory, every other mask read-only. Throws when the line has not the shape this
 * was written for.
 */
export function narrow(line: string, to: Narrowing): string[] {
  const words = shellWords(line);
  const end = words.indexOf("--");
  const prepared = words.slice(1, end);
  const masks = prepared.flatMap((word, at) =>
    word === "--tmpfs" ? [prepared[at + 1] ?? ""] : [],
  );
  const missing = NEEDED.filter((each) => !prepared.includes(each));
  if (words[0] !== to.bwrap || end < 1 || missing.length > 0 || !masks.includes("/tmp")) {
    throw new Error(
      `sandbox-runtime prepared an unexpected command (without ${missing.join(" ")})`,
    );
  }
  const options: string[] = ["--unshare-ipc"];
  for (let at = 0; at < prepared.length; at += 1) {
    const word = prepared[at] ?? "";
    const next = prepared[at + 1] ?? "";
    if (word === "--cap-add") at += 1;
    else if (word === "--bind" && next === to.socket) at += 2;
    else if (word === "--tmpfs" && next === "/tmp" && to.tmp !== null) {
      options.push("--bind", to.tmp, "/tmp");
      at += 1;
    } else options.push(word);
  }
  for (const mask of masks) if (mask !== "/tmp") options.push("--remount-ro", mask);
  const command = words.slice(end);
  if (to.socket === null) return [to.bwrap, ...options, ...command];
  const socket = to.socket;
  if (!to.network) return [to.bwrap, ...options, ...withoutRelays(command)];
  options.push("--ro-bind", socket, SOCKET);
  return [to.bwrap, ...options, ...command.map((word) => word.replaceAll(socket, SOCKET))];
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
