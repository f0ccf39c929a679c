import type { Edit, Mutation } from "./mutation.ts";

const V1 = "src/adapters/sandbox/cgroup-v1.ts";
const V2 = "src/adapters/sandbox/cgroup-v2.ts";
const WATCHDOG = "src/adapters/sandbox/watchdog.ts";
const BOUNDS = "src/adapters/sandbox/bounds.ts";
const ACCOUNTS = "src/adapters/sandbox/accounts.ts";
const MEASURE = "src/adapters/sandbox/measure-disk.ts";

const noProcessLimit: Edit = {
  file: BOUNDS,
  find: "inside: [`ulimit -u ${limits.processes} 2>/dev/null`]",
  replace: "inside: []",
};
const noGroupOfProcesses: Edit = {
  file: V1,
  find: 'if (ownPids !== null) await setGroup(ownPids, "pids.max", processes);',
  replace: "",
};
const noGroupOfAllProcesses: Edit = {
  file: V1,
  find: 'if (pids) await setGroup(pids, "pids.max", processes * limits.jobs);',
  replace: "",
};
const without = (find: string): Edit => ({ file: V2, find, replace: "" });
const processes = [
  noProcessLimit,
  noGroupOfProcesses,
  noGroupOfAllProcesses,
  without('await setGroup(inner, "pids.max", processes);'),
  without('await setGroup(dir, "pids.max", processes * limits.jobs);'),
];

const noGroupOfMemory: Edit = {
  file: V1,
  find: "await boundMemory(path.join(memory, jobId), limits.memory);",
  replace: "",
};
const noSum: Edit = {
  file: WATCHDOG,
  find: "if (tree.memory + hidden <= limits.memory) continue;",
  replace: "continue;",
};
const memory = [
  noGroupOfMemory,
  without('await setGroup(inner, "memory.max", limits.memory);'),
  noSum,
];

const noDiskLimit: Edit = {
  file: ACCOUNTS,
  find: "if (disk.use.bytes > ceiling.bytes) return broken.disk(limits);",
  replace: "",
};

