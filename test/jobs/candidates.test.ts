import { describe, expect, it } from "vitest";
import { TransientError, UserError } from "../../src/core/errors.ts";
import type { PacedProvider, Tried } from "../../src/core/model.ts";
import {
  type Candidate,
  candidatesOf,
  failedWith,
  isTooLong,
  type Next,
  nextOf,
} from "../../src/jobs/candidates.ts";

/** Models whose window nobody told. */
const GUESSED = ["guessed", "guessed too"];

const WINDOWS: Record<string, number> = {
  small: 8_000,
  large: 200_000,
  huge: 400_000,
  other: 8_000,
};

function route(models: string[], rests: Record<string, number> = {}): Candidate[] {
  const provider = (name: string): PacedProvider => ({
    tryOnce: () => Promise.reject(new Error("not asked here")),
    restsFor: () => rests[name] ?? 0,
  });
  return candidatesOf(
    models.map((model) => ({ model, effort: null })),
    {
      providers: new Map(models.map((model) => [model, provider(model)])),
      resolve: (name) => ({
        ok: true,
        profile: {
          ...{ name, provider: name, id: name, contextWindow: WINDOWS[name] ?? 100_000 },
          ...(GUESSED.includes(name) && { windowGuessed: true as const }),
          ...{ maxOutput: 1000, price: "unpriced", editTool: "edit", efforts: [] },
        },
      }),
    },
  );
}

const passing = (how: Partial<Extract<Tried, { kind: "passing" }>> = {}) =>
  ({
    kind: "passing",
    message: "busy",
    afterMs: null,
    billed: false,
    operator: false,
    ...how,
  }) as const;

/** Name of the model whose turn it is, else what is to be done. */
function turn(candidates: Candidate[], now = 0): string {
  const next = nextOf(candidates, now);
  return next.kind === "try" ? next.candidate.profile.name : next.kind;
}

