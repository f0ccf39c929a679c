import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions } from "../src/options.js";

test("options are read from the words", () => {
  const { retries, list } = parseOptions(["--retries=1", "urls.txt"]);
  assert.deepEqual({ retries, list }, { retries: 1, list: "urls.txt" });
});

test("an unknown option is refused", () => {
  assert.throws(() => parseOptions(["--fast"]), /unknown option --fast/);
});