const mutations: Mutation[] = [
  { attack: "resources-01", defence: "limits of processes", edits: processes },
  { attack: "resources-02", defence: "limits of processes", edits: processes },
  { attack: "resources-03", defence: "memory of a control group, and the sum", edits: memory },
  { attack: "resources-04", defence: "memory of a control group, and the sum", edits: memory },
  { attack: "resources-05", defence: "memory of a control group", edits: memory },
  {
    attack: "resources-06",
    defence: "/dev read-only, /dev/shm on the disk",
    edits: [
      {
        file: "src/adapters/sandbox/bwrap.ts",
        find: 'options.push("--remount-ro", "/dev");',
        replace: "",
      },
      {
        file: "src/adapters/sandbox/bwrap.ts",
        find: 'options.push("--bind", to.shm, "/dev/shm");',
        replace: "",
      },
    ],
  },
  {
    attack: "resources-07",
    defence: "limit of one file",
    file: BOUNDS,
    find: "`-f ${kilobytes(Math.min(FILE_BYTES, limits.disk))}`,",
    replace: "",
  },
  {
    attack: "resources-08",
    defence: "no fallocate, nor its ioctls",
    edits: [
      {
        file: "src/adapters/sandbox/filter.ts",
        find: "...whenEqual(machine.fallocate, refuse(EOPNOTSUPP)),",
        replace: "",
      },
      {
        file: "src/adapters/sandbox/filter.ts",
        find: "const DISK_REQUESTS = [0x40305828, 0x4030582a, 0x40305839];",
        replace: "const DISK_REQUESTS = [1, 2, 3];",
      },
    ],
  },
  { attack: "resources-09", defence: "count of the disk", edits: [noDiskLimit] },
  {
    attack: "resources-10",
    defence: "count of files",
    file: ACCOUNTS,
    find: "return disk.use.files > ceiling.files ? broken.files(limits) : null;",
    replace: "return null;",
  },
  {
    attack: "resources-11",
    defence: "look at deleted files that are open",
    file: WATCHDOG,
    find: "use.bytes += (await hiddenOf(command)).disk;",
    replace: "",
  },
  {
    attack: "resources-38",
    defence: "who has more files open than can be looked at is stopped",
    file: WATCHDOG,
    find: "if (hidden.files > MAX_FILES) end(command, broken.openFiles(MAX_FILES));",
    replace: "",
  },
  { attack: "resources-12", defence: "count of the disk", edits: [noDiskLimit] },
  {
    attack: "resources-13",
    defence: "a walk that no depth ends",
    file: MEASURE,
    find: '...["-xdev", "(",',
    replace: '...["-maxdepth", "40", "-xdev", "(",',
  },
  {
    attack: "resources-14",
    defence: "CPU time of a job",
    file: WATCHDOG,
    find: "if (command.account.cpuMs + command.seenCpuMs > limits.cpuMs) end(command, broken.cpu(limits));",
    replace: "",
  },
  {
    attack: "resources-15",
    defence: "commands are nice",
    file: "src/adapters/sandbox/launch.ts",
    find: "exec nice -n 10 ",
    replace: "exec ",
  },
  {
    attack: "resources-16",
    defence: "limit of open files",
    file: BOUNDS,
    find: "`-n ${OPEN_FILES}`,",
    replace: "",
  },
  { attack: "resources-17", defence: "memory of a control group", edits: memory },
  {
    attack: "resources-18",
    defence: "limit of output",
    file: "src/adapters/sandbox/launch.ts",
    find: 'if (chunk.length > room) stop("output");',
    replace: "",
  },
  {
    attack: "resources-19",
    defence: "limit of time",
    file: "src/adapters/sandbox/launch.ts",
    find: '() => stop("timeout")',
    replace: "() => undefined",
  },
  {
    attack: "resources-20",
    defence: "watch over the machine's memory",
    file: "src/adapters/sandbox/pressure.ts",
    find: "if ((await freeMemory()) < limits.freeMemory) await stopLargest(strained);",
    replace: "",
  },
  {
    attack: "resources-21",
    defence: "watch over the disk as a whole",
    file: "src/adapters/sandbox/pressure.ts",
    find: "if (now.free < limits.freeDisk || scarce) await stopGrower(strained);",
    replace: "",
  },
  { attack: "resources-22", defence: "limit of processes", edits: [noProcessLimit] },
  {
    attack: "resources-23",
    defence: "limit of data, and the sum",
    edits: [
      noSum,
      {
        file: BOUNDS,
        find: "if (groups.groups === null) outside.push(`-d ${kilobytes(limits.memory * ASKED_PART)}`);",
        replace: "",
      },
    ],
  },
  { attack: "resources-24", defence: "sum over the processes of a job", edits: [noSum] },
  {
    attack: "resources-25",
    defence: "look at files in memory",
    file: WATCHDOG,
    find: "const hidden = due ? (await hiddenOf(command)).memory : 0;",
    replace: "const hidden = due ? 0 : 0;",
  },
  {
    attack: "resources-26",
    defence: "shared pages count once",
    file: WATCHDOG,
    find: "const own = await observer.ownMemory(command.pid);",
    replace: "const own = tree.memory;",
  },
  {
    attack: "resources-30",
    defence: "a job that is told twice ends",
    file: ACCOUNTS,
    find: "else if (account.strikes >= MAX_STRIKES) account.refused = `${why.words}, twice`;",
    replace: "",
  },
  { attack: "resources-31", defence: "memory of a control group, and the sum", edits: memory },
  { attack: "resources-32", defence: "memory of a control group, and the sum", edits: memory },
  { attack: "resources-33", defence: "count of the disk", edits: [noDiskLimit] },
  {
    attack: "resources-34",
    defence: "no job, and no transfer, where the disk is nearly full",
    edits: [
      {
        file: "src/jobs/worker.ts",
        find: "const scarce = (await sandbox.room()) ?? full();",
        replace: "const scarce = full();",
      },
      {
        file: "src/adapters/git/room.ts",
        find: "let lacking = await context.sandbox.room();",
        replace: "let lacking: string | null = null;",
      },
    ],
  },
  { attack: "resources-35", defence: "count of the disk", edits: [noDiskLimit] },
  {
    attack: "resources-36",
    defence: "removal by a program that goes down by descriptors",
    file: "src/adapters/git/trash.ts",
    find: ".then(() => removeAll(path.join(dir, name)))",
    replace:
      '.then(() => import("node:fs/promises").then(({ rm }) => rm(path.join(dir, name), { recursive: true, force: true })))',
  },
  {
    attack: "resources-37",
    defence: "removal that nobody waits for",
    file: "src/adapters/git/trash.ts",
    find: "      remove(name);\n    },\n    async empty",
    replace: "      await removeAll(path.join(dir, name));\n    },\n    async empty",
  },
];

export default mutations;
