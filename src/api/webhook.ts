import type { IncomingMessage } from "node:http";
import { toError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";

/** GitHub caps payloads at 25 MB (docs.github.com/webhooks/webhook-events-and-payloads#payload-cap). */
const MAX_BODY_BYTES = 25 * 1024 * 1024;
/** What all requests together may hold in memory before their signatures are known to be right. */
const MAX_BUFFERED_BYTES = 4 * MAX_BODY_BYTES;
const MAX_DISCARDED_BYTES = 250 * 1024 * 1024;

export interface WebhookDeps {
  /** Compares the signature with the body in constant time. */
  verify: (body: string, signature: string) => Promise<boolean>;
  /** Resolves once everything the event asks for is stored. */
  receive: (event: { id: string; name: string; payload: unknown }) => Promise<void>;
  log: Log;
}

/**
 * The door for webhooks: size, type, headers, signature and JSON are checked before anything acts on a
 * request, and 200 means that what it asked for is stored. Probot's own middleware answers 202 after
 * 9 s whatever happens later and reads unsigned bodies of any size, so it is not used.
 */
export function createWebhookDoor(
  deps: WebhookDeps,
): (request: IncomingMessage) => Promise<Response> {
  const room = { bytes: MAX_BUFFERED_BYTES };
  return async (request) => {
    const problem = problemOf(request);
    // Most clients look at an answer only after they have sent everything.
    if (problem !== null) return readBody(request, { bytes: 0 }).then(() => problem);
    const body = await readBody(request, room);
    if (body.status === "too_large") return refuse(413, "the body is larger than 25 MB");
    if (body.status === "no_room") return refuse(503, "too much is being received; send it again");
    return take(request, body.text, deps);
  };
}

/** What is wrong with a request before its body is looked at. */
function problemOf(request: IncomingMessage): Response | null {
  const type = (request.headers["content-type"] ?? "").toLowerCase();
  if (!type.startsWith("application/json")) {
    return refuse(415, "set the App's webhook content type to application/json");
  }
  if (!header(request, "x-github-delivery") || !header(request, "x-github-event")) {
    return refuse(400, "x-github-delivery and x-github-event are required");
  }
  if (!header(request, "x-hub-signature-256")) {
    return refuse(401, "x-hub-signature-256 is required");
  }
  return null;
}

async function take(request: IncomingMessage, body: string, deps: WebhookDeps): Promise<Response> {
  const id = header(request, "x-github-delivery") ?? "";
  const name = header(request, "x-github-event") ?? "";
  const signature = header(request, "x-hub-signature-256") ?? "";
  const signed = await deps.verify(body, signature).catch(() => false); // Throws on a malformed one.
  if (!signed) return refuse(401, "the signature does not match; is WEBHOOK_SECRET the App's?");
  const payload = parse(body);
  if (payload === null) return refuse(400, "the body is not a JSON object");
  try {
    await deps.receive({ id, name, payload });
  } catch (thrown) {
    deps.log.error({ err: toError(thrown), guid: id, event: name }, "a webhook could not be taken");
    return refuse(503, "not taken; deliver it again");
  }
  return new Response("ok\n");
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function refuse(status: number, reason: string): Response {
  return new Response(`${reason}\n`, { status });
}

type Body = { status: "read"; text: string } | { status: "too_large" } | { status: "no_room" };

/**
 * The body as text, while there is `room` for it. The rest of one that is not taken is read and
 * forgotten, within reason.
 */
async function readBody(request: IncomingMessage, room: { bytes: number }): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  let held = 0;
  let status: Body["status"] = "read";
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) status = "too_large";
      else if (room.bytes < chunk.length) status = "no_room";
      if (status === "read") {
        chunks.push(chunk);
        held += chunk.length;
        room.bytes -= chunk.length;
      } else {
        chunks.length = 0;
        room.bytes += held;
        held = 0;
      }
      if (size > MAX_DISCARDED_BYTES) break;
    }
    return status === "read"
      ? { status, text: Buffer.concat(chunks).toString("utf8") }
      : { status };
  } finally {
    room.bytes += held;
  }
}

function parse(body: string): object | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
