import { describe, expect, it } from "vitest";
import {
  installCommand,
  missingRemedy,
  type SandboxHost,
  startRemedy,
} from "../../src/core/sandbox-remedy.ts";

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13"\nID=debian\n';

const host = (more: Partial<SandboxHost> = {}): SandboxHost => ({
  osRelease: DEBIAN,
  root: false,
  container: false,
  sysctls: {},
  ...more,
});

describe("what to do about missing programs", () => {
  it.each([
    [DEBIAN, "sudo apt-get install -y bubblewrap socat debianutils"],
    [
      'ID=linuxmint\nID_LIKE="ubuntu debian"\n',
      "sudo apt-get install -y bubblewrap socat debianutils",
    ],
    ["ID=fedora\n", "sudo dnf install -y bubblewrap socat which"],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', "sudo dnf install -y bubblewrap socat which"],
    [
      'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n',
      "sudo zypper install -y bubblewrap socat which",
    ],
    ["ID=arch\n", "sudo pacman -S --needed bubblewrap socat which"],
    ["ID=alpine\n", "sudo apk add bash coreutils bubblewrap socat which"],
  ])("names the one command of the system", (osRelease, command) => {
    expect(installCommand(["bwrap", "socat", "which"], { osRelease, root: false })).toBe(command);
  });

  it("leaves sudo out for root, and names the packages where the system is unknown", () => {
    expect(missingRemedy(["bwrap"], { osRelease: DEBIAN, root: true })).toBe(
      "The sandbox needs bubblewrap. Install with: apt-get install -y bubblewrap",
    );
    expect(missingRemedy(["bwrap", "socat"], { osRelease: "", root: false })).toBe(
      "The sandbox needs bubblewrap and socat. Install them with this system's package manager.",
    );
  });
});

describe("what to do when the sandbox does not start", () => {
  const said = "bwrap: setting up uid map: Permission denied\nmore";

  it("names Ubuntu's restriction and how to lift it", () => {
    const sysctls = {
      "kernel.apparmor_restrict_unprivileged_userns": "1",
      "user.max_user_namespaces": "95000",
    };
    expect(startRemedy(said, host({ sysctls }))).toBe(
      `The sandbox could not be set up here: bwrap: setting up uid map: Permission denied.
This kernel keeps ordinary users from making user namespaces. Allow them: echo 'kernel.apparmor_restrict_unprivileged_userns = 0' | sudo tee /etc/sysctl.d/60-draftsmith.conf && sudo sysctl --system
Narrower: a profile for bwrap alone, which docs/sandbox.md shows.`,
    );
  });

  it("names every setting that forbids it in one command", () => {
    const sysctls = { "kernel.unprivileged_userns_clone": "0", "user.max_user_namespaces": "0" };
    expect(
      startRemedy(said, host({ root: true, sysctls }))
        .split("\n")
        .slice(1),
    ).toEqual([
      "This kernel keeps ordinary users from making user namespaces. Allow them: printf '%s\\n' 'kernel.unprivileged_userns_clone = 1' 'user.max_user_namespaces = 15000' | tee /etc/sysctl.d/60-draftsmith.conf && sysctl --system",
    ]);
  });

  it("says how to start a container, and that its kernel belongs to the machine outside", () => {
    const sysctls = { "user.max_user_namespaces": "0" };
    const remedy = startRemedy(said, host({ container: true, sysctls }));
    expect(remedy).toContain("Allow them, on the machine that runs this container: ");
    expect(remedy).toContain(
      "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined",
    );
  });

  it("says how to look further when nothing is known to forbid it", () => {
    expect(startRemedy("", host())).toBe(
      `The sandbox could not be set up here: bubblewrap said nothing.
See what this says, run by an ordinary user: bwrap --unshare-user --unshare-net --unshare-pid --ro-bind / / --dev /dev --proc /proc true`,
    );
  });
});
