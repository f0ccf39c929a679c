import { randomUUID } from "node:crypto";
import { Agent } from "node:http";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import type { StorePlace } from "../../src/adapters/store/store.ts";
import { commentEvent } from "../support/comment-event.ts";
import { post, type Sent, startDoor } from "../support/door.ts";
import { onPostgres, restartPostgres, sqlOn } from "../support/open-test-store.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { nightly } from "./size.ts";

const CONNECTIONS = 8;
const MOST_COPIES = 5;
const RESTARTS = 4;

const size = Number(process.env.DRAFTSMITH_TEST_DELIVERIES ?? (nightly ? 10_000 : 500));
const seed = Number(process.env.DRAFTSMITH_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
let state = seed;

/** A whole number below `limit`: the same ones for the same seed (mulberry32). */
function random(limit: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
}

/** Deliveries of comments: of ten 8 ask for 1 to 3 jobs each, 1 asks for nothing, 1 takes one of them back. */
function deliveries() {
  const sent: Sent[] = [];
  /** How many jobs each comment is to lead to; null: none that goes on. */
  const wanted = new Map<number, number | null>();
  const add = (payload: object) => sent.push({ guid: randomUUID(), body: JSON.stringify(payload) });
  while (sent.length < size) {
    const commentId = 5000 + sent.length;
    const kind = sent.length % 10;
    const tasks = 1 + (commentId % 3);
    const list = Array.from({ length: tasks }, (_, at) => `- task ${at + 1}`).join("\n");
    const body = kind === 7 ? "What about the tests?" : `/codex\n${list}`;
    const author = { id: 100 + (commentId % 40), login: `person-${commentId % 40}`, type: "User" };
    const { payload } = commentEvent({ commentId, body, author, sender: author });
    const at = commentId % 20;
    const told = {
      ...payload,
      installation: { ...payload.installation, id: 7 + (at % 4) },
      repository: { ...payload.repository, id: 42 + at, name: `shop-${at}` },
    };
    add(told);
    if (kind === 8) add({ ...told, action: "deleted" });
    wanted.set(commentId, kind === 7 || kind === 8 ? null : tasks);
  }
  return { sent, wanted };
}

it(`intake-01 ${size} deliveries, shuffled, each sent up to ${MOST_COPIES} times from ${CONNECTIONS} connections while the store restarts: exactly the right jobs, seed ${seed}`, {
  timeout: (120_000 + size * 120) * PATIENCE,
}, async () => {
  const { sent, wanted } = deliveries();
  const door = await startDoor();
  const copies = sent.flatMap((each) =>
    Array.from({ length: 1 + random(MOST_COPIES) }, () => each),
  );
  for (let at = copies.length - 1; at > 0; at -= 1) {
    const other = random(at + 1);
    [copies[at], copies[other]] = [copies[other] as Sent, copies[at] as Sent];
  }
  const total = copies.length;
  const began = performance.now();
  let answered = 0;
  let failed = 0;
  let slowest = 0;
  let up: Promise<void> = Promise.resolve();

  async function restart(round: number): Promise<void> {
    if (onPostgres && round % 2 === 0) return restartPostgres();
    await door.kill();
    await door.start();
  }

  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let each = copies.pop(); each !== undefined; each = copies.pop()) {
        const from = performance.now();
        const status = await post(agent, door.port(), each);
        slowest = Math.max(slowest, performance.now() - from);
        if (status === 200) {
          answered += 1;
          const round = Math.floor((answered * (RESTARTS + 1)) / total);
          if (round > Math.floor(((answered - 1) * (RESTARTS + 1)) / total) && round <= RESTARTS)
            up = restart(round);
        } else {
          // As GitHub: it is sent again later, when somebody asks for it.
          expect([503, null]).toContain(status);
          failed += 1;
          copies.unshift(each);
          if (!onPostgres) await up;
        }
      }
      agent.destroy();
    }),
  );
  await up;
  const seconds = (performance.now() - began) / 1000;

  const rows = await sqlOn(
    door.place,
    "select c.key, j.number, j.state from jobs j join commands c on c.id = j.command_id",
  );
  const found = new Map<number, { numbers: number[]; states: Set<unknown> }>();
  for (const { key, number, state: at } of rows) {
    const id = Number(String(key).split("/")[1]);
    const job = found.get(id) ?? { numbers: [], states: new Set() };
    job.numbers.push(Number(number));
    job.states.add(at);
    found.set(id, job);
  }
  const wrong = [...wanted].filter(([id, tasks]) => {
    const { numbers, states } = found.get(id) ?? { numbers: [], states: new Set() };
    if (tasks === null) return [...states].some((each) => each !== "cancelled");
    const right = Array.from({ length: tasks }, (_, at) => at + 1);
    return numbers.toSorted().join() !== right.join() || states.size !== 1 || !states.has("queued");
  });
  expect(wrong).toEqual([]);
  expect([...found.keys()].filter((id) => !wanted.has(id))).toEqual([]);
  const [commands, boards, known] = await Promise.all([
    sqlOn(door.place, "select key from commands"),
    sqlOn(door.place, "select act from outbox where key like 'board:%'"),
    sqlOn(door.place, "select guid from deliveries"),
  ]);
  expect(commands).toHaveLength(found.size);
  expect(boards).toHaveLength(found.size);
  expect(new Set(known.map(({ guid }) => guid))).toEqual(new Set(sent.map(({ guid }) => guid)));
  console.log(
    `${size} deliveries in ${total} copies: ${rows.length} jobs, ${failed} failed and were sent again, ` +
      `slowest answer ${Math.round(slowest)} ms, ${seconds.toFixed(1)} s, ${Math.round(total / seconds)}/s`,
  );
});

it("intake-02 the store stands still while a comment comes: 503 in time, nothing is half stored, and it is taken when it is sent again", {
  timeout: 60_000 * PATIENCE,
}, async () => {
  const door = await startDoor();
  const comment = commentEvent();
  const sent = { guid: comment.id, body: JSON.stringify(comment.payload) };
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const jobs = () => sqlOn(door.place, "select id from jobs");

  const letGo = await holdStill(door.place);
  const began = performance.now();
  expect(await post(agent, door.port(), sent)).toBe(503);
  expect(performance.now() - began).toBeLessThan(9000 * PATIENCE);
  await letGo();

  expect(await jobs()).toEqual([]);
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => post(agent, door.port(), sent)),
  );
  // On a machine that is busy some are told to come again.
  expect(answers.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect(answers).toContain(200);
  expect(await jobs()).toHaveLength(1);
});

/** Keeps everybody from writing until the answer is called. */
async function holdStill(place: StorePlace): Promise<() => Promise<void>> {
  if ("file" in place) {
    const database = new DatabaseSync(place.file);
    database.exec("BEGIN EXCLUSIVE");
    return async () => database.close();
  }
  const client = new pg.Client(place.url);
  await client.connect();
  await client.query("begin; lock table deliveries, intakes in access exclusive mode");
  return () => client.end();
}
