import type { ChatMessage, TokenUsage, ToolSpec } from "../../core/model.ts";
import { cutResult } from "../notices.ts";
import { bytesOf, compact } from "./compact.ts";
import { type Compaction, viewOf } from "./view.ts";

/** What is known of how a model sees a conversation; goes on over restarts. */
export interface Seen {
  compaction: Compaction | null;
  /** What the first so many messages come to in tokens; null before the first reply. */
  measured: { messages: number; tokens: number } | null;
}

/** A compaction that is to be made, with the tokens of the conversation before and after. */
interface Planned extends Compaction {
  tokens: { before: number; after: number };
}

/** A conversation as it is handed to the model. */
export interface Context {
  /** The same message is the same object in every view until the next compaction. */
  view(): ChatMessage[];
  /** Notes what the provider counted in the last view and the reply, which stands in the messages by now. */
  measure(usage: TokenUsage): void;
  /** A compaction that is due; `forced`: any that makes it smaller. Null when there is none. */
  due(window: number, forced: boolean): Planned | null;
  apply(planned: Planned): void;
}

/** Share of the window at which old messages are compacted, and down to which. */
const FULL = 0.7;
const ROOM = 0.38;
/** Where the rules and the task leave no such room: better than to lose what was just read. */
const LESS_ROOM = 0.6;
/** Share of a conversation for which a compaction is worth a new prefix. */
const WORTH = 0.15;
/** A forced one that wins less than this is none. */
const LEAST = 0.02;

/** Bounds and guesses of tokens per byte of JSON: text and code have 0.2 to 0.35. */
const UNKNOWN = 0.4;
const APPENDED = 0.5;
const FEWEST = 0.125;
const MOST = 1;

/** Share of the window that one result may take, at three bytes per token. */
const RESULT_SHARE = 0.15;
const BYTES_PER_TOKEN = 3;
const LEAST_RESULT = 1500;

/** Hands out a conversation that grows; `seen` is kept true, for whoever goes on with it. */
export function createContext(messages: ChatMessage[], tools: ToolSpec[], seen: Seen): Context {
  const toolBytes = Buffer.byteLength(JSON.stringify(tools));
  const view: ChatMessage[] = [];
  /** How many messages the view tells of, and the bytes of all it has. */
  let told = 0;
  let bytes = toolBytes;

  function show(): void {
    const more = messages.slice(told);
    view.push(...more);
    bytes += bytesOf(more);
    told = messages.length;
  }

  function again(): void {
    const first = seen.compaction === null ? [] : viewOf(messages, seen.compaction);
    view.splice(0, view.length, ...first);
    bytes = toolBytes + bytesOf(first);
    told = seen.compaction === null ? 0 : messages.length;
    show();
  }

  function tokens(): number {
    if (seen.measured === null) return Math.ceil(bytes * UNKNOWN);
    const appended = bytesOf(messages.slice(seen.measured.messages));
    const counted = seen.measured.tokens + appended * APPENDED;
    // A count that cannot be is none.
    return Math.ceil(Math.min(Math.max(counted, bytes * FEWEST), bytes * MOST));
  }

  again();
  return {
    view() {
      show();
      return view;
    },
    measure({ inputTokens, outputTokens }) {
      seen.measured = { messages: messages.length, tokens: inputTokens + outputTokens };
    },
    due(window, forced) {
      show();
      const before = tokens();
      const known = isKnown(window);
      if (!forced && !(known && before >= window * FULL)) return null;
      // The window is smaller than it was said to be, or the count was wrong.
      const most = known && !forced ? window : Math.min(before, known ? window : before);
      const targets = [most * ROOM, most * LESS_ROOM].map(
        (target) => (target * bytes) / before - toolBytes,
      );
      const compaction = compact(messages, seen.compaction, targets);
      if (compaction === null) return null;
      const left = toolBytes + bytesOf(viewOf(messages, compaction));
      if (left > bytes * (1 - (forced ? LEAST : WORTH))) return null;
      const after = Math.ceil((before * left) / bytes);
      return { ...compaction, tokens: { before, after } };
    },
    apply({ upTo, leftOut, tokens: { after } }) {
      seen.compaction = { upTo, leftOut };
      seen.measured = { messages: messages.length, tokens: after };
      again();
    },
  };
}

/** A result of a tool as it goes into the conversation: a long one without its middle where the window is small. */
export function fittedResult(text: string, window: number): string {
  if (!isKnown(window)) return text;
  const max = Math.max(LEAST_RESULT, Math.floor(window * RESULT_SHARE * BYTES_PER_TOKEN));
  const bytes = Buffer.byteLength(text);
  if (bytes <= max) return text;
  const share = max / bytes / 2;
  const part = Math.floor(text.length * share);
  const ends = [text.slice(0, part).toWellFormed(), text.slice(-part).toWellFormed()];
  return ends.join(cutResult(text.length - 2 * part));
}

/** A window of nothing says that nobody knows it. */
function isKnown(window: number): boolean {
  return Number.isFinite(window) && window > 0;
}
