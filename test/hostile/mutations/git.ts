import type { Edit, Mutation } from "./mutation.ts";

const RUN = "src/adapters/git/run-git.ts";
const MIRROR = "src/adapters/git/mirror.ts";
const SNAPSHOT = "src/adapters/git/snapshot.ts";
const TAKE = "src/adapters/git/take.ts";
const GATES = "src/adapters/git/gates.ts";
const OPEN = "src/adapters/git/open.ts";
const OBJECTS = "src/adapters/git/objects.ts";
const NAMES = "src/adapters/git/names.ts";
const LAYOUT = "src/adapters/git/layout.ts";

/** What a simple controller would do: git on the host, in the agent's tree, with its hooks switched off. */
const NAIVE: Edit = {
  file: SNAPSHOT,
  find: "const parentTree = await treeOf(dir, parent);",
  replace: `const parentTree = await treeOf(dir, parent);
      const git = "git -c safe.directory=* -c user.name=x -c user.email=x";
      (await import("node:child_process")).spawnSync("sh", ["-c", \`\${git} status; \${git} add -A; \${git} diff HEAD; \${git} commit -qam x\`], {
        cwd: place.tree,
        env: { PATH: "/usr/bin:/bin", HOME: place.home },
        stdio: "ignore",
      });`,
};

const naive = (attack: string): Mutation => ({
  attack,
  defence: "the host never runs git in an agent's tree",
  ...NAIVE,
});

/** A check that is never true. */
const without = (file: string, find: string): Edit => ({
  file,
  find,
  replace: find.replace("if (", "if (Number.NaN === 0 && "),
});

const KEEPS_CONFIG: Edit = {
  file: MIRROR,
  find: "  await writeConfig(dir);\n}\n\nasync function writeConfig",
  replace: "}\n\nasync function writeConfig",
};

const INCOMING = "src/adapters/git/incoming.ts";
const NO_STRICT: Edit = { file: INCOMING, find: '"--strict", ', replace: "" };

