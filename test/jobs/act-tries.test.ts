import { expect, test } from "vitest";
import type { Act } from "../../src/core/act.ts";
import { waitAfter } from "../../src/jobs/act-tries.ts";

const repo = { installationId: 1, id: 2, owner: "a", name: "b" };
const comment: Act = { kind: "comment", repo, issue: 1, marker: "m", body: "b", since: "" };
const reaction: Act = { kind: "reaction", repo, commentId: 1, content: "eyes" };

test("what may stand although the answer was lost is looked for when GitHub's lists have it", () => {
  expect(waitAfter(0, comment, true)).toBeGreaterThanOrEqual(5000);
});

test("what is known to stand, or was refused, and what is done again without a look, waits a second", () => {
  expect(waitAfter(0, comment, false)).toBeLessThan(1500);
  expect(waitAfter(0, reaction, true)).toBeLessThan(1500);
});
