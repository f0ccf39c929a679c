import type { Room } from "./assembly.ts";
import { isRecord, list, text } from "./json.ts";

/** Texts of a detail that come in pieces. */
const GROWING = ["text", "summary", "thinking"];

/** Reasoning beside a reply, in the fields that a server sends it in. */
export interface ReasoningFields {
  add(message: Record<string, unknown>): boolean;
  /** What is to be sent back with the message; empty without any, and where it was too long. */
  fields(): Record<string, unknown>;
}

/**
 * Collects what is no part of the content and is wanted back: `reasoning_content` (DeepSeek, Kimi, vLLM),
 * `reasoning` and `reasoning_details` (OpenRouter), `thinking_blocks` (LiteLLM). Of several fields that say
 * the same the most telling is kept.
 */
export function createReasoning(room: Room): ReasoningFields {
  const texts: Record<string, string> = {};
  const details: Record<string, Record<string, unknown>[]> = {};

  function addDetail(kept: Record<string, unknown>[], piece: Record<string, unknown>): void {
    const last = kept.at(-1);
    const goesOn =
      last !== undefined &&
      last.type === piece.type &&
      last.index === piece.index &&
      !(last.signature && GROWING.some((key) => text(piece[key]) !== "")) &&
      (piece.signature !== undefined || GROWING.some((key) => typeof piece[key] === "string"));
    if (!goesOn) {
      kept.push({ ...piece });
      return;
    }
    for (const [key, value] of Object.entries(piece)) {
      if (GROWING.includes(key)) last[key] = text(last[key]) + text(value);
      else if (value !== null) last[key] = value;
    }
  }

  return {
    add(message) {
      let brought = false;
      for (const field of ["reasoning_content", "reasoning"]) {
        const piece = message[field];
        if (typeof piece !== "string") continue;
        texts[field] = (texts[field] ?? "") + room.fitting(piece);
        brought ||= piece !== "";
      }
      for (const field of ["reasoning_details", "thinking_blocks"]) {
        for (const piece of list(message[field]).filter(isRecord)) {
          if (!room.fittingRecord(piece)) continue;
          const kept = details[field] ?? [];
          details[field] = kept;
          addDetail(kept, piece);
          brought = true;
        }
      }
      return brought;
    },
    fields() {
      if (room.dropped) return {};
      if (details.reasoning_details) return { reasoning_details: details.reasoning_details };
      const { reasoning_content, reasoning } = texts;
      return {
        ...(reasoning_content !== undefined ? { reasoning_content } : reasoning && { reasoning }),
        ...(details.thinking_blocks && { thinking_blocks: details.thinking_blocks }),
      };
    },
  };
}