const mutations: Mutation[] = [
  {
    attack: "git-01",
    defence: "the host never runs git in an agent's tree, whose .git file is mounted read-only",
    edits: [
      NAIVE,
      {
        file: "src/adapters/sandbox/boundary.ts",
        find: "denyWrite: (await pointer(workspace)).map(literal),",
        replace: "denyWrite: (await pointer(workspace)).slice(1).map(literal),",
      },
    ],
  },
  naive("git-02"),
  naive("git-03"),
  naive("git-04"),
  {
    attack: "git-05",
    defence: "nested repositories are refused",
    ...without(GATES, "if (submodules.length > 0) {"),
  },
  {
    attack: "git-06",
    defence: "submodules are refused, and objects are checked",
    edits: [without(GATES, "if (submodules.length > 0) {"), NO_STRICT],
  },
  {
    attack: "git-07",
    defence: "links out of the tree are refused",
    ...without(GATES, "if (leaving.length > 0) {"),
  },
  {
    attack: "git-08",
    defence: "three looks at names that fold to .git",
    edits: [
      {
        file: TAKE,
        find: "protectHFS = true\nprotectNTFS = true\n",
        replace: "protectHFS = false\nprotectNTFS = false\n",
      },
      { file: GATES, find: "if (odd.length > 0)", replace: "if (odd.length < 0)" },
      NO_STRICT,
    ],
  },
  {
    attack: "git-09",
    defence: "names are read up to NUL",
    file: "src/adapters/git/changed-files.ts",
    find: 'return output.toString().split("\\0");',
    replace: "return output.toString().split(/\\0|\\n|\\t/);",
  },
  {
    attack: "git-10",
    defence: "a snapshot starts from the index that the host kept",
    edits: [
      {
        file: TAKE,
        find: 'cp -p -- "$index" "$GIT_DIR/index"',
        replace: 'cp -p -- "$tree/../git/index" "$GIT_DIR/index"',
      },
      {
        file: TAKE,
        find: "writable: [place.tree, gitDir, place.home, place.tmp],",
        replace: "writable: [place.tree, gitDir, place.git, place.home, place.tmp],",
      },
    ],
  },
  {
    attack: "git-11",
    defence: "what git cannot read is told, and large files are refused",
    edits: [{ file: GATES, find: "if (large.length > 0)", replace: "if (large.length < 0)" }],
  },
  {
    attack: "git-12",
    defence: "removing follows no link",
    file: LAYOUT,
    find: 'const removed = await run("rm", ["-rf", "--", dir]);',
    replace: 'const removed = await run("find", ["-L", dir, "-delete"]);',
  },
  {
    attack: "git-13",
    defence: "a workspace shows the objects of its own mirror only",
    file: OPEN,
    find: 'const readable = [path.join(dir, "objects")];',
    replace: 'const readable = [path.join(dir, "..")];',
  },
  {
    attack: "git-14",
    defence: "hooks of a mirror are off, and removed",
    edits: [
      { file: RUN, find: '  "core.hooksPath=/dev/null",\n', replace: "" },
      { file: MIRROR, find: '"config.worktree", "hooks", ', replace: '"config.worktree", ' },
    ],
  },
  {
    attack: "git-15",
    defence: "a mirror's configuration is compared before each use",
    ...KEEPS_CONFIG,
  },
  {
    attack: "git-16",
    defence:
      "a mirror's configuration is compared, and only the protocol of the address is allowed",
    edits: [
      KEEPS_CONFIG,
      { file: RUN, find: '  "protocol.ext.allow=never",\n', replace: "" },
      {
        file: "src/adapters/git/remote.ts",
        find: "    GIT_ALLOW_PROTOCOL: url.protocol.slice(0, -1),\n",
        replace: "",
      },
    ],
  },
  {
    attack: "git-17",
    defence: "other directories named in a mirror are removed",
    file: MIRROR,
    find: "for (const name of FOREIGN.filter((_, at) => found[at] !== null)) {",
    replace: "for (const name of FOREIGN.filter((_, at) => found[at] === dir)) {",
  },
  {
    attack: "git-18",
    defence: "replaced commits are not looked at, and removed",
    edits: [
      { file: RUN, find: '  GIT_NO_REPLACE_OBJECTS: "1",\n', replace: "" },
      { file: MIRROR, find: ', "refs/replace"]', replace: "]" },
    ],
  },
  {
    attack: "git-19",
    defence: "git's environment is built from nothing",
    edits: [
      {
        file: RUN,
        find: "env: { ...ENVIRONMENT, ...options.env,",
        replace: "env: { ...process.env, ...ENVIRONMENT, ...options.env,",
      },
    ],
  },
  {
    attack: "git-20",
    defence: "the checkout knows the names of .git on other systems",
    file: OPEN,
    find: "git config core.protectHFS true\ngit config core.protectNTFS true\n",
    replace: "git config core.protectHFS false\ngit config core.protectNTFS false\n",
  },
  {
    attack: "git-21",
    defence: "directories are counted before a checkout",
    file: OPEN,
    find: "Math.max(files, directories)",
    replace: "files",
  },
  {
    attack: "git-22",
    defence: "refs have names of plain ASCII",
    ...without(NAMES, "if (!plain || !safe || parts.length < 3"),
  },
  {
    attack: "git-23",
    defence: "an object is named by its full id",
    ...without(NAMES, "if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) {"),
  },
  {
    attack: "git-24",
    defence: "only regular files of a commit are read",
    file: OBJECTS,
    find: "/^100[67][45][45] blob",
    replace: "/^1[02]0[0-7]{3} blob",
  },
  {
    attack: "git-25",
    defence: "objects are checked one by one before they count",
    ...NO_STRICT,
  },
  {
    attack: "git-26",
    defence: "what a snapshot names must be a tree",
    file: SNAPSHOT,
    find: "if (!stdout.startsWith(`${tree} tree `))",
    replace: 'if (stdout === "")',
  },
  {
    attack: "git-27",
    defence: "lines of large files are not counted",
    file: "src/adapters/git/changed-files.ts",
    find: "core.bigFileThreshold=16m",
    replace: "core.bigFileThreshold=1g",
  },
  {
    attack: "git-28",
    defence: "what is certain to be too large is not compared",
    file: OBJECTS,
    find: "if ((await leastPatch(dir, ...both)) > maxBytes) return null;",
    replace: "",
  },
  {
    attack: "git-29",
    defence: "git may ask for so much memory to compare lines",
    file: OBJECTS,
    find: 'GIT_ALLOC_LIMIT: "256m"',
    replace: 'GIT_ALLOC_LIMIT: "4g"',
  },
];

export default mutations;
