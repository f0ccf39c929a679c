/** The programs of the host that jobs need, by the names they are called with. */
export type HostProgram = "bwrap" | "socat" | "git" | "which";

/** What a system says about itself, as far as it decides whether a sandbox can be built. */
export interface SandboxHost {
  /** Text of /etc/os-release; empty where there is none. */
  osRelease: string;
  root: boolean;
  /** Whether this is the inside of a container. */
  container: boolean;
  /** Values of the kernel settings that can forbid user namespaces, by name; absent ones are left out. */
  sysctls: Record<string, string>;
}

/** Kernel settings that can forbid user namespaces, with the value that does. */
const FORBIDDING = {
  "kernel.apparmor_restrict_unprivileged_userns": "1",
  "kernel.unprivileged_userns_clone": "0",
  "user.max_user_namespaces": "0",
} as const;

/** Names of the settings to look up for `SandboxHost.sysctls`. */
export const SANDBOX_SYSCTLS = Object.keys(FORBIDDING);

const ALLOWING: Record<string, string> = {
  "kernel.apparmor_restrict_unprivileged_userns": "0",
  "kernel.unprivileged_userns_clone": "1",
  "user.max_user_namespaces": "15000",
};

const PACKAGES: Record<HostProgram, string> = {
  bwrap: "bubblewrap",
  socat: "socat",
  git: "git",
  which: "which",
};

const INSTALLERS: [RegExp, string][] = [
  [/\b(debian|ubuntu)\b/, "apt-get install -y"],
  [/\b(fedora|rhel|centos|amzn)\b/, "dnf install -y"],
  [/\b(suse|opensuse)\b/, "zypper install -y"],
  [/\barch\b/, "pacman -S --needed"],
  [/\balpine\b/, "apk add bash coreutils"],
];

/** The one command that installs missing programs on this system; null for a system we do not know. */
export function installCommand(
  missing: HostProgram[],
  host: { osRelease: string; root: boolean },
): string | null {
  const family = [...host.osRelease.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)]
    .map((match) => match[1])
    .join(" ");
  const installer = INSTALLERS.find(([system]) => system.test(family))?.[1];
  if (installer === undefined) return null;
  const packages = missing.map((each) =>
    each === "which" && installer.startsWith("apt") ? "debianutils" : PACKAGES[each],
  );
  return `${host.root ? "" : "sudo "}${installer} ${packages.join(" ")}`;
}

/** What to do about missing programs, with the exact command where we know it. */
export function missingRemedy(
  missing: HostProgram[],
  host: { osRelease: string; root: boolean },
): string {
  const command = installCommand(missing, host);
  const names = missing.map((each) => PACKAGES[each]).join(" and ");
  return command === null
    ? `The sandbox needs ${names}. Install ${missing.length === 1 ? "it" : "them"} with this system's package manager.`
    : `The sandbox needs ${names}. Install with: ${command}`;
}

/** What to do when bubblewrap is there and cannot build the sandbox, from what it said and what the host is like. */
export function startRemedy(said: string, host: SandboxHost): string {
  const reason = `The sandbox could not be set up here: ${said.split("\n")[0] || "bubblewrap said nothing"}.`;
  const steps: string[] = [];
  const settings = Object.entries(FORBIDDING)
    .filter(([name, forbidding]) => host.sysctls[name] === forbidding)
    .map(([name]) => `'${name} = ${ALLOWING[name]}'`);
  if (settings.length > 0) {
    const sudo = host.root ? "" : "sudo ";
    const say = settings.length === 1 ? "echo" : "printf '%s\\n'";
    steps.push(
      `This kernel keeps ordinary users from making user namespaces. Allow them${host.container ? ", on the machine that runs this container" : ""}: ` +
        `${say} ${settings.join(" ")} | ${sudo}tee /etc/sysctl.d/60-draftsmith.conf && ${sudo}sysctl --system`,
    );
    if (host.sysctls["kernel.apparmor_restrict_unprivileged_userns"] === "1") {
      steps.push("Narrower: a profile for bwrap alone, which docs/sandbox.md shows.");
    }
  }
  if (host.container) {
    steps.push(
      "A container must let it make namespaces and mount its own /proc. Start it with: " +
        "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined … " +
        "(podman run --security-opt seccomp=unconfined --security-opt unmask=ALL …)",
    );
  }
  if (steps.length === 0) {
    steps.push(
      "See what this says, run by an ordinary user: bwrap --unshare-user --unshare-net --unshare-pid --ro-bind / / --dev /dev --proc /proc true",
    );
  }
  return [reason, ...steps].join("\n");
}
