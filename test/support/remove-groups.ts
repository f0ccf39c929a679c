import { sweepGroups } from "../../src/adapters/sandbox/cgroup-files.ts";
import { findOwnGroups } from "../../src/adapters/sandbox/cgroup-place.ts";

/** Removes the control groups of servers that tests killed, as the next start of such a server would. */
export async function teardown(): Promise<void> {
  const { legacy } = findOwnGroups();
  for (const name of ["memory", "pids", "cpu", "cpuacct"]) {
    const base = legacy.get(name);
    if (base !== undefined) await sweepGroups(base);
  }
}
