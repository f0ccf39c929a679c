import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { attacks, mutations, occurrences, ROOT } from "./catalogue.ts";
import { editsOf } from "./mutations/mutation.ts";
import { readme } from "./table.ts";

describe("the catalogue of attacks", () => {
  it("names every attack once", () => {
    const ids = attacks().map((attack) => attack.id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    expect(ids.length).toBeGreaterThanOrEqual(80);
  });

  it("has a mutation for every attack, and an attack for every mutation", async () => {
    const known = attacks().map((attack) => attack.id);
    const mutated = (await mutations()).map((mutation) => mutation.attack);
    expect(known.filter((id) => !mutated.includes(id))).toEqual([]);
    expect(mutated.filter((id) => !known.includes(id))).toEqual([]);
  });

  it("finds the text of every mutation exactly once", async () => {
    const stale = (await mutations()).flatMap((mutation) =>
      editsOf(mutation).flatMap(({ file, find, replace }) => {
        const whole = path.join(ROOT, file);
        const times = existsSync(whole) ? occurrences(readFileSync(whole, "utf8"), find) : 0;
        if (times === 1 && find !== replace) return [];
        return [`${mutation.attack}: ${times} times in ${file}: ${find}`];
      }),
    );
    expect(stale).toEqual([]);
  });

  it("is listed in README.md (npm run test:hostile:table)", async () => {
    const { written, fresh } = await readme();
    expect(written).toBe(fresh);
  });
});
