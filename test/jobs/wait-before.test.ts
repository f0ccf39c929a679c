import { expect, test } from "vitest";
import { NoReply, TransientError } from "../../src/core/errors.ts";
import { repoConfigSchema } from "../../src/core/repo-config.ts";
import { nextTry, waitBefore } from "../../src/jobs/wait-before.ts";

const spend = { steps: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, microDollars: 0 };

test("a server that asks for a second each time is asked a few thousand times in a day, no more", () => {
  let waitedMs = 0;
  let tries = 0;
  for (; waitedMs < 24 * 60 * 60_000; tries += 1) {
    waitedMs += waitBefore({ attempts: 1, spend: { ...spend, waitedMs } }, 1000);
  }
  expect(tries).toBeLessThan(2000);
});

test("what was asked for is waited, an hour at most; else it doubles with each attempt", () => {
  expect(waitBefore({ attempts: 1, spend }, 20_000)).toBe(20_000);
  expect(waitBefore({ attempts: 1, spend }, 1e9)).toBe(3_600_000);
  expect(waitBefore({ attempts: 1, spend }, 0)).toBeLessThan(2600);
  expect(waitBefore({ attempts: 5, spend }, 0)).toBeGreaterThan(23_000);
});

const jobAfter = (more: { workedMs?: number; waitedMs?: number; attempts?: number } = {}) => {
  const { attempts = 1, ...times } = more;
  const config = repoConfigSchema.parse({ limits: { minutes: 5 } });
  return { attempts, config, spend: { ...spend, ...times } };
};
const noReply = (inMs?: number) =>
  new NoReply("no reply", "busy", inMs === undefined ? {} : { retryAt: 1000 + inMs });

test("what a reply is waited for is time of the job, however often its server asks for a second", () => {
  let job: Parameters<typeof nextTry>[0] = jobAfter();
  let asked = 0;
  for (; asked < 10_000; asked += 1) {
    const next = nextTry(job, noReply(1000), 1000);
    if (next.kind !== "wait") {
      expect(next.kind).toBe("too_late");
      break;
    }
    expect(next.burn).toBe(false);
    job = { ...job, spend: next.spend };
    expect(job.spend.workedMs).toBeLessThanOrEqual(300_000);
  }
  expect(asked).toBeLessThan(200);
});

test("a wait that the model's server asks for is not begun where the job's time ends before it", () => {
  expect(nextTry(jobAfter(), noReply(200_000), 1000)).toMatchObject({ kind: "wait", ms: 200_000 });
  expect(nextTry(jobAfter(), noReply(300_000), 1000)).toEqual({ kind: "too_late" });
  const worked = jobAfter({ workedMs: 200_000 });
  expect(nextTry(worked, noReply(100_000), 1000)).toEqual({ kind: "too_late" });
});

test("a wait of its own is cut so that the model is asked once more before the time ends", () => {
  const job = jobAfter({ attempts: 8, workedMs: 270_000 });
  expect(nextTry(job, noReply(), 1000)).toMatchObject({ kind: "wait", ms: 20_000, burn: true });
  const tenth = jobAfter({ attempts: 10 });
  expect(nextTry(tenth, noReply(), 1000)).toEqual({ kind: "given_up" });
});

test("waits that GitHub asks for are no time of the job, and a day of them is the end", () => {
  const limited = new TransientError("rate limit", { retryAt: 1000 + 3_000_000 });
  const job = jobAfter({ workedMs: 299_000 });
  expect(nextTry(job, limited, 1000)).toMatchObject({
    ...{ kind: "wait", ms: 3_000_000, burn: false },
    spend: { workedMs: 299_000, waitedMs: 3_000_000 },
  });
  const long = jobAfter({ waitedMs: 24 * 3_600_000 });
  expect(nextTry(long, limited, 1000)).toEqual({ kind: "given_up" });
});
