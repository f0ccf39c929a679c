import { expect, test } from "vitest";
import { periodsOf, tightest } from "../../src/core/caps.ts";

test.each([
  ["2026-12-31T23:59:59.999Z", "2026-12-31T00:00:00.000Z", "2026-12-01T00:00:00.000Z"],
  ["2027-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
  ["2028-02-29T12:00:00.000Z", "2028-02-29T00:00:00.000Z", "2028-02-01T00:00:00.000Z"],
  ["1969-12-31T23:00:00.000Z", "1969-12-31T00:00:00.000Z", "1969-12-01T00:00:00.000Z"],
])("the day and the month of %s are those of UTC", (at, day, month) => {
  const periods = periodsOf(Date.parse(at));
  expect(new Date(periods.day).toISOString()).toBe(day);
  expect(new Date(periods.month).toISOString()).toBe(month);
});

test("the cap with the least room is named, of equal ones the narrowest", () => {
  const use = (cap: "job" | "command" | "operatorMonth", spent: number) => ({
    cap,
    spent,
    limit: 9,
  });
  expect(tightest([])).toBeNull();
  expect(tightest([use("job", 1), use("command", 5), use("operatorMonth", 5)])?.cap).toBe(
    "command",
  );
  expect(tightest([use("job", 1), use("operatorMonth", 12)])?.cap).toBe("operatorMonth");
});
