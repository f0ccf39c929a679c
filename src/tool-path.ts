import path from "node:path";

const SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The operator's PATH without what npm puts in front of it: our own packages are not the repository's tools. */
export function toolPath(value: string | undefined): string {
  const entries = (value ?? SYSTEM)
    .split(":")
    .filter(
      (entry) =>
        path.isAbsolute(entry) && !entry.includes("node_modules") && !entry.includes("node-gyp"),
    );
  return [...new Set(entries)].join(":");
}
