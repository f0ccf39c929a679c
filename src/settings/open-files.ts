import { readdirSync, statSync } from "node:fs";
import path from "node:path";

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;

/**
 * Files with secrets that others than their owner may read or write, each with its remedy: the App's
 * key, wherever it is looked for, and `.env`.
 */
export function openSecretFiles(env: Record<string, string | undefined>, cwd: string): string[] {
  const keys = env.PRIVATE_KEY
    ? []
    : env.PRIVATE_KEY_PATH
      ? [path.resolve(cwd, env.PRIVATE_KEY_PATH)]
      : readdirSync(cwd)
          .filter((name) => name.endsWith(".pem"))
          .map((name) => path.join(cwd, name));
  return [...keys, path.join(cwd, ".env")].flatMap((file) => {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if (process.platform === "win32" || (mode & OTHERS) === 0) return [];
    const octal = (mode & 0o777).toString(8);
    return [`${file} holds secrets and is open to others (mode ${octal}); run: chmod 600 ${file}`];
  });
}
