import { setTimeout as delay } from "node:timers/promises";
import OpenAI, { APIError } from "openai";
import { Stream } from "openai/streaming";
import { TransientError, toError, UserError } from "../core/errors.ts";
import type { Model, ModelReply } from "../core/model.ts";
import type { Log } from "../core/ports.ts";
import { classify, type Failure, passing } from "./openai/failure.ts";
import { createAssembly, isRecord } from "./openai/reply.ts";
import { openBody, shortened } from "./openai/response-body.ts";
import { toBody } from "./openai/wire.ts";

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
  const key = options.apiKey || "none";
  const baseURL = options.baseURL || "https://api.openai.com/v1";
  const { host } = new URL(baseURL);
  const maxTries = options.maxTries ?? 5;
  const sleep = options.sleep ?? ((ms, signal) => delay(ms, undefined, { signal }));
  const client = createClient(key, baseURL);
  let streamOptions = true;

  async function tryOnce(
    request: ModelRequest,
    withOptions: boolean,
  ): Promise<ModelReply | Failure> {
    const watch = watchIdle(options.idleMs ?? 120_000);
    const signal = AbortSignal.any([request.signal, watch.signal]);
    try {
      const body = toBody(request, withOptions);
      return await readReply(client, body, request, signal, watch.touch);
    } catch (error) {
      request.signal.throwIfAborted();
      if (watch.signal.aborted) return passing(`${host} sent nothing for too long`);
      return classify(error, { host, model: request.model }, Date.now());
    } finally {
      watch.stop();
    }
  }

  return {
    async complete(request) {
      for (let tries = 1; ; ) {
        request.signal.throwIfAborted();
        request.insist?.();
        const withOptions = streamOptions;
        const result = await tryOnce(request, withOptions);
        if (!("kind" in result)) return result;
        switch (result.kind) {
          case "no_stream_options":
            if (!withOptions) throw new UserError(`${host} insists on refusing stream_options`);
            streamOptions = false;
            continue;
          case "refused":
            return refusedReply(result.message);
          case "final":
            throw new UserError(withoutKey(result.message, key));
        }
        const message = withoutKey(result.message, key);
        const waitMs = result.afterMs ?? backoffMs(tries);
        if (tries >= maxTries && result.operator) throw new UserError(message);
        if (tries >= maxTries || waitMs > LONGEST_WAIT_MS) {
          // Without a time of the server's own the job waits as it does for any failure, and ever longer.
          const asked = result.afterMs === null ? {} : { retryAt: Date.now() + waitMs };
          throw new TransientError(
            `no reply from the model after ${tries} tries: ${message}`,
            asked,
          );
        }
        options.log.warn({ tries, waitMs }, `model request failed, trying again: ${message}`);
        await sleep(waitMs, request.signal).catch((error: unknown) => {
          request.signal.throwIfAborted();
          throw toError(error);
        });
        tries += 1;
      }
    },
  };
}

type ModelRequest = Parameters<Model["complete"]>[0];

/** Everything is passed explicitly, so that the SDK takes nothing from the environment. */
function createClient(apiKey: string, baseURL: string): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: "off",
    timeout: 24 * 3_600_000,
    // The SDK would add OPENAI_CUSTOM_HEADERS and a description of this machine.
    fetch: async (url, init) => {
      const response = await fetch(url, {
        ...init,
        // Prompt and key go where the operator said, and nobody chooses another address from there.
        redirect: "manual",
        headers: {
          accept: "text/event-stream, application/json",
          authorization: `Bearer ${apiKey}`,
          "content-type": "application/json",
          "user-agent": "draftsmith",
        },
      });
      return response.ok ? response : shortened(response);
    },
  });
}

async function readReply(
  client: OpenAI,
  body: ReturnType<typeof toBody>,
  request: ModelRequest,
  signal: AbortSignal,
  touch: () => void,
): Promise<ModelReply> {
  const response = await client.chat.completions.create(body, { signal }).asResponse();
  touch();
  const opened = await openBody(response, touch);
  const assembly = createAssembly();
  if (opened.kind === "json") {
    if (isRecord(opened.value) && opened.value.error) {
      throw new APIError(undefined, Object(opened.value.error), undefined, response.headers);
    }
    assembly.add(opened.value);
  } else {
    const controller = new AbortController();
    signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
    const stream = Stream.fromSSEResponse<unknown>(opened.response, controller, client);
    try {
      for await (const chunk of stream) {
        assembly.add(chunk);
        if (assembly.full) break;
      }
      // The SDK ends an aborted stream as if it were complete.
      signal.throwIfAborted();
    } catch (error) {
      // A reply that came to its end stays one, whatever happens to the connection then.
      if (!assembly.ended || request.signal.aborted) throw error;
    }
  }
  if (!assembly.ended && !assembly.full && !(opened.kind === "events" && opened.done())) {
    throw new Error("the reply stopped before its end");
  }
  const requestChars = JSON.stringify([body.messages, body.tools ?? []]).length;
  const usedIds = request.messages.flatMap((message) =>
    message.role === "assistant" ? message.toolCalls.map((call) => call.id) : [],
  );
  return assembly.reply(requestChars, usedIds);
}

/** Aborts when nothing arrived for `idleMs`. */
function watchIdle(idleMs: number): { signal: AbortSignal; touch(): void; stop(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("idle")), idleMs);
  return {
    signal: controller.signal,
    touch: () => {
      timer.refresh();
    },
    stop: () => {
      clearTimeout(timer);
      // Lets go of a response that was not read to its end.
      controller.abort();
    },
  };
}

/** 1, 2, 4 … seconds, half to one and a half of it. */
function backoffMs(tries: number): number {
  return Math.min(30_000, 1000 * 2 ** (tries - 1)) * (0.5 + Math.random());
}

function refusedReply(refusal: string): ModelReply {
  const usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0 };
  return { content: "", toolCalls: [], refusal, truncated: false, usage };
}

/** Servers like to quote what they were sent. */
function withoutKey(message: string, key: string): string {
  return key === "none" ? message : message.replaceAll(key, "(key)");
}
