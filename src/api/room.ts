const KB = 1024;

/** What every body may hold: comments are smaller, and so never refused for want of room. */
const FREE_BYTES = 128 * KB;
/** What is held beyond that by all bodies together, and by those of one client. */
const TOTAL_BYTES = 100 * KB * KB;
const CLIENT_BYTES = 32 * KB * KB;

/** Memory for bodies that are not known to be GitHub's yet. */
export interface Room {
  /** A place for one body of a client. */
  open(client: string): Place;
}

export interface Place {
  /** Takes `bytes` more; false when there is no room. */
  take(bytes: number): boolean;
  /** Gives back all that was taken. */
  close(): void;
}

/** An empty room. */
export function createRoom(): Room {
  const held = new Map<string, number>();
  let total = 0;

  function add(client: string, bytes: number): void {
    const own = (held.get(client) ?? 0) + bytes;
    if (own > 0) held.set(client, own);
    else held.delete(client);
    total += bytes;
  }

  return {
    open(client) {
      let size = 0;
      let counted = 0;
      return {
        take(bytes) {
          size += bytes;
          const more = Math.max(0, size - FREE_BYTES) - counted;
          const own = (held.get(client) ?? 0) + more;
          if (more > 0 && (own > CLIENT_BYTES || total + more > TOTAL_BYTES)) return false;
          add(client, more);
          counted += more;
          return true;
        },
        close() {
          add(client, -counted);
          size = 0;
          counted = 0;
        },
      };
    },
  };
}
