import { z } from "zod";

/** What an operator asked for; null leaves it to the machine. */
export interface AskedLimits {
  /** Memory of one job, in MB. */
  memoryMb: number | null;
  /** Disk of one job, in MB. */
  diskMb: number | null;
  /** CPU time of one job, in minutes. */
  cpuMinutes: number | null;
  /** Disk that stays free whatever the jobs do, in MB. */
  freeMb: number | null;
}

const setting = (min: number, unit: string, instead: string) => {
  const remedy = `must be a whole number of ${unit} from ${min}; leave it out for ${instead}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, remedy)
    .transform(Number)
    .pipe(z.int(remedy).min(min, remedy))
    .optional();
};

/** The settings of an operator, by the names of their variables. */
export const limitSettings = {
  DRAFTSMITH_MEMORY_MB: setting(256, "megabytes", "a share of this machine's memory"),
  DRAFTSMITH_DISK_MB: setting(64, "megabytes", "10240, or less on a small disk"),
  DRAFTSMITH_CPU_MINUTES: setting(1, "minutes", "an hour of each core"),
  DRAFTSMITH_FREE_MB: setting(0, "megabytes", "2048, or less on a small disk"),
};

/** What the settings ask for. */
export function askedLimits(settings: z.output<z.ZodObject<typeof limitSettings>>): AskedLimits {
  return {
    memoryMb: settings.DRAFTSMITH_MEMORY_MB ?? null,
    diskMb: settings.DRAFTSMITH_DISK_MB ?? null,
    cpuMinutes: settings.DRAFTSMITH_CPU_MINUTES ?? null,
    freeMb: settings.DRAFTSMITH_FREE_MB ?? null,
  };
}

/** What the machine, or the container, has. Sizes are in bytes. */
export interface Machine {
  memory: number;
  cores: number;
  /** Processes and threads there may be at a time. */
  processes: number;
  /** Size of the disk that holds the workspaces. */
  disk: number;
}

/** The bounds of jobs on this machine. Sizes are in bytes. */
export interface Limits {
  /** Of one job, swap included. */
  memory: number;
  /** Of all jobs together. */
  allMemory: number;
  /** Of one job's tree, git directory, HOME and TMPDIR together. */
  disk: number;
  /** Files and directories there. */
  files: number;
  /** CPU time of all commands of one job together. */
  cpuMs: number;
  /** Processes and threads of one job. */
  processes: number;
  /** Jobs that run at the same time. */
  jobs: number;
  /** What must stay free of the disk and of the memory, or commands are stopped. */
  freeDisk: number;
  freeMemory: number;
}

export const MB = 1024 * 1024;
const GB = 1024 * MB;
/** Files of real projects are larger on average, so the number of files seldom decides. */
const BYTES_PER_FILE = 10 * 1024;
const MIN_FILES = 20_000;

/** The bounds of jobs: what was asked for, else a fair part of the machine. */
export function limitsOf(asked: AskedLimits, machine: Machine, jobs: number): Limits {
  const { memory: total } = machine;
  const left = total - within(256 * MB, total / 8, 2 * GB);
  const memory =
    asked.memoryMb !== null ? asked.memoryMb * MB : Math.min(left, Math.max(GB, left / jobs));
  const ownDisk = within(GB, machine.disk / 2 / jobs, 10 * GB);
  const disk = asked.diskMb !== null ? asked.diskMb * MB : ownDisk;
  return {
    memory: Math.floor(memory),
    allMemory: Math.floor(Math.max(left, memory)),
    disk: Math.floor(disk),
    files: Math.max(MIN_FILES, Math.floor(disk / BYTES_PER_FILE)),
    cpuMs: (asked.cpuMinutes ?? machine.cores * 60) * 60_000,
    processes: Math.floor(within(256, machine.processes / 2 / jobs, 2048)),
    jobs,
    freeDisk: Math.floor(
      asked.freeMb !== null ? asked.freeMb * MB : Math.min(2 * GB, machine.disk / 20),
    ),
    freeMemory: Math.floor(within(128 * MB, total / 32, GB)),
  };
}

function within(least: number, wanted: number, most: number): number {
  return Math.min(Math.max(least, wanted), most);
}

/** What bounds jobs on this machine. */
export interface Holding {
  limits: Limits;
  /** What the kernel bounds by control groups; null where there are none for us. */
  groups: { version: "v1" | "v2"; bounds: ("memory" | "processes" | "cpu")[] } | null;
  /** Why there are none; null where there are. */
  reason: string | null;
}

/** A bound that was broken: which one, and a sentence about it that begins with "it" or "the server". */
export interface Broken {
  stopped: "memory" | "disk" | "cpu";
  words: string;
}

/** Sentences about bounds, with the numbers that hold here. */
export const broken = {
  memory: ({ memory }: Limits): Broken => ({
    stopped: "memory",
    words: `it used more than ${megabytes(memory)} of memory; the server's DRAFTSMITH_MEMORY_MB allows more`,
  }),
  disk: ({ disk }: Limits): Broken => ({
    stopped: "disk",
    words: `it used more than ${megabytes(disk)} of disk`,
  }),
  files: ({ files }: Limits): Broken => ({
    stopped: "disk",
    words: `it made more than ${files.toLocaleString("en")} files`,
  }),
  cpu: ({ cpuMs }: Limits): Broken => ({
    stopped: "cpu",
    words: `it used more than ${minutes(cpuMs)} of CPU time`,
  }),
  openFiles: (most: number): Broken => ({
    stopped: "memory",
    words: `it held more than ${most.toLocaleString("en")} files open`,
  }),
  hostMemory: { stopped: "memory", words: "the server ran low on memory" } as const,
  hostFiles: { stopped: "memory", words: "the server ran low on open files" } as const,
  unwatched: { stopped: "memory", words: "the server could not watch it" } as const,
  hostDisk: { stopped: "disk", words: "the disk of the server is nearly full" } as const,
};

/** "4,096 MB". */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / MB).toLocaleString("en")} MB`;
}

function minutes(ms: number): string {
  return ms < 60_000 ? `${ms / 1000} s` : `${(ms / 60_000).toLocaleString("en")} minutes`;
}
