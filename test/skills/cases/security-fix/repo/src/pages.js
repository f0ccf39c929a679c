import { readFileSync } from "node:fs";
import path from "node:path";

const PUBLIC = path.resolve("public");

/** The text of a public page by the path of its address, or null when there is none. */
export function readPage(address) {
  const name = decodeURIComponent(address);
  const file = path.join(PUBLIC, name);
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (["ENOENT", "EISDIR", "ENOTDIR"].includes(error.code)) return null;
    throw error;
  }
}
