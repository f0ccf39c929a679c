import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** A test whose title begins with an id, such as `kill-01`. */
export interface NamedTest {
  id: string;
  what: string;
  /** Its file, relative to `root`. */
  file: string;
}

const TITLE =
  /^\s*(?:async\s+)?(?:it|test)(?:\.\w+(?:\(.*\))?)?\(\s*(["'`])([a-z]+-\d+) ((?:(?!\1).)*)\1/gm;

/** The named tests of one directory, in the order of files and lines. */
export function namedTests(dir: string, root: string): NamedTest[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(".test.ts"))
    .sort()
    .flatMap((name) => {
      const file = path.join(dir, name);
      const text = readFileSync(file, "utf8");
      return [...text.matchAll(TITLE)].map(([, , id = "", what = ""]) => ({
        id,
        what,
        file: path.relative(root, file),
      }));
    });
}
