import { Worker } from "node:worker_threads";
import type { HiddenUse, TreeUse } from "./processes.ts";
import type { Answer, Question } from "./watch-worker.ts";

/** Looks at processes from a thread of its own. Each look rejects when it takes more than ten seconds. */
export interface Observer {
  trees(roots: number[]): Promise<TreeUse[]>;
  ownMemory(root: number): Promise<number>;
  /** Bytes that a tree has written, those that nothing shows any more as well. */
  written(root: number): Promise<number>;
  hidden(root: number, device: number): Promise<HiddenUse>;
  close(): void;
}

const PATIENCE_MS = 10_000;

/** An observer; its thread starts with the first look and is replaced when it fails or hangs. */
export function createObserver(): Observer {
  let worker: Worker | null = null;
  let last = 0;
  const waiting = new Map<number, { done(answer: Answer): void; failed(error: Error): void }>();

  function give(up: Error): void {
    void worker?.terminate();
    worker = null;
    for (const { failed } of waiting.values()) failed(up);
    waiting.clear();
  }

  function start(): Worker {
    const started = new Worker(new URL("./watch-worker.ts", import.meta.url), {
      env: {},
      execArgv: [],
    });
    started.unref();
    started.on("message", ({ id, answer }: { id: number; answer: Answer }) => {
      waiting.get(id)?.done(answer);
      waiting.delete(id);
    });
    started.on("error", (error) => {
      if (worker === started) give(error);
    });
    return started;
  }

  function ask(question: Question): Promise<Answer> {
    worker ??= start();
    last += 1;
    const id = last;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    waiting.set(id, { done: resolve, failed: reject });
    const timer = setTimeout(
      () => give(new Error("the processes could not be looked at in time")),
      PATIENCE_MS,
    );
    timer.unref();
    worker.postMessage({ id, question });
    return promise.finally(() => clearTimeout(timer));
  }

  return {
    async trees(roots) {
      const answer = await ask({ about: "trees", roots });
      return answer.about === "trees" ? answer.trees : [];
    },
    async ownMemory(root) {
      const answer = await ask({ about: "memory", root });
      return answer.about === "memory" ? answer.bytes : 0;
    },
    async written(root) {
      const answer = await ask({ about: "written", root });
      return answer.about === "written" ? answer.bytes : 0;
    },
    async hidden(root, device) {
      const answer = await ask({ about: "hidden", root, device });
      return answer.about === "hidden" ? answer.hidden : { disk: 0, memory: 0, files: 0 };
    },
    close() {
      give(new Error("the watchdog has ended"));
    },
  };
}
