import { describe, expect, it } from "vitest";
import { createProviderLine } from "../../src/adapters/provider-line.ts";
import { MONOTONIC } from "../../src/compose/models.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { Provider, ProviderRequest, Tried } from "../../src/core/model.ts";

/** A clock that goes on only when it is told to. */
function handClock() {
  let time = 0;
  let waiting: { at: number; go: () => void }[] = [];
  const clock: Clock = {
    now: () => time,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ at: time + ms, go: resolve });
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  return {
    clock,
    async pass(ms: number) {
      time += ms;
      for (const each of waiting.filter(({ at }) => at <= time)) each.go();
      waiting = waiting.filter(({ at }) => at > time);
      await settle();
    },
  };
}

/** Lets everything run that waits for no clock. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

const request = (id: string, more: Partial<ProviderRequest> = {}): ProviderRequest => ({
  model: "m",
  effort: null,
  maxOutput: 100,
  messages: [],
  tools: [],
  callId: id,
  signal: new AbortController().signal,
  ...more,
});

const reply = (inputTokens = 1, outputTokens = 1): Tried => ({
  kind: "reply",
  requestId: null,
  reply: {
    content: "",
    toolCalls: [],
    refusal: null,
    truncated: false,
    usage: { inputTokens, cachedTokens: 0, outputTokens },
    usageReported: true,
  },
});

const passing = (afterMs: number | null = null): Tried => ({
  kind: "passing",
  message: "busy",
  afterMs,
  billed: false,
  operator: false,
});

/** A provider whose answers are given by hand, in the order in which it was asked. */
function handProvider() {
  const asked: string[] = [];
  const open = new Map<string, { give: (tried: Tried) => void; fail: (error: Error) => void }>();
  const provider: Provider = {
    tryOnce: ({ callId }) => {
      asked.push(callId);
      return new Promise((give, fail) => open.set(callId, { give, fail }));
    },
  };
  return { provider, asked, open };
}

const FREE = { concurrency: null, requestsPerMinute: null, tokensPerMinute: null };

describe("a provider's line", () => {
  it("lets so many calls through at a time, in their order", async () => {
    const { provider, asked, open } = handProvider();
    const line = createProviderLine(provider, { ...FREE, concurrency: 2 }, MONOTONIC);
    const all = ["a", "b", "c"].map((id) => line.tryOnce(request(id)));
    await settle();
    expect(asked).toEqual(["a", "b"]);
    open.get("b")?.give(reply());
    await all[1];
    await settle();
    expect(asked).toEqual(["a", "b", "c"]);
    open.get("a")?.give(reply());
    open.get("c")?.give(reply());
    expect((await Promise.all(all)).map(({ kind }) => kind)).toEqual(["reply", "reply", "reply"]);
  });

  it("lets a call leave the line that nobody waits for any more, and does not ask for it", async () => {
    const { provider, asked, open } = handProvider();
    const line = createProviderLine(provider, { ...FREE, concurrency: 1 }, MONOTONIC);
    const first = line.tryOnce(request("a"));
    const left = new AbortController();
    const second = line.tryOnce(request("b", { signal: left.signal }));
    const third = line.tryOnce(request("c"));
    left.abort(new Error("stopped"));
    await expect(second).rejects.toThrow("stopped");
    open.get("a")?.give(reply());
    await first;
    await settle();
    expect(asked).toEqual(["a", "c"]);
    open.get("c")?.give(reply());
    await third;
  });

  it("asks so often in any minute", async () => {
    const { clock, pass } = handClock();
    const asked: number[] = [];
    const provider: Provider = {
      tryOnce: async () => {
        asked.push(clock.now());
        return reply();
      },
    };
    const line = createProviderLine(provider, { ...FREE, requestsPerMinute: 2 }, clock);
    await line.tryOnce(request("a"));
    await pass(40_000);
    await line.tryOnce(request("b"));
    const more = [line.tryOnce(request("c")), line.tryOnce(request("d"))];
    await settle();
    await pass(19_000);
    expect(asked).toEqual([0, 40_000]);
    await pass(1_000);
    expect(asked).toEqual([0, 40_000, 60_000]);
    await pass(40_000);
    await Promise.all(more);
    expect(asked).toEqual([0, 40_000, 60_000, 100_000]);
  });

  it("counts the tokens that were used in place of those it guessed", async () => {
    const { clock, pass } = handClock();
    const asked: string[] = [];
    const provider: Provider = {
      tryOnce: async ({ callId }) => {
        asked.push(callId);
        return reply(callId === "big" ? 900 : 10, 0);
      },
    };
    const line = createProviderLine(provider, { ...FREE, tokensPerMinute: 1_000 }, clock);
    // Each is guessed at some 800 tokens, and uses ten.
    await line.tryOnce(request("a", { maxOutput: 800 }));
    await line.tryOnce(request("b", { maxOutput: 800 }));
    await line.tryOnce(request("big", { maxOutput: 800 }));
    const after = line.tryOnce(request("c", { maxOutput: 800 }));
    const small = line.tryOnce(request("small", { maxOutput: 1 }));
    await settle();
    expect(asked).toEqual(["a", "b", "big"]);
    await pass(60_000);
    await Promise.all([after, small]);
    // The small one would have fitted before: it did not overtake.
    expect(asked).toEqual(["a", "b", "big", "c", "small"]);
  });

  it("lets a call of more tokens than a minute has go when nothing else went", async () => {
    const { clock } = handClock();
    const provider: Provider = { tryOnce: async () => reply() };
    const line = createProviderLine(provider, { ...FREE, tokensPerMinute: 1_000 }, clock);
    expect((await line.tryOnce(request("a", { maxOutput: 9_000 }))).kind).toBe("reply");
  });

  it("gives a turn back that was waited for in vain", async () => {
    const { clock, pass } = handClock();
    const asked: string[] = [];
    const provider: Provider = {
      tryOnce: async ({ callId }) => {
        asked.push(callId);
        return reply();
      },
    };
    const line = createProviderLine(provider, { ...FREE, requestsPerMinute: 1 }, clock);
    await line.tryOnce(request("a"));
    const left = new AbortController();
    const second = line.tryOnce(request("b", { signal: left.signal }));
    const third = line.tryOnce(request("c"));
    await settle();
    left.abort(new Error("stopped"));
    await expect(second).rejects.toThrow("stopped");
    await settle();
    await pass(60_000);
    await third;
    expect(asked).toEqual(["a", "c"]);
  });
});

