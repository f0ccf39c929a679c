import { createProvider } from "../../src/adapters/openai/provider.ts";
import { MONOTONIC } from "../../src/compose/models.ts";
import { UserError } from "../../src/core/errors.ts";
import type { ChatMessage, ModelReply, ToolSpec } from "../../src/core/model.ts";
import { createPromptBound } from "../../src/core/prompt-bound.ts";
import { routedModel } from "../../src/jobs/call-model.ts";
import { caps } from "./calls.ts";
import { silentLog } from "./log.ts";
import { storeOn } from "./open-test-store.ts";
import { aCommand, acceptJobs, aJob, claimNext } from "./store-rows.ts";

export interface AskerOptions {
  apiKey: string | undefined;
  baseURL: string;
  /** Time without a byte after which a request is given up, in ms. */
  idleMs?: number;
}

/** Asks one unpriced model over HTTP as a job does, with a ledger of its own. */
export async function createAsker(options: AskerOptions): Promise<{
  complete(request: {
    model: string;
    messages: ChatMessage[];
    tools: ToolSpec[];
    signal: AbortSignal;
  }): Promise<ModelReply>;
}> {
  const store = await storeOn();
  const command = aCommand("c1");
  await acceptJobs(store, command, [aJob("j1", command)]);
  const job = await claimNext(store);
  if (!job) throw new Error("nothing to claim");
  const { apiKey, baseURL, idleMs = 120_000 } = options;
  const settings = {
    ...{ key: "OPENAI_API_KEY", baseURL: "OPENAI_BASE_URL", model: "DRAFTSMITH_MODEL" },
  };
  const provider = createProvider({
    ...{
      id: "default",
      api: "chat",
      headers: {},
      apiKey,
      baseURL,
      settings,
      log: silentLog,
      idleMs,
    },
  });
  const caller = {
    ...{ jobId: "j1", fence: job.fence, commandId: "c1", actorId: 5, repoId: job.repo.id },
    ...{ installationId: 7, skill: null, rule: "default" },
  };
  return {
    async complete({ model, messages, tools, signal }) {
      const asked = routedModel(
        [{ model, effort: null }],
        { caller, caps: caps(), bound: createPromptBound(), insist: () => undefined },
        {
          ledger: store,
          providers: new Map([["default", { ...provider, restsFor: () => 0 }]]),
          resolve: (name) => ({
            ok: true,
            profile: {
              ...{ name, provider: "default", id: name, contextWindow: 128_000, efforts: [] },
              ...{ maxOutput: 16_000, price: "unpriced", editTool: "edit" },
            },
          }),
          ...{ clock: MONOTONIC, log: silentLog },
        },
      );
      const answer = await asked.ask({ messages, tools, step: 1, signal });
      if (answer.status === "reply") return answer.reply;
      throw new UserError(answer.status);
    },
  };
}
