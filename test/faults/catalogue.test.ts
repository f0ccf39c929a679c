import { describe, expect, it } from "vitest";
import { missing } from "./played.ts";
import { faults, readme } from "./table.ts";

describe("the catalogue of faults", () => {
  it("names every fault once", () => {
    const ids = faults().map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    expect(ids.length).toBeGreaterThanOrEqual(3);
  });

  it("leads to tests that are there", () => {
    expect(missing(faults().map(({ id }) => id))).toEqual([]);
  });

  it("is listed in README.md (npm run test:faults:table)", () => {
    const { written, fresh } = readme();
    expect(written).toBe(fresh);
  });
});
