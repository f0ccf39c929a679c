import { readdirSync } from "node:fs";
import path from "node:path";
import { type NamedTest, namedTests } from "../support/named-tests.ts";
import type { Mutation } from "./mutations/mutation.ts";

/** Root of the repository. */
export const ROOT = path.resolve(import.meta.dirname, "../..");

/** One attack of the suite. */
export type Attack = NamedTest;

/** Every attack of `test/hostile`, read from the titles of its tests. */
export function attacks(): Attack[] {
  return namedTests(import.meta.dirname, ROOT);
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
