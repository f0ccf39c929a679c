import assert from "node:assert/strict";
import test from "node:test";
import { hashPassword } from "../src/auth.js";
import { createApp } from "../src/index.js";

function desk() {
  return createApp({
    users: [{ name: "ana", role: "clerk", salt: "pier", hash: hashPassword("anchor", "pier") }],
    sailings: [
      { id: "N1", from: "Norrby", to: "Skarholm", departs: "2026-06-01T08:15", seats: 2, sold: 0 },
    ],
    gateway: { charge: async () => ({ approved: true, reference: "r-1" }) },
    now: () => Date.UTC(2026, 5, 1, 12),
  });
}

async function signIn(app) {
  const body = { name: "ana", password: "anchor" };
  const answer = await app({ method: "POST", path: "/login", body });
  return { cookie: answer.headers["set-cookie"].split(";")[0] };
}

test("the timetable is open to everyone", async () => {
  const answer = await desk()({ method: "GET", path: "/sailings", query: { from: "Norrby" } });
  assert.equal(answer.status, 200);
  assert.equal(answer.body[0].id, "N1");
});

test("an order needs a sign-in", async () => {
  const app = desk();
  const order = { method: "POST", path: "/orders", body: { items: { adult: 2 }, card: "4242" } };
  assert.equal((await app(order)).status, 401);

  const answer = await app({ ...order, headers: await signIn(app) });
  assert.equal(answer.status, 201);
  assert.deepEqual(answer.body, { cents: 2500, discount: 0, reference: "r-1" });
});

test("whoever signed in can ask who they are", async () => {
  const app = desk();
  const answer = await app({ method: "GET", path: "/me", headers: await signIn(app) });
  assert.deepEqual(answer.body, { name: "ana", role: "clerk" });
});
