import { createPrivateKey, randomUUID } from "node:crypto";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import type { Delivery } from "../../demo/github/state.ts";
import { createGitHub } from "../../src/adapters/github/github.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { watchDeliveries } from "../../src/jobs/deliveries.ts";
import { privateKey, standIn } from "../demo/github-support.ts";
import { silentLog } from "../support/log.ts";
import { storeOn } from "../support/open-test-store.ts";
import { aDelivery, aHeard } from "../support/store-rows.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let lastId = 3_804_004_623_172_239_000n;

function sent(ageMs: number, more: Partial<Delivery> = {}): Delivery {
  lastId += 1n;
  return {
    id: lastId,
    guid: randomUUID(),
    deliveredAt: Date.now() - ageMs,
    redelivery: false,
    statusCode: 200,
    event: "issue_comment",
    action: "created",
    installationId: 77,
    repositoryId: 1,
    payload: {},
    ...more,
  };
}

/** GitHub with a list of deliveries, and a server that looks at it as often as `look` is called. */
async function world(fault?: (request: RecordedRequest) => Fault | undefined) {
  const { github } = await standIn(fault ? { fault } : {});
  onTestFinished(() => github.close());
  const store = await storeOn();
  const lines: { level: string; message: string; fields: object }[] = [];
  const note = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields });
  const log = {
    debug: note("debug"),
    info: note("info"),
    warn: note("warn"),
    error: note("error"),
  };
  const adapter = createGitHub({
    appId: 4242,
    privateKey: createPrivateKey(privateKey),
    baseUrl: `${github.url}/api/v3`,
    log,
    git: {
      pushRef: async () => undefined,
      deleteRef: async () => undefined,
      pushBranch: async () => ({ status: "done" }),
    },
    shared: store,
    timing: { delaysMs: [1, 1, 1] },
  });
  onTestFinished(() => adapter.stop());
  const calls = (method: string) =>
    github.requests.filter(
      (each) => each.method === method && each.path.startsWith("/app/hook/deliveries"),
    );
  /** What was asked for again, by the attempt. */
  const asked = () => calls("POST").map((each) => each.path.split("/")[4]);

  /** Starts a server, waits for the end of its first look, and stops it. */
  async function look(owner: string = randomUUID()): Promise<void> {
    const looked = Promise.withResolvers<void>();
    const shared: Store = {
      ...store,
      letGo: (name, by) => store.letGo(name, by).finally(looked.resolve),
    };
    const watch = watchDeliveries({
      github: adapter,
      deliveries: store,
      shared,
      owner,
      now: Date.now,
      log,
      paceMs: 1,
    });
    await looked.promise;
    await watch.stop();
  }
  return { github, store, adapter, lines, look, asked, calls };
}

test("an outage: of 250 deliveries on 3 pages exactly those that failed are asked for again, once", async () => {
  const { github, store, lines, look, asked, calls } = await world();
  const failed: string[] = [];
  const list: Delivery[] = [];
  list.push(sent(4 * DAY, { statusCode: 503, guid: "too-old" }));
  for (let at = 1; at < 250; at += 1) {
    const age = 2 * DAY - at * 60_000;
    if (at % 10 === 0) {
      // Failed, and sent again since by hand.
      const first = sent(age, { statusCode: 503 });
      list.push(first, sent(age - 1000, { guid: first.guid, redelivery: true }));
      at += 1;
    } else if (at % 10 === 3) {
      // Nobody answered.
      const delivery = sent(age, { statusCode: at % 20 === 3 ? null : 502 });
      failed.push(String(delivery.id));
      list.push(delivery);
    } else if (at % 10 === 5) {
      // Answered too late, but stored.
      const delivery = sent(age, { statusCode: 504 });
      await store.saw(aDelivery(delivery.guid));
      list.push(delivery);
    } else list.push(sent(age, at % 2 ? { event: "pull_request", action: "edited" } : {}));
  }
  github.state.deliveries.push(...list);
  // The stand-in, as GitHub, does not list what is too old; other hosts may.
  github.state.deliveries.sort((a, b) => a.deliveredAt - b.deliveredAt);

  await look();
  expect(calls("GET")).toHaveLength(3);
  expect(asked().toSorted()).toEqual(failed.toSorted());
  expect(failed.length).toBeGreaterThan(20);

  await look();
  expect(asked()).toHaveLength(failed.length);
  // Only what is new is read the second time.
  expect(calls("GET")).toHaveLength(4);
  expect(lines.filter((each) => each.level === "error")).toEqual([]);
});

test("what failed longer ago than GitHub keeps it is told as lost", async () => {
  const { github, store, lines, look, asked } = await world();
  await store.setCursor("deliveries", JSON.stringify({ at: Date.now() - 5 * DAY, since: 1 }));
  github.state.deliveries.push(sent(HOUR, { statusCode: 503 }));
  await look();
  expect(asked()).toHaveLength(1);
  const lost = lines.filter((each) => each.level === "error");
  expect(lost.map((each) => each.message)).toEqual([
    "what GitHub sent in this time and we did not take is lost: it keeps deliveries for 3 days",
  ]);
  await look();
  expect(lines.filter((each) => each.level === "error")).toHaveLength(1);
});

test("a comment that something else answered for us is asked for, once we look", async () => {
  const { github, store, look, asked } = await world();
  // From before: an earlier server took it, with rows of its own.
  github.state.deliveries.push(sent(HOUR));
  await look();
  expect(asked()).toEqual([]);

  const missing = sent(-1000);
  const taken = sent(-2000);
  github.state.deliveries.push(missing, taken);
  github.state.deliveries.push(sent(-3000, { event: "pull_request", action: "edited" }));
  github.state.deliveries.push(sent(-4000, { action: "edited" }));
  await store.refuse(
    aHeard(taken.guid),
    { status: "refused", rule: "role", reason: "no", told: "never", passing: false },
    [],
  );
  await look();
  expect(asked()).toEqual([String(missing.id)]);
});

