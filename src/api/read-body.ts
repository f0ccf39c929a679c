import type { IncomingMessage } from "node:http";
import type { Place } from "./room.ts";

/** What is read and forgotten of a body that is not taken, so that its sender gets to the answer. */
const MAX_DISCARDED_BYTES = 250 * 1024 * 1024;

type Body = { status: "read"; bytes: Buffer } | { status: "too_large" } | { status: "no_room" };

/**
 * The bytes of a body of at most `most` bytes, as long as there is a `place` for them, which is given
 * back when the body was read or given up. Throws when the client breaks off.
 */
export async function readBody(
  request: IncomingMessage,
  { most, place }: { most: number; place?: Place },
): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  let status: Body["status"] = "read";
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (status === "read" && size > most) status = "too_large";
      if (status === "read" && place?.take(chunk.length) === false) status = "no_room";
      if (status === "read") {
        chunks.push(chunk);
      } else {
        chunks.length = 0;
        place?.close();
      }
      if (size > MAX_DISCARDED_BYTES) break;
    }
    return status === "read" ? { status, bytes: Buffer.concat(chunks) } : { status };
  } finally {
    place?.close();
  }
}
