import { expect, test } from "vitest";
import { commentRequest } from "../../src/handlers/requests.ts";
import { commentEvent } from "../support/comment-event.ts";

/** The facts of a comment on an issue that its webhook tells like this. */
function subjectOf(issue: object) {
  const { payload } = commentEvent();
  const told = { number: 12, state: "open", ...issue };
  return commentRequest({ ...payload, issue: told })?.subject;
}

const eve = { id: 9, login: "eve", type: "User" };

test.each<[string, object, object | null]>([
  [
    "with all its parts",
    { title: "Auth", body: "Mend it.", user: { ...eve, site_admin: false } },
    { title: "Auth", body: "Mend it.", author: eve },
  ],
  [
    "without a text",
    { title: "Auth", body: null, user: eve },
    { title: "Auth", body: "", author: eve },
  ],
  [
    "by a deleted account",
    { title: "Auth", body: "x", user: null },
    { title: "Auth", body: "x", author: null },
  ],
  [
    "by somebody of no said type",
    { title: "Auth", body: "x", user: { id: 9, login: "eve" } },
    { title: "Auth", body: "x", author: eve },
  ],
  [
    "by somebody it does not name whole",
    { title: "Auth", body: "x", user: { login: "ada" } },
    { title: "Auth", body: "x", author: null },
  ],
  [
    "with labels",
    { title: "Auth", body: "x", user: eve, labels: [{ id: 1, name: "bug", color: "f00" }] },
    { title: "Auth", body: "x", author: eve, labels: ["bug"] },
  ],
  [
    "whose labels are told as something else",
    { title: "Auth", body: "x", user: eve, labels: "bug" },
    { title: "Auth", body: "x", author: eve },
  ],
  ["that is not told", {}, null],
  ["that is told as something else", { title: 7, body: { a: 1 } }, null],
  ["of which only the title is told", { title: "Auth" }, { title: "Auth", body: "", author: null }],
])("an issue %s", (_name, issue, expected) => {
  expect(subjectOf(issue)).toEqual(expected);
});
