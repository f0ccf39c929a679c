import { expect, it } from "vitest";
import { storeTrouble } from "../../src/core/store-trouble.ts";

const failed = (code: string) => Object.assign(new Error("it failed"), { code });

// What PostgreSQL ends or refuses for others' sake is no fault of the job that met it.
it.each([
  ["40P01", "a deadlock"],
  ["40001", "a serialization failure"],
  ["25P03", "a transaction that stood still"],
  ["25P04", "a transaction that took too long"],
  ["55P03", "a lock that did not come"],
  ["57P01", "a restart"],
  ["57014", "a statement that took too long"],
  ["53300", "too many connections"],
])("%s, %s, passes", (code) => {
  expect(storeTrouble(failed(code))?.kind).toBe("unreachable");
});

it.each(["23505", "42P01", "22001", ""])("%s is about something else", (code) => {
  expect(storeTrouble(failed(code))).toBeNull();
});
