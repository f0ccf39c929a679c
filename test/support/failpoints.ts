import { appendFileSync } from "node:fs";
import type { Wrap } from "../../src/compose/compose.ts";

/**
 * One fault: the `nth` time the process passes `at`, which is `<port>.<method>[:<kind>]:<before|after>`
 * (`*` is every failpoint). `kill` and `pause` are signals to the process itself, after `laterMs` if given;
 * `doze` waits for SIGCONT, and tells the parent that it does.
 */
export interface Fault {
  at: string;
  nth: number;
  do: "kill" | "throw" | "hang" | "pause" | "doze";
  laterMs?: number;
  /** Only of calls with this text in what they are given or give, or about a job whose task has it. */
  about?: string;
}

/** What the parent is told of a call that dozes. */
export interface Dozing {
  dozes: string;
  about: string;
}

type Lend = (lent: never, wrapped: <T extends object>(port: T) => T) => unknown;

/** The methods that answer at once: what they lend is wrapped as the same port. */
const LENDING: Record<string, Lend | undefined> = {
  forJob: (lent: { github: object }, wrapped) => ({ ...lent, github: wrapped(lent.github) }),
  at: (lent: object, wrapped) => wrapped(lent),
};

/** Stores what is passed as `<pid> <name>` lines, and lets armed faults happen. */
export function createFailpoints(record: string | null): {
  wrap: Wrap;
  arm(faults: Fault[]): void;
} {
  const armed: Fault[] = [];
  /** Kinds of the outbox's rows by their id, learned when they are taken. */
  const kinds = new Map<number, string>();
  /** Tasks of jobs by their id, learned when they are claimed. */
  const tasks = new Map<string, string>();

  function isAbout(call: unknown[], about: string): boolean {
    const text = JSON.stringify(call);
    const named = [...tasks].filter(([, task]) => task.includes(about));
    return text.includes(about) || named.some(([id]) => text.includes(id));
  }

  async function pass(name: string, ...call: unknown[]): Promise<void> {
    if (record !== null) appendFileSync(record, `${process.pid} ${name}\n`);
    for (const fault of armed.filter(({ at }) => at === "*" || at === name)) {
      if (fault.about !== undefined && !isAbout(call, fault.about)) continue;
      fault.nth -= 1;
      if (fault.nth > 0) continue;
      armed.splice(armed.indexOf(fault), 1);
      await happen(fault, name);
    }
  }

  function wrapMethod(port: string, name: string, method: CallableFunction, target: object) {
    return async (...args: unknown[]): Promise<unknown> => {
      const kind = kindOf(port, name, args, kinds);
      const point = `${port}.${name}${kind === "" ? "" : `:${kind}`}`;
      await pass(`${point}:before`, args);
      const result: unknown = await Reflect.apply(method as never, target, args);
      if (port === "store" && name === "take") {
        for (const row of result as { id: number; act: { kind: string } }[]) {
          kinds.set(row.id, row.act.kind);
        }
      }
      const claimed = name === "claimNext" ? (result as { id: string; task: string } | null) : null;
      if (claimed !== null) tasks.set(claimed.id, claimed.task);
      await pass(`${point}:after`, args, result);
      return result;
    };
  }

  const wrap: Wrap = (port, adapter) => {
    const methods = new Map<string | symbol, unknown>();
    return new Proxy(adapter, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function" || typeof name !== "string") return value;
        if (!methods.has(name)) {
          const lends = LENDING[name];
          const lending = (...args: unknown[]) =>
            lends?.(Reflect.apply(value, target, args) as never, (lent) => wrap(port, lent));
          methods.set(name, lends ? lending : wrapMethod(port, name, value, target));
        }
        return methods.get(name);
      },
    });
  };

  return { wrap, arm: (faults) => armed.push(...faults.map((fault) => ({ ...fault }))) };
}

let awake = Promise.withResolvers<void>();

/** Resolves at the next SIGCONT. */
function woken(): Promise<void> {
  if (process.listenerCount("SIGCONT") === 0) {
    process.on("SIGCONT", () => {
      awake.resolve();
      awake = Promise.withResolvers();
    });
  }
  return awake.promise;
}

async function happen(fault: Fault, name: string): Promise<void> {
  const { do: what, laterMs } = fault;
  if (what === "throw") throw new Error(`a fault at ${name}`);
  if (what === "hang") return new Promise(() => undefined);
  if (what === "doze") {
    process.send?.({ dozes: name, about: fault.about ?? "" } satisfies Dozing);
    return woken();
  }
  const signal = what === "kill" ? "SIGKILL" : "SIGSTOP";
  if (laterMs !== undefined) {
    setTimeout(() => process.kill(process.pid, signal), laterMs);
    return;
  }
  process.kill(process.pid, signal);
  // A signal may take its time; nothing happens after this point.
  if (what === "kill") return new Promise(() => undefined);
}

/** What a call is about, in the words of the code: kind of an act, types of events, new state. */
function kindOf(port: string, name: string, args: unknown[], kinds: Map<number, string>): string {
  const [first, , patch, events] = args as [
    { kind?: string; act?: { kind: string } } | number | undefined,
    unknown,
    object | undefined,
    { type: string; to?: string }[] | undefined,
  ];
  if (port === "store" && name === "write") {
    const types = (events ?? []).map(({ type, to }) => (to ? `to-${to}` : type));
    return [...new Set(types.length > 0 ? types : Object.keys(patch ?? {}))].join("+");
  }
  if (typeof first === "number") return kinds.get(first) ?? "";
  if (port === "store" && first?.act) return first.act.kind;
  return port === "github" && name === "perform" ? (first?.kind ?? "") : "";
}
