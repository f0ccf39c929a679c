import type { ToolCall } from "../../core/model.ts";
import { isJsonObject, isRecord } from "./json.ts";

/** The arguments of a call as text: some servers send the object itself. */
export function argumentsText(value: unknown): string {
  if (typeof value === "string") return value;
  return isRecord(value) ? JSON.stringify(value) : "";
}

/**
 * Arguments of a past call, as they are sent back. Servers that render the history by a template (vLLM,
 * llama.cpp) parse them all and fail the whole request on anything but an object: a broken one is wrapped.
 */
export function sentArguments(written: string): string {
  const wellFormed = written.toWellFormed();
  if (wellFormed.trim() === "") return "{}";
  return isJsonObject(wellFormed)
    ? wellFormed
    : JSON.stringify({ invalid: wellFormed.slice(0, 2000) });
}

/**
 * The name of a past call, as it is sent back: OpenAI takes letters, digits, `_` and `-`, at most 64, and refuses
 * the whole request for another. A model may have called a tool that nobody has by any name.
 */
export function sentName(name: string): string {
  return name.replaceAll(/[^\w-]/g, "_").slice(0, 64) || "unknown";
}

/** Ids that are missing or taken get a new one; nine letters and digits, as Mistral demands. */
export function withUniqueIds(calls: ToolCall[], usedIds: Iterable<string>): ToolCall[] {
  const used = new Set(usedIds);
  let next = 1;
  return calls.map((call) => {
    let id = call.id;
    while (id === "" || used.has(id)) id = `call${String(next++).padStart(5, "0")}`;
    used.add(id);
    return { ...call, id };
  });
}

/**
 * The name of a tool without what models leave around it where their server does not take it off: gpt-oss its
 * recipient and channel ("functions.read", "read<|channel|>commentary"), Kimi its place ("functions.read:0").
 */
export function toolName(written: string): string {
  const [name = ""] = written.split("<|");
  return name.startsWith("functions.") ? name.slice(10).replace(/:\d+$/, "") : name;
}