function thrown(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

/** One candidate of a route. */
function at(candidates: Candidate[], index: number): Candidate {
  const found = candidates[index];
  if (!found) throw new Error(`no candidate ${index}`);
  return found;
}

describe("nextOf", () => {
  it("takes the first of the route", () => {
    expect(turn(route(["a", "b"]))).toBe("a");
  });

  it("takes the next one while the first waits, and then the first again", () => {
    const candidates = route(["a", "b"]);
    failedWith(at(candidates, 0), passing({ afterMs: 60_000 }), 0);
    expect(turn(candidates, 0)).toBe("b");
    expect(turn(candidates, 67_000)).toBe("a");
  });

  it("passes over a provider that rests", () => {
    expect(turn(route(["a", "b"], { a: 5_000 }))).toBe("b");
  });

  it("waits no shorter than the provider asked, and not much longer", () => {
    const candidates = route(["a"]);
    failedWith(at(candidates, 0), passing({ afterMs: 7_000 }), 0);
    const next = nextOf(candidates, 0);
    expect(next.kind === "wait" && next.ms).toBeGreaterThanOrEqual(7_000);
    expect(next.kind === "wait" && next.ms).toBeLessThanOrEqual(7_700);
  });

  it("gives the job back when the only provider asks for a long wait, with its time", () => {
    const candidates = route(["a"]);
    failedWith(at(candidates, 0), passing({ afterMs: 3_600_000 }), 0);
    const error = thrown(() => nextOf(candidates, 0));
    expect(error).toBeInstanceOf(TransientError);
    expect((error as TransientError).retryAt).toBeGreaterThan(Date.now() + 3_500_000);
  });

  it("gives up after five tries of each, with all that was said", () => {
    const candidates = route(["a", "b"]);
    for (let tries = 1; tries <= 5; tries++) {
      failedWith(at(candidates, 0), passing({ message: "a is busy" }), 0);
      failedWith(at(candidates, 1), passing({ message: "b is down" }), 0);
    }
    const error = thrown(() => nextOf(candidates, 1e9));
    expect(error).toBeInstanceOf(TransientError);
    expect((error as TransientError).message).toBe(
      "no reply from the model after 10 tries: a is busy; b is down",
    );
  });

  it("goes on with the next model when one will never answer, and tells the operator when none will", () => {
    const candidates = route(["a", "b"]);
    failedWith(at(candidates, 0), { kind: "final", message: "a refused the key" }, 0);
    expect(turn(candidates)).toBe("b");
    failedWith(at(candidates, 1), { kind: "final", message: "b is not known" }, 0);
    const error = thrown(() => nextOf(candidates, 0));
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toBe("a refused the key; b is not known");
  });

  it("is told as a failure that may pass while one of the models only keeps failing", () => {
    const candidates = route(["a", "b"]);
    failedWith(at(candidates, 0), { kind: "final", message: "a refused the key" }, 0);
    for (let tries = 1; tries <= 5; tries++) failedWith(at(candidates, 1), passing(), 0);
    expect(thrown(() => nextOf(candidates, 1e9))).toBeInstanceOf(TransientError);
  });

  it("is told to the operator when all that failed is a matter of settings", () => {
    const candidates = route(["a"]);
    for (let tries = 1; tries <= 5; tries++) {
      failedWith(at(candidates, 0), passing({ operator: true, message: "check the URL" }), 0);
    }
    expect(thrown(() => nextOf(candidates, 1e9))).toEqual(new UserError("check the URL"));
  });

  it("takes a larger window when the conversation does not fit, and none that is as small", () => {
    const candidates = route(["small", "other", "large"]);
    isTooLong(candidates, at(candidates, 0));
    expect(turn(candidates)).toBe("large");
    isTooLong(candidates, at(candidates, 2));
    expect(turn(candidates)).toBe("too_long");
  });

  it("waits for the larger window that is busy instead of calling the conversation too long", () => {
    const candidates = route(["small", "large"]);
    isTooLong(candidates, at(candidates, 0));
    failedWith(at(candidates, 1), passing({ afterMs: 1_000 }), 0);
    expect(turn(candidates)).toBe("wait");
  });
});

describe("a conversation that fits only a model that is away", () => {
  it("is shortened for the one that is there, and told for ever where the other is gone", () => {
    const gone = route(["small", "large"]);
    isTooLong(gone, at(gone, 0));
    failedWith(at(gone, 1), { kind: "final", message: "large is not known" }, 0);
    expect(nextOf(gone, 0)).toEqual({ kind: "too_long", due: null });
  });

  it("is told with when the other is there again, the soonest of several", () => {
    const resting = route(["small", "large", "huge"], { large: 900_000, huge: 600_000 });
    isTooLong(resting, at(resting, 0));
    expect(dueIn(nextOf(resting, 0))).toBe(600);
  });

  it("is told with a time, too, where the other only kept failing", () => {
    const failing = route(["small", "large"]);
    isTooLong(failing, at(failing, 0));
    for (let tries = 1; tries <= 5; tries++) {
      failedWith(at(failing, 1), passing({ afterMs: tries * 10_000 }), 0);
    }
    const due = dueIn(nextOf(failing, 0));
    expect(due).toBeGreaterThanOrEqual(50);
    expect(due).toBeLessThanOrEqual(55);
  });

  it("is told for ever where the other fails by a setting of the server", () => {
    const failing = route(["small", "large"]);
    isTooLong(failing, at(failing, 0));
    for (let tries = 1; tries <= 5; tries++) {
      failedWith(at(failing, 1), passing({ operator: true }), 0);
    }
    expect(nextOf(failing, 1e9)).toEqual({ kind: "too_long", due: null });
  });
});

/** In how many seconds a model with a larger window is there again. */
function dueIn(next: Next): number {
  if (next.kind !== "too_long" || next.due === null) throw new Error(`${next.kind}, and no time`);
  return Math.round((next.due - Date.now()) / 1000);
}

describe("candidatesOf", () => {
  it("goes on with those that are left when the operator took one away", () => {
    const resolve = (name: string) =>
      name === "gone"
        ? ({ ok: false, problem: "there is no model `gone`" } as const)
        : ({ ok: true, profile: at(route([name]), 0).profile } as const);
    const provider = at(route(["a"]), 0).provider;
    const choices = ["a", "gone"].map((model) => ({ model, effort: null }));
    const left = candidatesOf(choices, { providers: new Map([["a", provider]]), resolve });
    expect(left.map(({ profile }) => profile.name)).toEqual(["a"]);
  });

  it("tells a model that the operator took away", () => {
    const resolve = () => ({ ok: false, problem: "there is no model `x`" }) as const;
    const deps = { providers: new Map(), resolve };
    expect(() => candidatesOf([{ model: "x", effort: null }], deps)).toThrow(
      new UserError("there is no model `x`"),
    );
  });
});

describe("a conversation that does not fit", () => {
  it("is not asked of a window that is known to be no larger", () => {
    const candidates = route(["large", "small", "huge"]);
    isTooLong(candidates, at(candidates, 0));
    expect(turn(candidates)).toBe("huge");
    isTooLong(candidates, at(candidates, 2));
    expect(turn(candidates)).toBe("too_long");
  });

  it("is asked of each model whose window is a guess, and after one of all the others", () => {
    const candidates = route(["large", "guessed", "guessed too", "small"]);
    isTooLong(candidates, at(candidates, 0));
    expect(turn(candidates)).toBe("guessed");
    isTooLong(candidates, at(candidates, 1));
    expect(turn(candidates)).toBe("guessed too");
    isTooLong(candidates, at(candidates, 2));
    expect(turn(candidates)).toBe("too_long");

    const other = route(["guessed", "small"]);
    isTooLong(other, at(other, 0));
    expect(turn(other)).toBe("small");
  });
});

describe("a model that rests for long", () => {
  it("is not told as one that was asked", () => {
    expect(thrown(() => nextOf(route(["a"], { a: 300_000 }), 0))).toMatchObject({
      ...{ name: "NoReply", said: null },
      message: "the model is not asked now, as its server kept failing or asked for a pause",
    });
  });
});

describe("one try", () => {
  it("is told as one", () => {
    const candidates = route(["a"]);
    failedWith(at(candidates, 0), passing({ afterMs: 3_600_000 }), 0);
    expect(thrown(() => nextOf(candidates, 0))).toMatchObject({
      ...{ name: "NoReply", said: "busy" },
      message: "no reply from the model after 1 try: busy",
    });
  });
});
