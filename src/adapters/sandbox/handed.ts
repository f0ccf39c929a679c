import type { SandboxUser } from "./toolchain.ts";

/** Name of the machine inside: the host's own says something about its network. */
export const HOSTNAME = "sandbox";

/** Descriptors on which bubblewrap finds what comes from no file of the host inside; bash keeps 10 and above for itself. */
const FILTER = 9;
const FIRST_FILE = 4;

/** Files of `/etc` made for a command: the host's name its accounts and its neighbours. */
function filesFor(user: SandboxUser, home: string): { name: string; text: string }[] {
  const { uid, gid } = user;
  return [
    {
      name: "/etc/passwd",
      text: [
        "root:x:0:0:root:/root:/usr/sbin/nologin",
        `agent:x:${uid}:${gid}:agent:${home}:/bin/sh`,
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
      ].join("\n"),
    },
    { name: "/etc/group", text: ["root:x:0:", `agent:x:${gid}:`, "nogroup:x:65534:"].join("\n") },
    {
      name: "/etc/hosts",
      text: `127.0.0.1 localhost ${HOSTNAME}\n::1 localhost ip6-localhost ip6-loopback`,
    },
  ];
}

/** What is handed to bubblewrap on descriptors, and the words that open them before it starts. */
export interface Handed {
  files: { descriptor: number; name: string }[];
  filter: number | null;
  /** The argument vector that starts `argv` with the descriptors open. */
  open(argv: string[]): string[];
}

/** Prepares the descriptors of one command; `filter` is the file that holds our filter of system calls. */
export function hand(from: {
  bash: string;
  filter: string | null;
  user: SandboxUser;
  home: string;
}): Handed {
  const made = filesFor(from.user, from.home);
  const files = made.map(({ name }, at) => ({ descriptor: FIRST_FILE + at, name }));
  const texts = made.map((_, at) => `${FIRST_FILE + at}<<<"$${at + 2}"`);
  const shifted = made.length + 1;
  const filter = from.filter === null ? "" : `${FILTER}<"$1"`;
  // A file that comes by a descriptor has mode 0666 less the umask; bubblewrap itself minds none.
  const script = `exec ${filter} ${texts.join(" ")}; shift ${shifted}; exec "$@"`;
  return {
    files,
    filter: from.filter === null ? null : FILTER,
    open: (argv) => [
      from.bash,
      "-c",
      script,
      "bash",
      from.filter ?? "",
      ...made.map(({ text }) => text),
      ...argv,
    ],
  };
}