describe("the rest of a provider", () => {
  /** A line whose provider gives the next of some answers. */
  function scripted(...answers: Tried[]) {
    const { clock, pass } = handClock();
    let asked = 0;
    const provider: Provider = {
      tryOnce: async () => {
        asked += 1;
        return answers.shift() ?? reply();
      },
    };
    const line = createProviderLine(provider, FREE, clock);
    return { line, pass, asked: () => asked, ask: () => line.tryOnce(request("x")) };
  }

  it("lasts as long as the provider asked for", async () => {
    const { line, pass, asked, ask } = scripted(passing(7_000));
    await ask();
    expect(line.restsFor("m")).toBe(7_000);
    expect(await ask()).toMatchObject({ kind: "passing", afterMs: 7_000, billed: false });
    await pass(6_999);
    expect(await ask()).toMatchObject({ kind: "passing", afterMs: 1 });
    expect(asked()).toBe(1);
    await pass(1);
    expect(line.restsFor("m")).toBe(0);
    expect((await ask()).kind).toBe("reply");
  });

  it("does not grow because many calls were turned away at once", async () => {
    const { clock, pass } = handClock();
    const { provider, open } = handProvider();
    const line = createProviderLine(provider, FREE, clock);
    const ids = ["a", "b", "c", "d", "e"];
    const all = ids.map((id) => line.tryOnce(request(id)));
    await settle();
    for (const id of ids) open.get(id)?.give(passing(1_000));
    await Promise.all(all);
    expect(line.restsFor("m")).toBe(1_000);
    await pass(1_000);
    expect(line.restsFor("m")).toBe(0);
  });

  it("begins after three failures in a row, and doubles while the trial call fails", async () => {
    const { line, pass, asked, ask } = scripted(
      ...[passing(), passing(), reply(), passing(), passing(), passing()],
      ...[passing(), passing(), passing(), passing(), passing(), passing(), passing(), passing()],
    );
    for (let call = 0; call < 5; call++) await ask();
    expect(line.restsFor("m")).toBe(0);
    await ask();
    const rests: number[] = [];
    for (let trial = 0; trial < 8; trial++) {
      rests.push(line.restsFor("m"));
      await pass(line.restsFor("m"));
      await ask();
    }
    expect(rests).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000]);
    expect(asked()).toBe(14);
    await pass(600_000);
    expect((await ask()).kind).toBe("reply");
    // It answers: a single failure is nothing again.
    expect(line.restsFor("m")).toBe(0);
  });

  it("ends with one trial call, while which no other is made", async () => {
    const { clock, pass } = handClock();
    const { provider, asked, open } = handProvider();
    const line = createProviderLine(provider, FREE, clock);
    const first = ["a", "b", "c", "d"].map((id) => line.tryOnce(request(id)));
    await settle();
    for (const id of ["a", "b", "c", "d"]) open.get(id)?.give(passing());
    await Promise.all(first);
    // Four that failed together are one trouble, not two.
    expect(line.restsFor("m")).toBe(5_000);
    await pass(5_000);
    const trial = line.tryOnce(request("e"));
    await settle();
    expect(await line.tryOnce(request("f"))).toMatchObject({ kind: "passing", afterMs: 1_000 });
    open.get("e")?.give(reply());
    await trial;
    expect(line.restsFor("m")).toBe(0);
    expect(asked).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("is not kept up by a trial call that was given up", async () => {
    const { clock, pass } = handClock();
    const { provider, open } = handProvider();
    const line = createProviderLine(provider, FREE, clock);
    const first = ["a", "b", "c"].map((id) => line.tryOnce(request(id)));
    await settle();
    for (const id of ["a", "b", "c"]) open.get(id)?.give(passing());
    await Promise.all(first);
    await pass(5_000);
    const trial = line.tryOnce(request("e"));
    await settle();
    open.get("e")?.fail(new Error("stopped"));
    await expect(trial).rejects.toThrow("stopped");
    expect(line.restsFor("m")).toBe(0);
    const next = line.tryOnce(request("f"));
    await settle();
    open.get("f")?.give(reply());
    expect((await next).kind).toBe("reply");
  });

  it("stops those that stand in line already, and is not begun by answers that are no failures", async () => {
    const { clock } = handClock();
    const { provider, asked, open } = handProvider();
    const line = createProviderLine(provider, { ...FREE, concurrency: 1 }, clock);
    const first = line.tryOnce(request("a"));
    const second = line.tryOnce(request("b"));
    await settle();
    open.get("a")?.give(passing(5_000));
    await first;
    expect(await second).toMatchObject({ kind: "passing", afterMs: 5_000 });
    expect(asked).toEqual(["a"]);
    const { line: sound, ask } = scripted(
      { kind: "too_long", message: "" },
      { kind: "final", message: "" },
      { kind: "refused", message: "" },
      { kind: "final", message: "" },
    );
    for (let call = 0; call < 4; call++) await ask();
    expect(sound.restsFor("m")).toBe(0);
  });
});
