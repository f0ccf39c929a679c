import assert from "node:assert/strict";
import test from "node:test";
import { authenticate, hashPassword, login, logout } from "../src/auth.js";

const users = [
  { name: "ana", role: "clerk", salt: "pier", hash: hashPassword("anchor", "pier") },
];
const NOON = Date.UTC(2026, 5, 1, 12);
const MINUTE = 60_000;

test("the right password signs in", () => {
  const id = login(users, "ana", "anchor", NOON);
  assert.deepEqual(authenticate(id, NOON), { name: "ana", role: "clerk" });
});

test("a wrong password or name does not", () => {
  assert.equal(login(users, "ana", "rope", NOON), null);
  assert.equal(login(users, "bo", "anchor", NOON), null);
});

test("nobody is signed in after 30 minutes", () => {
  const id = login(users, "ana", "anchor", NOON);
  assert.ok(authenticate(id, NOON + 29 * MINUTE));
  assert.equal(authenticate(id, NOON + 30 * MINUTE), null);
});

test("signing out ends the session", () => {
  const id = login(users, "ana", "anchor", NOON);
  assert.equal(logout(id), true);
  assert.equal(authenticate(id, NOON), null);
});
