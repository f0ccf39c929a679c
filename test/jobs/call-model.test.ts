import { describe, expect, it } from "vitest";
import type { Store } from "../../src/adapters/store/store.ts";
import { LostLease, TransientError } from "../../src/core/errors.ts";
import type { Caps } from "../../src/core/ledger.ts";
import type { ChatMessage, ModelReply, ProviderRequest, Tried } from "../../src/core/model.ts";
import type { ModelProfile } from "../../src/core/model-profile.ts";
import { createPromptBound } from "../../src/core/prompt-bound.ts";
import { routedModel } from "../../src/jobs/call-model.ts";
import { aCall, answered, caps } from "../support/calls.ts";
import { silentLog } from "../support/log.ts";
import { newPlace, sqlOn, storeOn } from "../support/open-test-store.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "../support/store-rows.ts";

const PRICE = { input: 1, cached: 0.1, output: 10 };
const MESSAGES: ChatMessage[] = [{ role: "user", content: "Refactor auth." }];

function reply(more: Partial<ModelReply> = {}): Tried {
  return {
    kind: "reply",
    requestId: "req_1",
    reply: {
      ...{ content: "Done.", toolCalls: [], refusal: null, truncated: false },
      usage: { inputTokens: 300, cachedTokens: 100, outputTokens: 50, reasoningTokens: 20 },
      usageReported: true,
      ...more,
    },
  };
}

const passing = (billed: boolean, message = "busy"): Tried => ({
  ...{ kind: "passing", message, afterMs: null, billed, operator: false },
});

type Script = (request: ProviderRequest) => Tried | Promise<Tried>;

/** A claimed job whose route has these models, each served by its script. */
async function scene(
  scripts: Record<string, Script>,
  options: { caps?: Partial<Caps>; profile?: Partial<ModelProfile> } = {},
) {
  const place = await newPlace();
  const store = await storeOn(place);
  const command = aCommand("c1");
  await acceptJobs(store, command, [aJob("j1", command)]);
  const job = await claimNext(store);
  if (!job) throw new Error("nothing to claim");
  const asked: ProviderRequest[] = [];
  const warnings: object[] = [];
  let time = 0;
  const waited: { first?: () => Promise<void> } = {};
  const pauses: number[] = [];
  const told: string[] = [];
  const model = routedModel(
    Object.keys(scripts).map((name) => ({ model: name, effort: null })),
    {
      caller: {
        ...{ jobId: "j1", fence: job.fence, commandId: "c1", actorId: 5, repoId: job.repo.id },
        ...{ installationId: 7, skill: null, rule: "rule 2" },
      },
      caps: caps(options.caps ?? {}),
      bound: createPromptBound(),
      insist: () => undefined,
    },
    {
      ledger: store,
      providers: new Map(
        Object.entries(scripts).map(([name, script]) => [
          name,
          {
            restsFor: () => 0,
            tryOnce(request: ProviderRequest) {
              asked.push(request);
              return Promise.resolve(script(request));
            },
          },
        ]),
      ),
      resolve: (name) => ({
        ok: true,
        profile: {
          ...{ name, provider: name, id: `${name}-1`, contextWindow: 100_000, maxOutput: 16_000 },
          ...{ price: PRICE, editTool: "edit", efforts: [], ...options.profile },
        },
      }),
      log: { ...silentLog, warn: (fields: object) => warnings.push(fields) },
      clock: {
        now: () => time,
        wait: async (ms) => {
          time += ms;
          pauses.push(ms);
          await waited.first?.();
        },
      },
    },
  );
  const ask = (signal = new AbortController().signal) =>
    model.ask({
      ...{ messages: MESSAGES, tools: [], step: 3, signal },
      onWait: async (what) => void told.push(what),
    });
  const rows = () =>
    sqlOn(
      place,
      "select provider, model, rule, step, state, micro_dollars, reserved, reason from calls order by id",
    );
  return { ask, asked, rows, store, job, warnings, waited, pauses, told };
}

/** One reading of a row's figures. */
const num = (value: unknown) => Number(value);

