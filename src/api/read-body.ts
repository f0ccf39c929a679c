import type { IncomingMessage } from "node:http";

/** What is read and forgotten of a body that is not taken, so that its sender gets to the answer. */
const MAX_DISCARDED_BYTES = 250 * 1024 * 1024;

type Body = { status: "read"; bytes: Buffer } | { status: "too_large" } | { status: "no_room" };

/**
 * The bytes of a body of at most `most` bytes, as long as `take` finds room for them; the room is
 * given back when the body was read or given up. Throws when the client breaks off.
 */
export async function readBody(
  request: IncomingMessage,
  options: {
    most: number;
    /** Asks for room for `bytes` of a body that has `size` bytes with them. */
    take?: (bytes: number, size: number) => boolean;
    give?: (bytes: number) => void;
  },
): Promise<Body> {
  const { most, take = () => true, give = () => undefined } = options;
  const chunks: Buffer[] = [];
  let size = 0;
  let held = 0;
  let status: Body["status"] = "read";
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (status === "read" && size > most) status = "too_large";
      if (status === "read" && !take(chunk.length, size)) status = "no_room";
      if (status === "read") {
        chunks.push(chunk);
        held += chunk.length;
      } else {
        chunks.length = 0;
        give(held);
        held = 0;
      }
      if (size > MAX_DISCARDED_BYTES) break;
    }
    return status === "read" ? { status, bytes: Buffer.concat(chunks) } : { status };
  } finally {
    give(held);
  }
}
