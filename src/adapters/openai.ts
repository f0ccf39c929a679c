import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { TransientError, toError, UserError } from "../core/errors.ts";
import type { Model, ModelReply } from "../core/model.ts";
import type { Log } from "../core/ports.ts";
import { createProvider } from "./openai/provider.ts";

/** How to reach a model server; `baseURL` includes its version path, such as `/v1`. */
export interface ModelOptions {
  apiKey: string | undefined;
  baseURL: string | undefined;
  log: Pick<Log, "warn">;
  /** Tries in all, the first one included. */
  maxTries?: number;
  /** Time without a byte after which a request is given up, in ms. */
  idleMs?: number;
  /** Waits between tries; rejects when the signal aborts. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** A longer wait than this is left to the caller: nothing should sleep that long holding a job. */
const LONGEST_WAIT_MS = 120_000;

/**
 * A model behind any server that speaks Chat Completions. Network errors, 408, 409, 429, 5xx and
 * streams that stop short are tried again, then thrown as TransientError; what the operator has to
 * mend (key, model, context length) is a UserError. An aborted signal throws its reason.
 */
export function createModel(options: ModelOptions): Model {
  const maxTries = options.maxTries ?? 5;
  const sleep = options.sleep ?? ((ms, signal) => delay(ms, undefined, { signal }));
  const provider = createProvider({
    id: "default",
    apiKey: options.apiKey,
    baseURL: options.baseURL || "https://api.openai.com/v1",
    api: "chat",
    headers: {},
    settings: { key: "OPENAI_API_KEY", baseURL: "OPENAI_BASE_URL", model: "DRAFTSMITH_MODEL" },
    log: options.log,
    idleMs: options.idleMs ?? 120_000,
  });

  return {
    async complete({ model, messages, tools, signal, insist }) {
      const callId = randomUUID();
      const asked = { model, effort: null, maxOutput: null, messages, tools, callId, signal };
      for (let tries = 1; ; tries++) {
        signal.throwIfAborted();
        insist?.();
        const result = await provider.tryOnce(asked);
        switch (result.kind) {
          case "reply":
            return plain(result.reply);
          case "refused":
            return refusedReply(result.message);
          case "too_long":
          case "final":
            throw new UserError(result.message);
        }
        const { message } = result;
        const waitMs = result.afterMs ?? backoffMs(tries);
        if (tries >= maxTries && result.operator) throw new UserError(message);
        if (tries >= maxTries || waitMs > LONGEST_WAIT_MS) {
          // Without a time of the server's own the job waits as it does for any failure, and ever longer.
          const wanted = result.afterMs === null ? {} : { retryAt: Date.now() + waitMs };
          throw new TransientError(
            `no reply from the model after ${tries} tries: ${message}`,
            wanted,
          );
        }
        options.log.warn({ tries, waitMs }, `model request failed, trying again: ${message}`);
        await sleep(waitMs, signal).catch((error: unknown) => {
          signal.throwIfAborted();
          throw toError(error);
        });
      }
    },
  };
}

/** 1, 2, 4 … seconds, half to one and a half of it. */
function backoffMs(tries: number): number {
  return Math.min(30_000, 1000 * 2 ** (tries - 1)) * (0.5 + Math.random());
}

/** Without what this port does not know. */
function plain({ content, toolCalls, refusal, truncated, usage }: ModelReply): ModelReply {
  const { inputTokens, cachedTokens, outputTokens } = usage;
  const counted = { inputTokens, cachedTokens, outputTokens };
  return { content, toolCalls, refusal, truncated, usage: counted };
}

function refusedReply(refusal: string): ModelReply {
  const usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0 };
  return { content: "", toolCalls: [], refusal, truncated: false, usage };
}
