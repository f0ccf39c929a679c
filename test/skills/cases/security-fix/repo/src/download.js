import { createReadStream, existsSync } from "node:fs";
import path from "node:path";

const PUBLIC = path.resolve("public");

/** A stream of a public file by its name, or null when there is none. */
export function openDownload(name) {
  const file = path.join(PUBLIC, name);
  return existsSync(file) ? createReadStream(file) : null;
}