describe("a reply", () => {
  it("costs what its tokens cost, and is told to the ledger with the rule that chose", async () => {
    const { ask, rows, asked } = await scene({ a: () => reply() });
    expect(await ask()).toMatchObject({ status: "reply", reply: { content: "Done." } });
    const [row, ...more] = await rows();
    expect(more).toEqual([]);
    expect(row).toMatchObject({ provider: "a", model: "a", rule: "rule 2", state: "answered" });
    expect(num(row?.micro_dollars)).toBe(200 + 10 + 500);
    expect(num(row?.reserved)).toBeGreaterThan(16_000 * 10);
    expect(asked[0]).toMatchObject({ model: "a-1", maxOutput: 16_000 });
  });

  it("without usage costs what was reserved", async () => {
    const { ask, rows } = await scene({ a: () => reply({ usageReported: false }) });
    await ask();
    const [row] = await rows();
    expect(row).toMatchObject({ state: "answered" });
    expect(num(row?.micro_dollars)).toBe(num(row?.reserved));
  });

  it("that claims negative tokens costs what was reserved", async () => {
    const usage = { inputTokens: -5, cachedTokens: 0, outputTokens: 10 };
    const { ask, rows } = await scene({ a: () => reply({ usage }) });
    await ask();
    const [row] = await rows();
    expect(num(row?.micro_dollars)).toBe(num(row?.reserved));
  });

  it("that cost more than it can have is told as it was, with a warning", async () => {
    const usage = { inputTokens: 90_000, cachedTokens: 0, outputTokens: 90_000 };
    const { ask, rows, warnings } = await scene({ a: () => reply({ usage }) });
    await ask();
    expect(num((await rows())[0]?.micro_dollars)).toBe(990_000);
    expect(warnings).toHaveLength(1);
  });

  it("of an unpriced model costs nothing, whatever the caps", async () => {
    const options = { profile: { price: "unpriced" as const }, caps: { job: 1 } };
    const { ask, rows } = await scene({ a: () => reply() }, options);
    expect(await ask()).toMatchObject({ status: "reply", used: 0 });
    expect(num((await rows())[0]?.micro_dollars)).toBe(0);
  });

  it("tells how much of the job's budget is gone", async () => {
    const { ask } = await scene({ a: () => reply() }, { caps: { job: 200_000 } });
    expect(await ask()).toMatchObject({ used: 710 / 200_000 });
  });
});

