import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Mutation } from "./mutations/mutation.ts";

/** Root of the repository. */
export const ROOT = path.resolve(import.meta.dirname, "../..");

/** One attack of the suite. */
export interface Attack {
  id: string;
  what: string;
  /** Its test file, relative to the repository. */
  file: string;
}

const TITLE = /^\s*(?:async\s+)?it(?:\.\w+)?\(\s*(["'`])([a-z]+-\d+) ((?:(?!\1).)*)\1/gm;

/** Every attack of `test/hostile`, read from the titles of its tests. */
export function attacks(): Attack[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".test.ts"))
    .sort()
    .flatMap((name) => {
      const text = readFileSync(path.join(import.meta.dirname, name), "utf8");
      const file = path.relative(ROOT, path.join(import.meta.dirname, name));
      return [...text.matchAll(TITLE)].map(([, , id = "", what = ""]) => ({ id, what, file }));
    });
}

/** Every mutation of `test/hostile/mutations`. */
export async function mutations(): Promise<Mutation[]> {
  const dir = path.join(import.meta.dirname, "mutations");
  const names = readdirSync(dir).filter((name) => name !== "mutation.ts");
  const modules: { default: Mutation[] }[] = await Promise.all(
    names.sort().map((name) => import(path.join(dir, name))),
  );
  return modules.flatMap((module) => module.default);
}

/** How often a text occurs in another. */
export function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}
