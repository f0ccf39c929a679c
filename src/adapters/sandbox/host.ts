import { existsSync, readFileSync } from "node:fs";
import { SANDBOX_SYSCTLS, type SandboxHost } from "../../core/sandbox-remedy.ts";

/** What this machine says about itself, for the words that tell why a sandbox cannot be built. */
export function describeHost(): SandboxHost {
  const sysctls: Record<string, string> = {};
  for (const name of SANDBOX_SYSCTLS) {
    const value = textOf(`/proc/sys/${name.replaceAll(".", "/")}`).trim();
    if (value !== "") sysctls[name] = value;
  }
  return {
    osRelease: textOf("/etc/os-release"),
    root: process.getuid?.() === 0,
    container:
      existsSync("/.dockerenv") ||
      existsSync("/run/.containerenv") ||
      /docker|containerd|kubepods|lxc/.test(textOf("/proc/1/cgroup")),
    sysctls,
  };
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
