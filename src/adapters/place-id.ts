import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** The lasting name of a data directory among those that share a database; made up when it is first asked for. */
export function placeId(dataDir: string): string {
  const file = path.join(dataDir, "worker-id");
  try {
    writeFileSync(file, `${randomUUID()}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  const id = readFileSync(file, "utf8").trim();
  // Cut short by a crash, or written by somebody else.
  if (/^[0-9a-f-]{36}$/.test(id)) return id;
  writeFileSync(file, `${randomUUID()}\n`, { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}
