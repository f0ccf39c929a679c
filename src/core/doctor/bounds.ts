import { type Holding, type Machine, megabytes } from "../limits.ts";
import { amiss, type Finding, fine } from "./finding.ts";

/** Where the server runs, as far as it decides how control groups are to be had. */
export interface Surroundings {
  platform: string;
  container: boolean;
  root: boolean;
}

/** Which bounds hold here for jobs, by what, and how to get those that do not. */
export function boundsFindings(
  holding: Holding,
  machine: Machine,
  around: Surroundings,
): Finding[] {
  const { limits, groups } = holding;
  const each = `${megabytes(limits.memory)} a job, ${megabytes(limits.allMemory)} all jobs together`;
  const cpu = `${Math.round(limits.cpuMs / 60_000).toLocaleString("en")} minutes a job`;
  const disk = `${megabytes(limits.disk)} and ${limits.files.toLocaleString("en")} files a job, counted by the watchdog`;
  const by = groups === null ? null : `control groups ${groups.version}`;
  return [
    by === null
      ? amiss(
          "warn",
          "bound of memory",
          `${each}, by the watchdog and a limit for each process: no control groups (${holding.reason})`,
          groupsRemedy(around),
        )
      : fine("bound of memory", `${each}, by ${by} and the watchdog`),
    fine(
      "bound of processes",
      `${limits.processes.toLocaleString("en")} a job, by ${groups?.bounds.includes("processes") ? `${by} and ` : ""}a limit for each sandbox`,
    ),
    fine(
      "bound of CPU time",
      `${cpu}, by the watchdog; jobs give way to the server by ${groups?.bounds.includes("cpu") ? `${by} and ` : ""}nice`,
    ),
    fine("bound of disk", `${disk}; a single file by a limit for each process`),
    ...overcommitted(holding, machine),
  ];
}

function overcommitted({ limits }: Holding, machine: Machine): Finding[] {
  const about = "memory";
  if (limits.memory > machine.memory) {
    return [
      amiss(
        "warn",
        about,
        `a job may use ${megabytes(limits.memory)} and there are ${megabytes(machine.memory)}`,
        "Set DRAFTSMITH_MEMORY_MB to less.",
      ),
    ];
  }
  if (limits.memory * limits.jobs <= machine.memory) {
    return [fine(about, `${megabytes(machine.memory)} for ${limits.jobs} jobs at a time`)];
  }
  const said = `${limits.jobs} jobs of ${megabytes(limits.memory)} are more than the ${megabytes(machine.memory)} there are`;
  const remedy = "Set DRAFTSMITH_CONCURRENCY or DRAFTSMITH_MEMORY_MB to less, or add memory.";
  return [amiss("warn", about, said, remedy)];
}

function groupsRemedy({ platform, container, root }: Surroundings): string {
  if (platform !== "linux") {
    return "This system has none: give the server a machine of its own, or run it on Linux.";
  }
  if (container) {
    return (
      "Let the container divide its own control group: docker run --cgroupns=private --security-opt writable-cgroups=true … " +
      "(Docker 28 or later, cgroup v2; podman run --security-opt unmask=/sys/fs/cgroup …)"
    );
  }
  const user = root ? "" : "--user ";
  return `Run the server as a service with Delegate=yes, or by hand: systemd-run ${user}--scope -p Delegate=yes npm start (the doctor sees the groups of its own shell; call it the same way)`;
}