describe("a failure", () => {
  it("lets the next model answer, and costs nothing where nothing was made", async () => {
    const { ask, rows } = await scene({ a: () => passing(false), b: () => reply() });
    expect(await ask()).toMatchObject({ status: "reply" });
    const [first, second] = await rows();
    expect(first).toMatchObject({ provider: "a", state: "void", reason: "busy" });
    expect(num(first?.micro_dollars)).toBe(0);
    expect(second).toMatchObject({ provider: "b", state: "answered" });
  });

  it("in the middle of a reply stays counted in full, and the call is made again", async () => {
    let tries = 0;
    const { ask, rows } = await scene({ a: () => (++tries === 1 ? passing(true) : reply()) });
    expect(await ask()).toMatchObject({ status: "reply" });
    const [first, second] = await rows();
    expect(first).toMatchObject({ state: "unknown" });
    expect(num(first?.micro_dollars)).toBe(num(first?.reserved));
    expect(second).toMatchObject({ state: "answered" });
  });

  it("is waited for longer from try to try, and then thrown for the queue to try again", async () => {
    const { ask, asked, pauses, warnings } = await scene({ a: () => passing(false, "a is busy") });
    const error = await ask().then(
      () => expect.fail("nobody answers"),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(TransientError);
    expect(error).toMatchObject({
      message: "no reply from the model after 5 tries: a is busy",
      // The server asked for no wait: the job's attempts count.
      retryAt: undefined,
    });
    expect([asked.length, warnings.length]).toEqual([5, 5]);
    expect(pauses).toHaveLength(4);
    for (const [at, ms] of pauses.entries()) {
      expect(ms).toBeGreaterThanOrEqual(500 * 2 ** at);
      expect(ms).toBeLessThanOrEqual(1500 * 2 ** at);
    }
  });

  it("of a job that is stopped while it waits for the next try ends with why", async () => {
    const controller = new AbortController();
    const reason = new Error("stopped by ada");
    const { ask, asked, waited } = await scene({ a: () => passing(false) });
    waited.first = async () => {
      controller.abort(reason);
      throw new Error("the wait was cut short");
    };
    await expect(ask(controller.signal)).rejects.toBe(reason);
    expect(asked).toHaveLength(1);
  });

  it("of a stopped job stays counted, and says why it was stopped", async () => {
    const controller = new AbortController();
    const reason = new Error("stopped by ada");
    const { ask, rows } = await scene({
      a: ({ onSend }) => {
        onSend?.();
        controller.abort(reason);
        throw reason;
      },
    });
    await expect(ask(controller.signal)).rejects.toBe(reason);
    expect(await rows()).toMatchObject([{ state: "unknown", reason: "stopped by ada" }]);
  });
});

describe("a failure that says what it cost", () => {
  it("is counted so, and the reply is asked for again", async () => {
    let tries = 0;
    const usage = { inputTokens: 1000, cachedTokens: 0, outputTokens: 20 };
    const failed: Tried = {
      ...{ kind: "passing", message: "It broke", afterMs: null, billed: true, operator: false },
      usage,
    };
    const { ask, rows } = await scene({ a: () => (++tries === 1 ? failed : reply()) });
    expect(await ask()).toMatchObject({ status: "reply" });
    const [first] = await rows();
    expect(num(first?.micro_dollars)).toBe(1200);
  });
});

describe("a reply that was cut off", () => {
  it("is followed by one that may be longer", async () => {
    const { ask, asked } = await scene(
      { a: () => reply({ truncated: true }) },
      { profile: { maxOutput: 50_000, contextWindow: 200_000 } },
    );
    for (let nth = 1; nth <= 4; nth++) await ask();
    expect(asked.map(({ maxOutput }) => maxOutput)).toEqual([16_000, 32_000, 50_000, 50_000]);
  });
});

describe("a small window", () => {
  it("is left to the prompt: a reply gets three tenths of it", async () => {
    const { ask, asked } = await scene(
      { a: () => reply() },
      { profile: { contextWindow: 20_000 } },
    );
    await ask();
    expect(asked[0]?.maxOutput).toBe(6_000);
  });
});

describe("a budget", () => {
  it("makes a reply shorter that would not fit", async () => {
    const { ask, asked } = await scene({ a: () => reply() }, { caps: { job: 60_000 } });
    await ask();
    expect(asked[0]?.maxOutput).toBeLessThan(6_000);
    expect(asked[0]?.maxOutput).toBeGreaterThan(5_000);
  });

  it("that has no room for a reply lets no call be made, and says which it is", async () => {
    const { ask, asked } = await scene({ a: () => reply() }, { caps: { repositoryDay: 10_000 } });
    expect(await ask()).toEqual({
      status: "over_budget",
      why: { cap: "repositoryDay", spent: 0, limit: 10_000 },
    });
    expect(asked).toEqual([]);
  });
});

describe("room that another call holds", () => {
  /** With $0.10 for the repository's day, of which another call has reserved all but $0.009. */
  async function crowded() {
    const bound = { repositoryDay: 100_000 };
    const all = await scene({ a: () => reply() }, { caps: bound });
    const { fence } = all.job;
    const other = aCall("other", "j1", { fence, wanted: 9_000, least: 9_000 });
    expect(await all.store.reserve(other, caps(bound))).toMatchObject({ status: "reserved" });
    return all;
  }

  it("is waited for, as it will cost less than it reserved", async () => {
    const { ask, store, asked, waited } = await crowded();
    waited.first = () => store.settle("other", answered(500));
    expect(await ask()).toMatchObject({ status: "reply" });
    expect(asked).toHaveLength(1);
  });

  it("is looked for ever more seldom, and what is waited for is told once", async () => {
    const { ask, store, waited, pauses, told } = await crowded();
    waited.first = async () => {
      if (pauses.length === 8) await store.settle("other", answered(500));
    };
    expect(await ask()).toMatchObject({ status: "reply" });
    expect(pauses).toHaveLength(8);
    for (const [at, ms] of pauses.entries()) {
      const usual = Math.min(30_000, 2_000 * 2 ** at);
      expect(ms).toBeGreaterThanOrEqual(usual / 2);
      expect(ms).toBeLessThanOrEqual(usual * 1.5);
    }
    expect(new Set(pauses).size).toBe(8);
    expect(told).toEqual([
      "room under the budget of $0.10 for this repository and day, which calls under way hold",
    ]);
  });

  it("is waited for no longer once it was used up", async () => {
    const { ask, store, waited, pauses } = await crowded();
    waited.first = () => store.settle("other", answered(91_000));
    expect(await ask()).toMatchObject({
      status: "over_budget",
      why: { cap: "repositoryDay", limit: 100_000, spent: 91_000 },
    });
    expect(pauses).toHaveLength(1);
  });
});

describe("a job that is stopped while it stands in line", () => {
  it("is billed nothing: nobody was asked", async () => {
    const controller = new AbortController();
    const { ask, rows } = await scene({
      a: () => {
        controller.abort(new Error("stopped by ada"));
        throw controller.signal.reason;
      },
    });
    await expect(ask(controller.signal)).rejects.toThrow("stopped by ada");
    const [row] = await rows();
    expect(row).toMatchObject({ state: "void" });
    expect(num(row?.micro_dollars)).toBe(0);
  });
});

describe("a job that is another's by now", () => {
  it("asks nobody and spends nothing", async () => {
    const { ask, asked, rows, store, job } = await scene({ a: () => reply() });
    await takeOver(store, job.id, job.fence);
    await expect(ask()).rejects.toThrow(LostLease);
    expect(asked).toEqual([]);
    expect(await rows()).toEqual([]);
  });
});

async function takeOver(store: Store, id: string, fence: number): Promise<void> {
  await store.release(id, fence, { inMs: 0, burn: false });
  await claimNext(store, { owner: "there/1", worker: "there" });
}

describe("a conversation that is too long", () => {
  it("is told as such when no model of the route has a larger window", async () => {
    const tooLong: Tried = { kind: "too_long", message: "maximum context length" };
    const { ask, rows } = await scene({ a: () => tooLong, b: () => tooLong });
    expect(await ask()).toEqual({ status: "too_long", due: null });
    expect(await rows()).toMatchObject([{ state: "void" }]);
  });
});
