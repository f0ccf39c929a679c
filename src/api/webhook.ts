import type { IncomingMessage } from "node:http";
import { toError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";

/** GitHub caps payloads at 25 MB (docs.github.com/webhooks/webhook-events-and-payloads#payload-cap). */
const MAX_BODY_BYTES = 25 * 1024 * 1024;
const MAX_DISCARDED_BYTES = 250 * 1024 * 1024;

export interface WebhookDeps {
  /** Compares the signature with the body in constant time. */
  verify: (body: string, signature: string) => Promise<boolean>;
  /** Resolves once everything the event asks for is stored. */
  receive: (event: { id: string; name: string; payload: unknown }) => Promise<void>;
  log: Log;
}

/**
 * Takes a webhook: size, type, headers, signature and JSON are checked before anything acts on it, and
 * 200 means that what it asked for is stored. Probot's own middleware answers 202 after 9 s whatever
 * happens later and reads unsigned bodies of any size, so it is not used.
 */
export async function takeWebhook(request: IncomingMessage, deps: WebhookDeps): Promise<Response> {
  const id = header(request, "x-github-delivery");
  const name = header(request, "x-github-event");
  const signature = header(request, "x-hub-signature-256");
  if (!(request.headers["content-type"] ?? "").toLowerCase().startsWith("application/json")) {
    return refuse(415, "set the App's webhook content type to application/json");
  }
  if (!id || !name) return refuse(400, "x-github-delivery and x-github-event are required");
  if (!signature) return refuse(401, "x-hub-signature-256 is required");
  const body = await readBody(request);
  if (body === null) return refuse(413, "the body is larger than 25 MB");
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

/**
 * The body as text; null when it is too large. The rest of a large one is read and forgotten, within
 * reason, because most clients only look at the answer after they have sent everything.
 */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
    if (size > MAX_DISCARDED_BYTES) break;
  }
  return size > MAX_BODY_BYTES ? null : Buffer.concat(chunks).toString("utf8");
}

function parse(body: string): object | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
