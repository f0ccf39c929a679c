import { UserError } from "../../core/errors.ts";

/** An answer from something that is no model server: a gateway's page, a login. */
export class WebPage extends UserError {
  override name = "WebPage";
}

/** What a server answered with: server-sent events, or one JSON value. */
export type OpenedBody =
  | {
      kind: "events";
      /** The same response, its body still to be read. */
      response: Response;
      /** Whether the `[DONE]` that ends a stream has come. */
      done(): boolean;
    }
  | { kind: "json"; value: unknown };

/** Bytes of one response; a stream takes some 300 of them to say one word. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Bytes of the body of an error: its message is short, whatever follows. */
const MAX_ERROR_BYTES = 64 * 1024;

/** An answer that is no success, with no more of its body than a message needs. */
export async function shortened(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let left = MAX_ERROR_BYTES;
  try {
    for await (const bytes of response.body ?? []) {
      chunks.push(bytes.subarray(0, left));
      left -= bytes.length;
      if (left <= 0) break;
    }
  } catch {
    // The status says enough where the words break off.
  }
  const { status, statusText, headers } = response;
  // The one status here that cannot have a body.
  const body = status === 304 ? null : Buffer.concat(chunks);
  return new Response(body, { status, statusText, headers });
}

/**
 * Looks at the first byte of a response rather than at its content type, which many servers get
 * wrong: those that ignore `stream` answer one JSON object, a gateway in trouble answers HTML.
 * Calls `onBytes` whenever bytes arrive; `baseURLName` is what the address is set with. Throws WebPage on HTML, SyntaxError on broken JSON,
 * Error on an empty body, UserError beyond 64 MB.
 */
export async function openBody(
  response: Response,
  onBytes: () => void,
  baseURLName: string,
): Promise<OpenedBody> {
  const chunks = textOf(response, onBytes);
  let head = "";
  while (head === "") {
    const next = await chunks.next();
    if (next.done) throw new Error("an empty reply");
    // Blanks by which a server keeps the connection say nothing, and may go on for long.
    head = next.value.trimStart();
  }
  const first = head.at(0);
  if (first === "<") {
    throw new WebPage(`the model server sent a web page, not a completion: check ${baseURLName}`);
  }
  if (first === "{" || first === "[") {
    let text = head;
    for await (const chunk of chunks) text += chunk;
    return { kind: "json", value: JSON.parse(text) };
  }
  let tail = "";
  async function* rest(): AsyncGenerator<Uint8Array> {
    const encoder = new TextEncoder();
    tail = head.slice(-40);
    yield encoder.encode(head);
    for await (const chunk of chunks) {
      tail = (tail + chunk).slice(-40);
      yield encoder.encode(chunk);
    }
  }
  return {
    kind: "events",
    response: new Response(ReadableStream.from(rest()), { headers: response.headers }),
    done: () => /data: ?\[DONE\]\s*$/.test(tail),
  };
}

async function* textOf(response: Response, onBytes: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let total = 0;
  for await (const bytes of response.body ?? []) {
    onBytes();
    total += bytes.length;
    if (total > MAX_BYTES)
      throw new UserError("the model server sent more than 64 MB as one reply");
    const text = decoder.decode(bytes, { stream: true });
    if (text !== "") yield text;
  }
}
