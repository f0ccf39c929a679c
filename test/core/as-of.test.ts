import { expect, test } from "vitest";
import { asOf } from "../../src/core/as-of.ts";
import type { Remark } from "../../src/core/ports.ts";

const command = {
  way: { kind: "comment", id: 50 } as const,
  askedAt: "2026-03-01T10:00:00Z",
};
const before = "2026-03-01T09:59:59Z";
const same = "2026-03-01T10:00:00Z";
const after = "2026-03-01T10:00:01Z";

test.each<[string, Partial<Remark>, string]>([
  ["written and edited before", { createdAt: before, updatedAt: before }, "before"],
  ["edited in the command's second", { createdAt: before, updatedAt: same }, "edited"],
  ["edited later", { createdAt: before, updatedAt: after }, "edited"],
  ["in its second with a lower id", { id: 49, createdAt: same, updatedAt: same }, "before"],
  [
    "in its second with a lower id, edited",
    { id: 49, createdAt: same, updatedAt: after },
    "edited",
  ],
  ["in its second with a higher id", { id: 51, createdAt: same, updatedAt: same }, "later"],
  ["a review in its second", { kind: "review", id: 1, createdAt: same, updatedAt: same }, "later"],
  [
    "a review before it",
    { kind: "review", id: 99, createdAt: before, updatedAt: before },
    "before",
  ],
  ["written later with a lower id", { id: 1, createdAt: after, updatedAt: after }, "later"],
  ["of another zone", { createdAt: "2026-03-01T10:30:00+01:00", updatedAt: before }, "before"],
  ["without a time", { createdAt: "", updatedAt: before }, "later"],
  ["without a time of its last edit", { createdAt: before, updatedAt: "?" }, "later"],
])("a comment %s", (_name, how, expected) => {
  const remark: Remark = {
    kind: "comment",
    id: 1,
    author: null,
    place: null,
    body: "",
    createdAt: before,
    updatedAt: before,
    ...how,
  };
  expect(asOf(remark, command)).toBe(expected);
});
