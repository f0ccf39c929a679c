import path from "node:path";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";
import { TransientError, toError } from "../../core/errors.ts";
import type { CommandResult, Sandbox, SandboxCommand } from "../../core/ports.ts";
import { type HostProgram, missingRemedy, startRemedy } from "../../core/sandbox-remedy.ts";
import { describeHost } from "./host.ts";
import { StartFailure } from "./launch.ts";
import { probe } from "./probe.ts";
import { blockedAt, type Programs, type SandboxUser } from "./toolchain.ts";

/** Whether the boundary holds, or what to do. */
export type Verdict = Awaited<ReturnType<Sandbox["check"]>>;

interface Subject {
  user: SandboxUser | null;
  runtimeDir: string;
  programs: Programs;
  run(command: SandboxCommand): Promise<CommandResult>;
}

/** Finds out whether the boundary holds on this machine, by trying to break it. Never throws. */
export async function assess(subject: Subject): Promise<Verdict> {
  const fault = impossible(subject);
  if (fault !== null) return { ok: false, remedy: fault };
  try {
    const holes = await probe(subject);
    if (holes.length === 0) return { ok: true };
    return {
      ok: false,
      remedy: `The sandbox does not hold on this machine: ${holes.join("; ")}. No job runs like this.`,
    };
  } catch (thrown) {
    if (thrown instanceof TransientError) {
      return { ok: false, remedy: thrown.message, passing: true };
    }
    return { ok: false, remedy: remedyOf(toError(thrown), subject.user) };
  }
}

/** Why there is no point in trying, with the remedy; null when nothing is in the way. */
function impossible({ user, runtimeDir, programs }: Subject): string | null {
  if (!SandboxManager.isSupportedPlatform()) return "The sandbox needs Linux (not WSL 1) or macOS.";
  if (process.getuid?.() === 0 && user === null) {
    return "The server runs as root and no uid is set for commands. Commands never run as root.";
  }
  if (process.platform !== "linux") return null;
  if (process.arch !== "x64" && process.arch !== "arm64") {
    return `The sandbox has no system call filter for ${process.arch}. Run the server on an x64 or arm64 machine.`;
  }
  const { bwrap, socat, which } = programs;
  const missing: HostProgram[] = [];
  if (bwrap === null) missing.push("bwrap");
  if (socat === null) missing.push("socat");
  if (which === null) missing.push("which");
  if (missing.length > 0) return missingRemedy(missing, describeHost());
  const blocked = blockedAt(path.dirname(runtimeDir), user);
  if (blocked === null) return null;
  return `Commands run as uid ${user?.uid ?? process.getuid?.()}, which may not enter ${blocked}. Set DATA_DIR to a directory everyone can enter, such as /var/lib/draftsmith.`;
}

function remedyOf(error: Error, user: SandboxUser | null): string {
  if (error instanceof StartFailure) return startRemedy(error.said, describeHost());
  const said = `The sandbox could not be set up here: ${error.message}`;
  if (user === null || !("code" in error) || error.code !== "EPERM") return said;
  return (
    `${said}. The server is root without the right to become uid ${user.uid}: start it as an ordinary user, ` +
    "or grant CAP_SETUID and CAP_SETGID (docker run --cap-add SETUID --cap-add SETGID …)"
  );
}
