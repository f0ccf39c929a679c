import type { Edit, Mutation } from "./mutation.ts";

const BWRAP = "src/adapters/sandbox/bwrap.ts";
const LAUNCH = "src/adapters/sandbox/launch.ts";
const PRELUDE = "src/adapters/sandbox/prelude.ts";
const SANDBOX = "src/adapters/sandbox.ts";
const BOUNDARY = "src/adapters/sandbox/boundary.ts";

/** The server tries its sandbox before it trusts it, which would hide that a part of it is missing. */
const UNPROBED: Edit = {
  file: "src/adapters/sandbox/assess.ts",
  find: "if (holes.length === 0) return { ok: true };",
  replace: "return { ok: true };",
};

/** srt's helper holds two filters of system calls and a process table. */
const NO_HELPER: Edit = {
  file: BWRAP,
  find: 'const [, shell = "", flag = "", last = ""] = words.slice(end);',
  replace:
    'const [, shell = "", flag = "", last = ""] = words.slice(end).map((each) => each.replace(/^SRT\\S+ \\S+apply-seccomp /, ""));',
};

const NO_FILTER: Edit = {
  file: BWRAP,
  find: "if (to.filter !== null) options.push",
  replace: "if (to.filter === -1) options.push",
};

const KEEP = "} else options.push(word);";
const WITHOUT = (...cases: string[]): Edit => ({
  file: BWRAP,
  find: KEEP,
  replace: `} ${cases.join(" ")} else options.push(word);`,
});

const HOST_PROCESSES = [
  `else if (word === "--unshare-pid") options.push("--ro-bind", "/proc", "/proc");`,
  `else if (word === "--proc") at += 1;`,
];

const LEAKY_ENVIRONMENT: Edit[] = [
  { file: LAUNCH, find: "env: { PATH:", replace: "env: { ...process.env, PATH:" },
  { file: PRELUDE, find: "`exec ${quote(start.env)} -i", replace: "`exec ${quote(start.env)}" },
];

/** The whole root of the host, read-only: what a simpler sandbox shows. */
const HOST_ROOT: Edit[] = [
  {
    file: BWRAP,
    find: 'for (const dir of to.root.dirs) options.push("--ro-bind", dir, dir);',
    replace: 'options.push("--ro-bind", "/", "/");',
  },
  {
    file: BWRAP,
    find: 'if (path.dirname(next) !== "/" || EXPECTED.includes(next) || shown) {',
    replace: 'if (next === "/etc") {',
  },
  UNPROBED,
];

