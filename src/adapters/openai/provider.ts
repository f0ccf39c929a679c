import type { Provider, ProviderRequest, Tried } from "../../core/model.ts";
import type { Log } from "../../core/ports.ts";
import { type Adaptation, adaptationTo, type Complaint, isBadLimit } from "./adaptation.ts";
import { type Dialect, limitFields, takesNative, toChatBody } from "./chat-body.ts";
import { type ClientOptions, createClient, withoutSecrets } from "./client.ts";
import { exchange } from "./exchange.ts";
import { classify, complaintOf, type Failure, passing, type Reached } from "./failure.ts";
import { watchIdle } from "./idle-watch.ts";
import { toResponsesBody } from "./responses-body.ts";
import { readUsage } from "./usage.ts";

/** How to reach the models of a provider. */
export interface ProviderOptions extends ClientOptions {
  /** Id of the provider, as the operator named it. */
  id: string;
  /** Which of OpenAI's two APIs it speaks. */
  api: "chat" | "responses";
  log: Pick<Log, "warn">;
  /** Time without a byte after which a request is given up, in ms; less than the 300 s of fetch itself. */
  idleMs?: number;
  /** Time with nothing but signs of life after which a request is given up, in ms. */
  quietMs?: number;
  /** Time for the usage behind the end of a reply, in ms. */
  tailMs?: number;
}

const IDLE_MS = 280_000;
/** The slowest models think for some twenty minutes without a word. */
const QUIET_MS = 30 * 60_000;
/** Servers that tell the usage after the end do so at once. */
const TAIL_MS = 5_000;
/** More than there are ways to change a request. */
const MAX_VARIANTS = 10;
/** By the server's own rules the items have the wrong form: those of the next conversation will too. */
const BAD_FORM =
  /required|missing|is empty|validation error|input should|unknown|unrecognized|unexpected|not permitted|invalid (type|value)/i;
const OPENAI_HOSTS = /(^|\.)api\.openai\.com$|\.openai\.azure\.com$/;

/**
 * A server that speaks Chat Completions or Responses. Each try is one request, save that a server that
 * does not know a field gets the same without it: such an answer costs nothing, and is remembered for the
 * model. Nothing is retried. Throws UserError on options with which no request can be made.
 */
export function createProvider(options: ProviderOptions): Provider {
  const client = createClient(options);
  const { host, hostname } = new URL(options.baseURL);
  const openai = OPENAI_HOSTS.test(hostname);
  const learned = new Map<string, ReadonlySet<Adaptation>>();

  async function send(request: ProviderRequest, dialect: Dialect): Promise<Tried | Adaptation> {
    const { api, settings } = options;
    const { model, effort, signal } = request;
    const { idleMs = IDLE_MS, quietMs = QUIET_MS, tailMs = TAIL_MS } = options;
    const watch = watchIdle(idleMs, quietMs, tailMs);
    const reached: Reached = { accepted: false, begun: false, failed: false, usage: {} };
    const to = { host, model, effort, api, settings };
    try {
      const body =
        api === "chat" ? toChatBody(request, dialect) : toResponsesBody(request, dialect);
      const { callId } = request;
      request.onSend?.();
      const baseURLName = settings.baseURL;
      const made = { client, api, body, callId, signal, watch, reached, baseURLName };
      const { assembly, requestId } = await exchange(made);
      const reply = assembly.reply({
        origin: dialect.origin,
        requestChars: charsOf(request),
        usedIds: usedIds(request),
      });
      return { kind: "reply", reply, requestId };
    } catch (error) {
      signal.throwIfAborted();
      if (watch.signal.aborted) {
        return { ...passing(`${host} sent nothing for too long (model ${model})`), billed: true };
      }
      const complaint = reached.begun ? null : complaintOf(error);
      const adaptation = complaint && adaptationTo(complaint);
      if (adaptation && !dialect.adapted.has(adaptation)) return adaptation;
      const failure = told(classify(error, to, reached, Date.now()), reached, request);
      const retold = failure.kind === "final" ? withoutNative(complaint, request, dialect) : null;
      return retold ?? failure;
    } finally {
      watch.stop();
    }
  }

  /** What is wrong with an item that was sent back as it came is said in many ways: once, it is left out. */
  function withoutNative(
    complaint: Complaint | null,
    { messages }: ProviderRequest,
    dialect: Dialect,
  ): Adaptation | null {
    if (options.api === "chat" || !takesNative(dialect)) return null;
    if (complaint?.status !== 400 && complaint?.status !== 422) return null;
    if (isBadLimit(complaint)) return null;
    const sent = messages.some(
      (message) => message.role === "assistant" && message.native?.origin === dialect.origin,
    );
    if (!sent) return null;
    return BAD_FORM.test(complaint.message) ? "never native" : "no native";
  }

  return {
    async tryOnce(request) {
      const { model, signal, maxOutput } = request;
      const tries = new Set<Adaptation>();
      for (let variant = 1; variant <= MAX_VARIANTS; variant++) {
        signal.throwIfAborted();
        const adapted = new Set([...(learned.get(model) ?? []), ...tries]);
        const dialect: Dialect = { origin: `${options.id}/${model}`, openai, adapted };
        if (options.api === "chat" && maxOutput !== null && limitFields(dialect).length === 0) {
          const message = `${host} takes no limit on what model ${model} writes (max_completion_tokens, max_tokens), so that no budget would hold: use a server that does, or let the model be unpriced`;
          return { kind: "final", message };
        }
        const tried = await send(request, dialect);
        if (typeof tried !== "string") {
          if (tried.kind === "reply") learn(model, tries);
          return clean(tried);
        }
        tries.add(tried);
        options.log.warn({ model, host }, `model server refused a request as it was: ${tried}`);
      }
      const message = `${host} refuses every form of the request for model ${model}`;
      return { kind: "final", message };
    },
  };

  /**
   * Only what led to a reply is kept: a server may quote anything of a conversation in its complaint. That
   * the form of the provider is refused concerns one conversation alone.
   */
  function learn(model: string, tries: ReadonlySet<Adaptation>): void {
    const lasting = [...tries].filter((each) => each !== "no native");
    if (lasting.length > 0)
      learned.set(model, new Set([...(learned.get(model) ?? []), ...lasting]));
  }

  function clean(tried: Tried): Tried {
    if (tried.kind === "reply") return tried;
    const failure: Failure = { ...tried, message: withoutSecrets(tried.message, options) };
    return failure;
  }
}

/** A failure with the tokens that the server told with it. */
function told(failure: Failure, { usage: read }: Reached, request: ProviderRequest): Failure {
  if (failure.kind !== "passing") return failure;
  const { usage, usageReported } = readUsage(read, { request: charsOf(request), reply: 0 });
  return usageReported ? { ...failure, billed: true, usage } : failure;
}

function charsOf({ messages, tools }: ProviderRequest): number {
  return JSON.stringify([messages, tools]).length;
}

function usedIds({ messages }: ProviderRequest): string[] {
  return messages.flatMap((message) =>
    message.role === "assistant" ? message.toolCalls.map((call) => call.id) : [],
  );
}
