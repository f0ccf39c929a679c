// Works on jobs with four slots until there are none: each asks the model several times under caps, as a job
// does. Prints what was left at each refusal. Arguments: the place as JSON, name of the worker, URL of the model,
// the caps as JSON.
import { setTimeout as sleep } from "node:timers/promises";
import { createProvider } from "../../src/adapters/openai/provider.ts";
import { openStore, type Store } from "../../src/adapters/store/store.ts";
import { MONOTONIC } from "../../src/compose/models.ts";
import { LostLease, TransientError } from "../../src/core/errors.ts";
import type { Job, JobState } from "../../src/core/job.ts";
import type { Caps } from "../../src/core/ledger.ts";
import type { ChatMessage } from "../../src/core/model.ts";
import { worstCase } from "../../src/core/price.ts";
import { createPromptBound } from "../../src/core/prompt-bound.ts";
import { routedModel } from "../../src/jobs/call-model.ts";
import { silentLog } from "../../test/support/log.ts";
import { placeOf } from "../../test/support/place.ts";
import { PRICE } from "./model.ts";

const [place = "", worker = "", baseURL = "", bounds = ""] = process.argv.slice(2);
const caps = JSON.parse(bounds) as Caps;
const STEPS = 8;
const SLOTS = 4;
const LEASE_MS = 2_000;

const store = await openStore(placeOf(place));
const provider = createProvider({
  ...{ id: "bench", apiKey: undefined, baseURL, api: "chat", headers: {}, log: silentLog },
  settings: { key: "", baseURL: "", model: "" },
});
await Promise.all(
  Array.from({ length: SLOTS }, async (_, slot) => {
    for (let idle = 0; idle < 200; ) {
      const owner = `${worker}/${slot}`;
      const job = await store.claimNext({ owner, worker, leaseMs: LEASE_MS, perRepository: 1000 });
      if (job === null) {
        idle += 1;
        await sleep(20);
        continue;
      }
      idle = 0;
      await work(job, store).catch((error: unknown) => {
        // Another process took it over, as it does when this one was slow.
        if (!(error instanceof LostLease)) throw error;
      });
    }
  }),
);
await store.close();

async function work(job: Job, ledger: Store): Promise<void> {
  const { id, fence } = job;
  const move = async (from: JobState, to: JobState) => {
    const event = { type: "state", from, to, reason: "" } as const;
    if (!(await store.write(id, fence, { state: to }, [event]))) throw new LostLease(id);
  };
  const beat = setInterval(() => void store.renew(id, fence, LEASE_MS), LEASE_MS / 4);
  try {
    if (job.state === "queued") await move("queued", "running");
    const told: Pick<Store, "reserve" | "settle" | "spentBy"> = {
      spentBy: (ids) => ledger.spentBy(ids),
      settle: (call, how) => ledger.settle(call, how),
      async reserve(call, bound) {
        const reserved = await ledger.reserve(call, bound);
        if (reserved.status === "refused" && call.price) {
          const { cap, limit, spent } = reserved;
          const needed = worstCase(call.price, call.promptTokens, call.least);
          console.log(JSON.stringify({ cap, left: limit - spent, needed }));
        }
        return reserved;
      },
    };
    const model = routedModel(
      [{ model: "bench", effort: null }],
      {
        caller: {
          ...{ jobId: id, fence, commandId: job.commandId, actorId: job.issue, skill: null },
          ...{ repoId: job.repo.id, installationId: job.repo.installationId, rule: "default" },
        },
        caps,
        bound: createPromptBound(),
        insist: () => undefined,
      },
      {
        ledger: told,
        providers: new Map([["bench", { ...provider, restsFor: () => 0 }]]),
        resolve: (name) => ({
          ok: true,
          profile: {
            ...{ name, provider: "bench", id: name, contextWindow: 200_000, maxOutput: 16_000 },
            ...{ price: PRICE, editTool: "edit", efforts: [] },
          },
        }),
        ...{ clock: MONOTONIC, log: silentLog },
      },
    );
    const messages: ChatMessage[] = [
      { role: "user", content: "x".repeat(500 + Math.random() * 4000) },
    ];
    const { signal } = new AbortController();
    for (let step = 1; step <= STEPS; step++) {
      const answer = await model.ask({ messages, tools: [], step, signal });
      if (answer.status !== "reply") return await move("running", "over_budget");
      messages.push({ role: "assistant", content: answer.reply.content, toolCalls: [] });
      messages.push({ role: "user", content: "y".repeat(Math.random() * 3000) });
    }
    await move("running", "no_change");
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    await store.release(id, fence, { inMs: 0, burn: false });
  } finally {
    clearInterval(beat);
  }
}
