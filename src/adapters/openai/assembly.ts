import type { ModelReply } from "../../core/model.ts";
import { isRecord } from "./json.ts";

/** What a reply is read against. */
interface Asked {
  /** Provider and model, as `provider/model`. */
  origin: string;
  /** Characters of the prompt, for servers that leave out the usage. */
  requestChars: number;
  /** Ids that calls of the conversation have already. */
  usedIds: Iterable<string>;
}

/** The parts of a reply put together; `ended` is false until the server said why it stopped. */
export interface ReplyAssembly {
  /**
   * Takes one event of a stream, or a whole reply, as parsed from JSON, and tells whether it brought
   * anything of the reply. Throws APIError where the server ends the reply for a fault of its own.
   */
  add(event: unknown): boolean;
  readonly ended: boolean;
  /** Whether the usage has come. */
  readonly counted: boolean;
  /** Whether what came can be all of a reply whose end nobody told: a text, or calls with all of their arguments. */
  readonly usable: boolean;
  /** Whether nothing more is to be read. */
  readonly complete: boolean;
  /** Whether it is as long as a reply may be: what still comes is left out, as at an output limit. */
  readonly full: boolean;
  /** Whether the model has generated anything, as far as one sees. */
  readonly begun: boolean;
  /** The server's id of the reply; empty without one. */
  readonly id: string;
  reply(asked: Asked): ModelReply;
}

/** What a person reads where a filter took the reply away. */
export const WITHHELD = "The model's host withheld it.";

/** Characters of one reply, several times what the longest outputs of models hold. */
const MAX_CHARS = 2_000_000;
/** Calls in one reply; models make a few. */
export const MAX_CALLS = 128;

/** What a reply may still hold. */
export interface Room {
  /** As much of a piece as still fits. */
  fitting(piece: string): string;
  /** The object if all of it fits. */
  fittingRecord(value: unknown): Record<string, unknown> | undefined;
  /** Says that something was left out. */
  drop(): void;
  readonly full: boolean;
  readonly dropped: boolean;
}

/** Room for one reply. */
export function createRoom(): Room {
  let left = MAX_CHARS;
  let dropped = false;
  function fitting(piece: string): string {
    const kept = piece.slice(0, left);
    left -= kept.length;
    dropped ||= kept.length < piece.length;
    return kept;
  }
  return {
    fitting,
    fittingRecord(value) {
      if (!isRecord(value)) return undefined;
      const written = JSON.stringify(value);
      return fitting(written).length === written.length ? value : undefined;
    },
    drop() {
      dropped = true;
    },
    get full() {
      return left === 0;
    },
    get dropped() {
      return dropped;
    },
  };
}
