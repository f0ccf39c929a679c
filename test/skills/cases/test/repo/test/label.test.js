import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { labelText } from "../src/label.js";

describe("a label", () => {
  it("has a line for each part of the address, in capitals", () => {
    const text = labelText({ name: "Ada", street: "1 Lane", city: "York" });
    assert.equal(text, "ADA\n1 LANE\nYORK");
  });

  it("leaves out what is not known", () => {
    assert.equal(labelText({ name: "Ada", city: "York" }), "ADA\nYORK");
  });
});
