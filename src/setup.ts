import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { type HostProgram, installCommand, missingRemedy } from "./core/sandbox-remedy.ts";

/**
 * Sees to the system packages that jobs need: silent when they are there, installs them where it can
 * (root with apt-get), else says the one command to run and fails. With `--start` it never fails: the
 * server runs without them, and refuses jobs until they are there.
 */
function setUp(starting: boolean): number {
  const needed: HostProgram[] =
    process.platform === "linux" ? ["bwrap", "socat", "which", "git"] : ["git"];
  const lacking = missing(needed);
  if (lacking.length === 0) return 0;
  const host = {
    osRelease: existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "",
    root: process.getuid?.() === 0,
  };
  const install = installCommand(lacking, host);
  if (host.root && install?.startsWith("apt-get ")) {
    console.log(`Setting up what jobs need: ${install}`);
    const failure = installByApt(install.split(" ").slice(3));
    if (failure === null && missing(needed).length === 0) return 0;
    if (failure !== null) console.error(failure);
  }
  const remedy = missingRemedy(missing(needed), host);
  console.error(starting ? `Until then no job runs. ${remedy}` : remedy);
  console.error("npm run doctor tells what else this machine lacks.");
  return starting ? 0 : 1;
}

function missing(programs: HostProgram[]): HostProgram[] {
  const script = 'for name; do command -v "$name" >/dev/null || echo "$name"; done';
  const { stdout } = spawnSync("sh", ["-c", script, "sh", ...programs], { encoding: "utf8" });
  const absent = stdout.split("\n");
  return programs.filter((each) => absent.includes(each));
}

/** Installs packages; null, or the end of what apt-get said against it. */
function installByApt(packages: string[]): string | null {
  const steps = [
    ["update", "-q"],
    ["install", "-q", "-y", "--no-install-recommends", ...packages],
  ];
  for (const step of steps) {
    const { status, stdout, stderr } = spawnSync(
      "env",
      ["DEBIAN_FRONTEND=noninteractive", "apt-get", ...step],
      { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    );
    if (status !== 0) return `${stdout}${stderr}`.trim().split("\n").slice(-5).join("\n");
  }
  return null;
}

process.exitCode = setUp(process.argv.includes("--start"));