const mutations: Mutation[] = [
  {
    attack: "sandbox-01",
    defence: "the environment is built from nothing, twice",
    edits: LEAKY_ENVIRONMENT,
  },
  { attack: "sandbox-02", defence: "the host's root is not shown", edits: HOST_ROOT },
  {
    attack: "sandbox-03",
    defence: "a process table of its own",
    edits: [WITHOUT(...HOST_PROCESSES), NO_HELPER, UNPROBED],
  },
  { attack: "sandbox-04", defence: "our filter of system calls", edits: [NO_FILTER, UNPROBED] },
  {
    attack: "sandbox-05",
    defence: "inherited descriptors are closed",
    file: LAUNCH,
    find: 'eval "exec $fd>&-"',
    replace: ":",
  },
  {
    attack: "sandbox-06",
    defence: "Unix sockets are filtered, and the network is another",
    edits: [WITHOUT('else if (word === "--unshare-net") continue;'), NO_HELPER, UNPROBED],
  },
  {
    attack: "sandbox-07",
    defence: "setup and checks run in the same sandbox",
    edits: LEAKY_ENVIRONMENT,
  },
  {
    attack: "sandbox-08",
    defence:
      "the host's root is not shown, workspaces cannot be listed, and each has a uid of its own",
    edits: [
      ...HOST_ROOT,
      { file: "src/adapters/git/owner.ts", find: "if (!taken.has(uid))", replace: "if (uid > 0)" },
      {
        file: "src/adapters/git/layout.ts",
        find: "chmodSync(dir, user === null ? 0o700 : 0o710);",
        replace: "chmodSync(dir, 0o755);",
      },
    ],
  },
  {
    attack: "sandbox-09",
    defence: "every workspace has a home of its own, made new",
    file: "src/adapters/git/layout.ts",
    find: 'home: inside("home"),',
    replace: 'home: path.join(workDir, "home"),',
  },
  {
    attack: "sandbox-11",
    defence: "commands run as an unprivileged uid",
    edits: [{ file: LAUNCH, find: "...(request.user ?? {}),", replace: "" }, UNPROBED],
  },
  {
    attack: "sandbox-12",
    defence: "srt's filter of namespaces",
    edits: [NO_HELPER, UNPROBED],
  },
  {
    attack: "sandbox-13",
    defence: "srt's filter of namespaces and mounts",
    edits: [NO_HELPER, UNPROBED],
  },
  {
    attack: "sandbox-14",
    defence: "our filter of system calls",
    edits: [NO_FILTER, UNPROBED],
  },
  {
    attack: "sandbox-15",
    defence: "both filters of socket families",
    edits: [NO_FILTER, NO_HELPER, UNPROBED],
  },
  {
    attack: "sandbox-16",
    defence: "our filter of terminal requests",
    edits: [NO_FILTER, UNPROBED],
  },
  {
    attack: "sandbox-17",
    defence: "the limit on core dumps that holds for handlers, too",
    file: LAUNCH,
    find: "prlimit --core=1 --pid $$ 2>/dev/null || ",
    replace: "",
  },
  {
    attack: "sandbox-18",
    defence: "the worktree's .git file is mounted read-only",
    file: BOUNDARY,
    find: "denyWrite: (await pointer(workspace)).map(literal),",
    replace: "denyWrite: (await pointer(workspace)).slice(1).map(literal),",
  },
  {
    attack: "sandbox-19",
    defence: "both looks at the working directory",
    edits: [
      {
        file: SANDBOX,
        find: 'if (!contains(tree, path.resolve(tree, command.cwd ?? ".")))',
        replace: 'if (tree === "")',
      },
      { file: PRELUDE, find: "  ${quote(start.tree)}/*) ;;`,", replace: "  /*) ;;`," },
    ],
  },
  {
    attack: "sandbox-20",
    defence: "names of variables are checked",
    file: SANDBOX,
    find: "if (!/^[A-Za-z_]\\w*$/.test(name))",
    replace: 'if (name === "")',
  },
  {
    attack: "sandbox-21",
    defence: "paths of a workspace are resolved before they are mounted",
    file: BOUNDARY,
    find: "if (real !== dir) throw",
    replace: 'if (real === "") throw',
  },
  {
    attack: "sandbox-22",
    defence: "the host's root is not shown",
    edits: [
      {
        file: BWRAP,
        find: 'for (const dir of to.root.dirs) options.push("--ro-bind", dir, dir);',
        replace: 'options.push("--ro-bind", "/", "/");',
      },
      UNPROBED,
    ],
  },
  {
    attack: "sandbox-23",
    defence: "a namespace of its own for System V objects",
    file: BWRAP,
    find: '["--unshare-ipc", "--unshare-uts"',
    replace: '["--unshare-uts"',
  },
  {
    attack: "sandbox-24",
    defence: "a /dev of its own",
    edits: [
      WITHOUT(
        `else if (word === "--dev") { options.push("--dev-bind", "/dev", "/dev"); at += 1; }`,
      ),
      UNPROBED,
    ],
  },
  {
    attack: "sandbox-25",
    defence: "a process table of its own",
    edits: [WITHOUT(...HOST_PROCESSES), NO_HELPER, UNPROBED],
  },
  {
    attack: "sandbox-26",
    defence: "a process table of its own, which ends with the command",
    edits: [WITHOUT(...HOST_PROCESSES), NO_HELPER, UNPROBED],
  },
  {
    attack: "sandbox-27",
    defence: "beside programs only what a runtime needs is shown",
    file: "src/adapters/sandbox/toolchain.ts",
    find: "isJdk ? [...BESIDE_BIN, ...BESIDE_JDK] : BESIDE_BIN",
    replace: "[...BESIDE_BIN, ...BESIDE_JDK]",
  },
  {
    attack: "sandbox-28",
    defence: "what is hidden stays hidden below directories that are shown",
    file: BWRAP,
    find: 'if (path.dirname(next) !== "/" || EXPECTED.includes(next) || shown) {',
    replace: "if (EXPECTED.includes(next) || shown) {",
  },
];

export default mutations;
