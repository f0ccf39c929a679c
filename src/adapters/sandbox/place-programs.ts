import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

/** Puts the program srt runs inside where the sandbox's uid can reach it, unlike, perhaps, our node_modules; its path. */
export async function placeHelper(runtimeDir: string): Promise<string> {
  const main = createRequire(import.meta.url).resolve("@anthropic-ai/sandbox-runtime");
  const vendor = path.join(path.dirname(main), "..", "vendor");
  await mkdir(runtimeDir, { recursive: true });
  await chmod(runtimeDir, 0o755);
  const helper = path.join(vendor, "seccomp", process.arch, "apply-seccomp");
  return placeFile(runtimeDir, path.basename(helper), await readFile(helper), 0o755);
}

/** Writes a file of ours into the runtime directory unless it is there already; its path. */
export async function placeFile(
  runtimeDir: string,
  name: string,
  wanted: Uint8Array,
  mode: number,
): Promise<string> {
  const to = path.join(runtimeDir, name);
  const there = await readFile(to).catch(() => null);
  if (there?.equals(wanted)) return to;
  // Renamed into place: a command of another server may be running the old one.
  const fresh = `${to}.${randomBytes(6).toString("hex")}`;
  await writeFile(fresh, wanted);
  await chmod(fresh, mode);
  await rename(fresh, to);
  return to;
}
