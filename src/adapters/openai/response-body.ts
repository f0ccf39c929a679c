import { UserError } from "../../core/errors.ts";

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

/**
 * Looks at the first byte of a response rather than at its content type, which many servers get
 * wrong: those that ignore `stream` answer one JSON object, a gateway in trouble answers HTML.
 * Calls `onBytes` whenever bytes arrive. Throws UserError on HTML, SyntaxError on broken JSON,
 * Error on an empty body. Nothing beyond 64 MB is read.
 */
export async function openBody(response: Response, onBytes: () => void): Promise<OpenedBody> {
  const chunks = textOf(response, onBytes);
  let head = "";
  while (head.trim() === "") {
    const next = await chunks.next();
    if (next.done) throw new Error("an empty reply");
    head += next.value;
  }
  const first = head.trimStart().at(0);
  if (first === "<") {
    throw new UserError(
      "the model server sent a web page, not a completion: check OPENAI_BASE_URL",
    );
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
