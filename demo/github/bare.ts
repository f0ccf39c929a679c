import { spawn } from "node:child_process";
import { buffer } from "node:stream/consumers";

/** Environment of every git process: nothing of the machine's own configuration. */
const GIT_ENV = {
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
};

export interface GitResult {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Runs git in a repository and gives whatever it answered. */
export async function tryGit(
  path: string,
  args: string[],
  options: { input?: string | Buffer; env?: Record<string, string> } = {},
): Promise<GitResult> {
  const child = spawn("git", args, { cwd: path, env: { ...GIT_ENV, ...options.env } });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // git may exit before it has read its input; its exit code tells what happened.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const [code, stdout, stderr] = await Promise.all([
    ended,
    buffer(child.stdout),
    buffer(child.stderr),
  ]);
  return { code, stdout, stderr: stderr.toString() };
}

/** Runs git and gives its output without the last line break; throws when it fails. */
export async function git(
  path: string,
  args: string[],
  options: { input?: string | Buffer; env?: Record<string, string> } = {},
): Promise<string> {
  const { code, stdout, stderr } = await tryGit(path, args, options);
  if (code !== 0) throw new Error(`git ${args[0]} failed (${code}): ${stderr.trim()}`);
  return stdout.toString().replace(/\n$/, "");
}

/** The object a name stands for, or null; `type` is a suffix such as `commit` or `tree`. */
export async function resolve(path: string, name: string, type: string): Promise<string | null> {
  const spec = `${name}^{${type}}`;
  const { code, stdout } = await tryGit(path, [
    "rev-parse",
    "--quiet",
    "--verify",
    "--end-of-options",
    spec,
  ]);
  return code === 0 ? stdout.toString().trim() : null;
}

/** The commit at the tip of a branch, or null. */
export function branchTip(path: string, branch: string): Promise<string | null> {
  return resolve(path, `refs/heads/${branch}`, "commit");
}

/** Makes an existing bare repository answer as GitHub's do: any object by its id, partial fetches, strict objects. */
export async function prepareBare(path: string): Promise<void> {
  const settings = {
    "uploadpack.allowAnySHA1InWant": "true",
    "uploadpack.allowFilter": "true",
    "receive.fsckObjects": "true",
    "receive.autogc": "false",
    "gc.auto": "0",
  };
  for (const [key, value] of Object.entries(settings)) await git(path, ["config", key, value]);
}
