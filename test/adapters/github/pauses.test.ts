import nock from "nock";
import { expect, it } from "vitest";
import type { createGitHub } from "../../../src/adapters/github/github.ts";
import { createPauses } from "../../../src/adapters/github/pauses.ts";
import type { ActOf } from "../../../src/core/act.ts";
import { RateLimited } from "../../../src/core/errors.ts";
import { silentLog } from "../../support/log.ts";
import { API, mints, NOW, repo, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

type Shared = Parameters<typeof createGitHub>[0]["shared"];

const REPO = "/repos/acme/shop";
const facts = { id: 42, default_branch: "main", archived: false };
const eyes: ActOf<"reaction"> = { kind: "reaction", repo, commentId: 5, content: "eyes" };
const push: ActOf<"push"> = {
  ...{ kind: "push", repo },
  ...{ commit: "c".repeat(40), ref: "refs/draftsmith/x" },
};
const REACTIONS = "/repos/acme/shop/issues/comments/5/reactions";

/** What two processes share, by a clock that the test turns. */
function world() {
  const clock = { at: NOW };
  const pauses = new Map<number, { until: number; why: string }>();
  const slowed: [number, number][] = [];
  const shared: Shared = {
    pause: async (id, ms, why) => {
      const until = clock.at + ms;
      if (until > (pauses.get(id)?.until ?? 0)) pauses.set(id, { until, why });
    },
    pausedFor: async (id) => {
      const pause = pauses.get(id);
      return pause && pause.until > clock.at
        ? { ms: pause.until - clock.at, why: pause.why }
        : null;
    },
    slow: async (id, ms) => void slowed.push([id, ms]),
  };
  const process = (more: Parameters<typeof setUp>[0] = {}) =>
    setUp({ shared, now: () => clock.at, ...more }).github;
  return { clock, slowed, process };
}

const limited = (headers: Record<string, string> = {}) =>
  nock(API).get(REPO).reply(403, { message: "You have exceeded a secondary rate limit." }, headers);

it("after a rate limit nobody calls for the installation before its end, in whatever process", async () => {
  const { clock, process } = world();
  const [one, two] = [process(), process()];
  mints("ghs_first", { times: 2 });
  limited({ "retry-after": "90" });
  await expect(one.repository(repo)).rejects.toHaveProperty("retryAt", NOW + 90_000);
  // Neither a read nor a write nor a token is asked for: the edge would complain.
  await expect(one.perform(eyes, null)).rejects.toHaveProperty("retryAt", NOW + 90_000);
  await expect(two.repository(repo)).rejects.toHaveProperty("retryAt", NOW + 90_000);
  await expect(
    two.readGit(repo, async () => expect.fail("git must wait as well")),
  ).rejects.toHaveProperty("retryAt", NOW + 90_000);

  clock.at += 90_001;
  nock(API).get(REPO).times(2).reply(200, facts);
  await one.repository(repo);
  await two.repository(repo);
});

it("a pause that was met by a clock hours ahead ends when the clock is set right: what is stored counts", async () => {
  const clock = { at: NOW + 5 * 60 * 60_000 };
  let stored: { ms: number; why: string } | null = null;
  const shared = {
    pausedFor: async () => stored,
    pause: async () => undefined,
    slow: async () => undefined,
  };
  const pauses = createPauses({ shared, now: () => clock.at, log: silentLog });
  const limit = { retryAt: clock.at + 60_000, stated: true, secondary: true };
  await pauses.reached(7, new RateLimited("too much", limit));
  await expect(pauses.insist(7)).rejects.toBeInstanceOf(RateLimited);
  clock.at = NOW;
  stored = { ms: 30_000, why: "too much" };
  await expect(pauses.insist(7)).rejects.toHaveProperty("retryAt", NOW + 30_000);
  clock.at += 30_001;
  stored = null;
  await pauses.insist(7);
});

it("another installation is not held up", async () => {
  const { process } = world();
  mints("ghs_first");
  limited({ "retry-after": "90" });
  const github = process();
  await expect(github.repository(repo)).rejects.toThrow("rate limit");
  nock(API)
    .post("/app/installations/8/access_tokens")
    .reply(201, { token: "ghs_other", expires_at: new Date(NOW + 3_600_000).toISOString() });
  nock(API).get(REPO).reply(200, facts);
  await github.repository({ ...repo, installationId: 8 });
});

it("where GitHub names no time the wait is a minute, and doubles while the limit stays", async () => {
  const { clock, process } = world();
  const github = process();
  mints("ghs_first");
  for (const wait of [60_000, 120_000, 240_000]) {
    limited();
    await expect(github.repository(repo)).rejects.toHaveProperty("retryAt", clock.at + wait);
    clock.at += wait + 1;
  }
  nock(API).get(REPO).reply(200, facts);
  await github.repository(repo);
  limited();
  clock.at += 1001;
  await expect(github.repository(repo)).rejects.toHaveProperty("retryAt", clock.at + 60_000);
});

it("calls that were under way together meet one limit, and wait once", async () => {
  const { process } = world();
  const github = process();
  mints("ghs_first");
  for (let call = 0; call < 4; call += 1) limited();
  const answers = await Promise.allSettled([1, 2, 3, 4].map(() => github.repository(repo)));
  for (const answer of answers) {
    expect(answer).toMatchObject({ reason: { retryAt: NOW + 60_000 } });
  }
});

it("what was too much at once slows the writes that follow; what the hour takes does not", async () => {
  const { process, slowed, clock } = world();
  const github = process();
  mints("ghs_first");
  limited({ "retry-after": "90" });
  await expect(github.repository(repo)).rejects.toThrow("rate limit");
  expect(slowed).toEqual([[7, 90_000]]);
  clock.at += 90_001;
  limited({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(clock.at / 1000 + 9) });
  await expect(github.repository(repo)).rejects.toThrow("rate limit");
  expect(slowed).toHaveLength(1);
});

it("a limit that git meets, at a fetch or a push, lets everybody wait, in whatever process", async () => {
  const { process, clock } = world();
  const [one, two] = [process(), process()];
  mints("ghs_push");
  const met = (stated: boolean, retryAt: number) =>
    new RateLimited("too many requests", { stated, retryAt, secondary: false });
  // Two jobs that share a fetch meet the same limit.
  const shared = met(false, 0);
  const fetches = [1, 2].map(() => one.readGit(repo, () => Promise.reject(shared)));
  for (const fetch of fetches) {
    await expect(fetch).rejects.toHaveProperty("retryAt", NOW + 60_000);
  }
  await expect(two.repository(repo)).rejects.toHaveProperty("retryAt", NOW + 60_000);
  await expect(two.perform(eyes, null)).rejects.toHaveProperty("retryAt", NOW + 60_000);

  clock.at += 60_001;
  let pushes = 0;
  const refuse = async () => {
    pushes += 1;
    throw met(true, clock.at + 5000);
  };
  const pushing = process({ git: { pushRef: refuse, deleteRef: refuse, pushBranch: refuse } });
  await expect(pushing.perform(push, null)).rejects.toHaveProperty("retryAt", clock.at + 5000);
  // Nor does git itself call while it waits.
  await expect(pushing.perform(push, null)).rejects.toHaveProperty("retryAt", clock.at + 5000);
  expect(pushes).toBe(1);
});

it("the last call of the hour is heard before the next one fails", async () => {
  const { process } = world();
  const github = process();
  mints("ghs_first");
  nock(API)
    .get(REPO)
    .reply(200, facts, {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(NOW / 1000 + 600),
    });
  await github.repository(repo);
  await expect(github.repository(repo)).rejects.toHaveProperty("retryAt", NOW + 600_000);
});

it.each([
  ["the clock of GitHub counts where ours is wrong", 300, NOW + 300_000],
  ["no header makes it wait for longer than an hour", 90_000, NOW + 3_600_000],
])("%s", async (_name, seconds, retryAt) => {
  const { process } = world();
  const theirs = NOW - 20 * 60_000;
  mints("ghs_first");
  nock(API)
    .get(REPO)
    .reply(
      403,
      { message: "API rate limit exceeded" },
      {
        date: new Date(theirs).toUTCString(),
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(theirs / 1000 + seconds),
      },
    );
  await expect(process().repository(repo)).rejects.toHaveProperty("retryAt", retryAt);
});

it("a store that fails for a moment keeps nobody from GitHub", async () => {
  mints("ghs_first");
  nock(API).post(REACTIONS).reply(201, { id: 1 });
  const broken = async () => Promise.reject(new Error("no database"));
  const { github, lines } = setUp({ shared: { pause: broken, pausedFor: broken, slow: broken } });
  await github.perform(eyes, null);
  expect(lines.join()).toContain("could not be read");
});
