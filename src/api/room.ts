const MB = 1024 * 1024;

/** What all requests together may hold in memory before their signatures are known to be right. */
const TOTAL_BYTES = 100 * MB;
/** What one client may hold: one payload of the largest size, and some small ones. */
const CLIENT_BYTES = 32 * MB;
/** Kept for small bodies, which is what comments are, so that large ones cannot shut them out. */
const RESERVED_BYTES = 32 * MB;
const SMALL_BYTES = MB;

/** Memory for bodies that are not known to be GitHub's yet. */
export interface Room {
  /** Takes `bytes` for a client's body that has `size` bytes with them; false when there is no room. */
  take(client: string, bytes: number, size: number): boolean;
  give(client: string, bytes: number): void;
}

/** An empty room. */
export function createRoom(): Room {
  const held = new Map<string, number>();
  let total = 0;
  return {
    take(client, bytes, size) {
      const own = (held.get(client) ?? 0) + bytes;
      const most = size > SMALL_BYTES ? TOTAL_BYTES - RESERVED_BYTES : TOTAL_BYTES;
      if (own > CLIENT_BYTES || total + bytes > most) return false;
      held.set(client, own);
      total += bytes;
      return true;
    },
    give(client, bytes) {
      const own = (held.get(client) ?? 0) - bytes;
      if (own > 0) held.set(client, own);
      else held.delete(client);
      total -= bytes;
    },
  };
}
