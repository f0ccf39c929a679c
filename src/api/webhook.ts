import type { IncomingMessage } from "node:http";
import { toError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { createBuckets } from "./buckets.ts";
import { readBody } from "./read-body.ts";
import { createRoom } from "./room.ts";
import type { Client, Route } from "./server.ts";
import { createTurns } from "./turns.ts";

/** GitHub caps payloads at 25 MB (docs.github.com/webhooks/webhook-events-and-payloads#payload-cap). */
const MAX_BODY_BYTES = 25 * 1024 * 1024;
/** What is still read of a client that sent too much that is not GitHub's; comments are smaller. */
const SUSPECT_BODY_BYTES = 1024 * 1024;
/** Refused deliveries of one client in a row, and per second after that. */
const REFUSALS = { capacity: 20, perSecond: 0.2 };
/** Deliveries that are taken at the same time: each may ask GitHub a few questions. */
const MOST_AT_ONCE = 32;
/** How many wait for their turn: their bodies are in memory. */
const MOST_WAITING = 1000;
/** How long a delivery waits for its turn: in a storm GitHub hears soon what it has to send again. */
const TURN_MS = 1500;
/** How long it waits for its answer: GitHub gives up after 10 s. */
const ANSWER_MS = 7500;
/** Seconds after which to come back when there was no room or no turn. */
const RETRY_S = "10";
/** Between two lines in the log about deliveries that are refused. */
const TOLD_EVERY_MS = 60_000;

/** GitHub's are GUIDs; two headers of one name come joined by a comma. */
const DELIVERY = /^[\x21-\x2b\x2d-\x7e]{1,200}$/;
/** Not `error`, the name by which Octokit calls its own: it would write the whole event to the log. */
const EVENT = /^(?!error$)[a-z][a-z0-9_]{0,99}$/;

export interface WebhookDeps {
  /** Compares the signature with the bytes of the body in constant time. */
  verify: (body: Buffer, signature: string) => boolean;
  /**
   * Resolves once everything the event asks for is stored. One that takes too long is answered 503 and
   * keeps its turn until it ends, so that a store that stands still is not asked ever more.
   */
  receive: (event: { id: string; name: string; payload: unknown }) => Promise<void>;
  /** Is told when a delivery that GitHub signed was answered 503: it has to be asked for again. */
  turnedAway: () => void;
  now: () => number;
  log: Log;
}

/**
 * The door for webhooks: size, type, headers, signature and JSON are checked before anything acts on a
 * request, and 200 means that what it asked for is stored. Probot's own middleware answers 202 after
 * 9 s whatever happens later and reads unsigned bodies of any size, so it is not used.
 *
 * A client that asks too often, or whose deliveries are refused too often, gets 429 for what is wrong.
 * What GitHub signed is taken all the same, since behind a proxy all clients may look alike.
 */
export function createWebhookDoor(deps: WebhookDeps): Route {
  const room = createRoom();
  const turns = createTurns(MOST_AT_ONCE, MOST_WAITING);
  const refusals = createBuckets({ ...REFUSALS, now: deps.now });
  const tell = createTeller(deps);

  function refused(client: Client, status: number, reason: string): Response {
    tell(client.address, reason);
    if (refusals.take(client.address) && !client.greedy) return answer(status, reason);
    const headers = { "retry-after": String(refusals.retryAfter(client.address)) };
    return new Response("too many refused deliveries\n", { status: 429, headers });
  }

  return async (request, client) => {
    const { address } = client;
    const suspect = client.greedy || !refusals.has(address);
    const problem = problemOf(request);
    const length = Number(request.headers["content-length"]);
    if (suspect && (problem !== null || !(length <= SUSPECT_BODY_BYTES))) {
      return refused(client, problem?.status ?? 413, problem?.reason ?? "the body is too large");
    }
    if (problem !== null || length > MAX_BODY_BYTES) {
      // Most clients look at an answer only after they have sent everything.
      if (request.headers.expect === undefined) await readBody(request, { most: 0 });
      return refused(
        client,
        problem?.status ?? 413,
        problem?.reason ?? "the body is larger than 25 MB",
      );
    }
    client.goOn();
    const body = await readBody(request, { most: MAX_BODY_BYTES, place: room.open(address) });
    if (body.status === "too_large") return refused(client, 413, "the body is larger than 25 MB");
    if (body.status === "no_room") return busy("too much is being received; deliver it again");
    const signature = header(request, "x-hub-signature-256") ?? "";
    if (!deps.verify(body.bytes, signature)) {
      return refused(client, 401, "the signature does not match; is WEBHOOK_SECRET the App's?");
    }
    const until = performance.now() + ANSWER_MS;
    const mayGo = await turns.take(TURN_MS);
    // A store in this process answers at once: without a pause here deliveries that follow one another
    // would keep timers waiting, and those that hold the jobs' leases with them.
    await new Promise((resolve) => setImmediate(resolve));
    const answered = mayGo
      ? await inTime(take(request, body.bytes, deps).finally(turns.give), until)
      : busy("too much is being taken; deliver it again");
    if (answered.status === 503) deps.turnedAway();
    return answered;
  };
}

/** What is wrong with a request before its body is looked at. */
function problemOf(request: IncomingMessage): { status: number; reason: string } | null {
  const [type] = (request.headers["content-type"] ?? "").split(";", 1);
  if (type?.trim().toLowerCase() !== "application/json") {
    const reason = "set the App's webhook content type to application/json";
    return { status: 415, reason };
  }
  if (
    !DELIVERY.test(header(request, "x-github-delivery") ?? "") ||
    !EVENT.test(header(request, "x-github-event") ?? "")
  ) {
    return { status: 400, reason: "x-github-delivery and x-github-event are required" };
  }
  if (!header(request, "x-hub-signature-256")) {
    return { status: 401, reason: "x-hub-signature-256 is required" };
  }
  return null;
}

async function take(request: IncomingMessage, body: Buffer, deps: WebhookDeps): Promise<Response> {
  const id = header(request, "x-github-delivery") ?? "";
  const name = header(request, "x-github-event") ?? "";
  const payload = parse(body);
  if (payload === null) return answer(400, "the body is not a JSON object");
  try {
    await deps.receive({ id, name, payload });
  } catch (thrown) {
    deps.log.error({ err: toError(thrown), guid: id, event: name }, "a webhook could not be taken");
    return answer(503, "not taken; deliver it again");
  }
  return new Response("ok\n");
}

/** What `work` gives, or 503 at `until`: sent again, a delivery that was stored after all is known. */
function inTime(work: Promise<Response>, until: number): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const late = () => resolve(busy("it takes too long; deliver it again"));
  const timer = setTimeout(late, until - performance.now());
  work.finally(() => clearTimeout(timer)).then(resolve, reject);
  return promise;
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function answer(status: number, reason: string): Response {
  return new Response(`${reason}\n`, { status });
}

function busy(reason: string): Response {
  return new Response(`${reason}\n`, { status: 503, headers: { "retry-after": RETRY_S } });
}

/** An object whose `action`, if any, is a word, as all of GitHub's are; null for anything else. */
function parse(body: Buffer): object | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return "action" in value && typeof value.action !== "string" ? null : value;
  } catch {
    return null;
  }
}

/** Says now and then how much is refused, never for each: a stranger must not fill the log. */
function createTeller({ now, log }: WebhookDeps): (address: string, reason: string) => void {
  let since = Number.NEGATIVE_INFINITY;
  let silent = 0;
  return (address, reason) => {
    if (now() - since < TOLD_EVERY_MS) {
      silent += 1;
      return;
    }
    log.warn({ address, reason, more: silent }, "a webhook delivery was refused");
    since = now();
    silent = 0;
  };
}