test("what came meanwhile is not asked for, and comments come before other events", async () => {
  const { github, store, look, asked } = await world();
  const came = sent(3 * HOUR, { statusCode: 503 });
  const other = sent(2 * HOUR, { statusCode: 503, event: "push", action: "" });
  const comment = sent(HOUR, { statusCode: 503 });
  github.state.deliveries.push(came, other, comment);
  await store.owe([
    { guid: came.guid, id: String(came.id), event: "issue_comment", deliveredAt: came.deliveredAt },
  ]);
  await store.saw(aDelivery(came.guid));
  await look();
  expect(asked()).toEqual([String(comment.id), String(other.id)]);
});

test("a rate limit or a failure loses nothing: the rest is asked for at the next look", async () => {
  let broken = 0;
  const { github, lines, look, asked } = await world((request) => {
    if (request.method !== "POST" || !request.path.startsWith("/app/hook")) return undefined;
    broken += 1;
    if (broken === 2) return { when: "before", answer: { status: 502 } };
    if (broken === 4) {
      const headers = { "retry-after": "1" };
      return {
        when: "before",
        answer: { status: 403, headers, body: { message: "secondary rate limit" } },
      };
    }
    return undefined;
  });
  const failed = Array.from({ length: 5 }, (_, at) => sent(HOUR - at * 1000, { statusCode: 503 }));
  github.state.deliveries.push(...failed);
  await look();
  await look();
  await look();
  // Those that failed come again after a while, and so later than this test.
  const done = github.requests.filter((each) => each.method === "POST" && each.status === 202);
  expect(done).toHaveLength(3);
  expect(new Set(asked()).size).toBe(5);
  expect(lines.filter((each) => each.level === "error")).toEqual([]);
});

test("one that GitHub can send no more is told as lost, and the others are asked for", async () => {
  const { github, lines, look, asked } = await world((request) =>
    request.path.endsWith(`/${first.id}/attempts`)
      ? { when: "before", answer: { status: 404, body: { message: "Not Found" } } }
      : undefined,
  );
  const first = sent(2 * HOUR, { statusCode: 503 });
  const second = sent(HOUR, { statusCode: 503 });
  github.state.deliveries.push(first, second);
  await look();
  expect(asked()).toEqual([String(first.id), String(second.id)]);
  expect(lines.filter((each) => each.level === "error")).toMatchObject([
    { message: "a delivery is lost: GitHub cannot send it again", fields: { guid: first.guid } },
  ]);
});

test("a host without the list is noted once, and left alone for an hour", async () => {
  const { lines, look, calls } = await world((request) =>
    request.path.startsWith("/app/hook/deliveries")
      ? { when: "before", answer: { status: 404, body: { message: "Not Found" } } }
      : undefined,
  );
  await look();
  expect(calls("GET")).toHaveLength(1);
  expect(lines.filter((each) => each.level === "warn")).toMatchObject([
    { message: "this GitHub host keeps no list of deliveries: one that fails is not sent again" },
  ]);
});

test("a host that showed its list before is asked again when it says that it has none", async () => {
  let away = false;
  const { github, lines, look, asked } = await world((request) =>
    away && request.path.startsWith("/app/hook/deliveries")
      ? { when: "before", answer: { status: 404, body: { message: "Not Found" } } }
      : undefined,
  );
  github.state.deliveries.push(sent(HOUR));
  await look();
  away = true;
  const failed = sent(1000, { statusCode: 503 });
  github.state.deliveries.push(failed);
  await look();
  expect(lines.filter((each) => each.level === "warn")).toEqual([]);
  away = false;
  await look();
  expect(asked()).toEqual([String(failed.id)]);
});

test("of two servers one looks at a time", async () => {
  const { github, store, look, calls } = await world();
  github.state.deliveries.push(sent(HOUR, { statusCode: 503 }));
  await store.hold("deliveries", "somebody else", 60_000);
  const watch = watchDeliveries({
    github: { sent: () => Promise.reject(new Error("not its turn")), sendAgain: async () => true },
    deliveries: store,
    shared: store,
    owner: "here",
    now: Date.now,
    log: { debug: () => undefined, info: () => undefined, warn: vi.fn(), error: vi.fn() },
  });
  await watch.stop();
  expect(calls("GET")).toHaveLength(0);
  await store.letGo("deliveries", "somebody else");
  await look();
  expect(calls("POST")).toHaveLength(1);
});

test("what was turned away in a storm is asked for soon, not at the next round", async () => {
  const { github, store, adapter, asked } = await world();
  const looks: (() => void)[] = [];
  const shared: Store = {
    ...store,
    letGo: (name, by) => store.letGo(name, by).finally(() => looks.shift()?.()),
  };
  const nextLook = () => new Promise<void>((resolve) => looks.push(resolve));
  const first = nextLook();
  const watch = watchDeliveries({
    github: adapter,
    deliveries: store,
    shared,
    owner: randomUUID(),
    now: Date.now,
    log: silentLog,
    paceMs: 1,
    soonMs: 1,
  });
  onTestFinished(() => watch.stop());
  await first;
  const away = sent(0, { statusCode: 503 });
  github.state.deliveries.push(away);
  const second = nextLook();
  watch.soon();
  await second;
  expect(asked()).toEqual([String(away.id)]);
});
