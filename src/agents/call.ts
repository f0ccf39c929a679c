import { TransientError, toError, UserError } from "../core/errors.ts";
import type { ToolCall } from "../core/model.ts";
import { brokenArguments, unknownTool } from "./notices.ts";
import { specsOf } from "./tools/index.ts";
import type { Tool, ToolAnswer, ToolContext } from "./tools/tool.ts";

/** A call that can be made, or the answer that tells the model why not. */
export type ReadyCall =
  | { status: "ready"; tool: Tool; args: Record<string, unknown> }
  | { status: "unusable"; answer: ToolAnswer };

/** Finds the tool of a call and reads its arguments; `truncated` tells of the reply it came in. */
export function readCall(tools: Tool[], call: ToolCall, truncated: boolean): ReadyCall {
  const unusable = (text: string): ReadyCall => ({
    status: "unusable",
    answer: { ok: false, text, action: "made a call that could not be read" },
  });
  const tool = tools.find(({ spec }) => spec.name === call.name);
  if (!tool) {
    const known = specsOf(tools).map(({ name }) => name);
    return unusable(unknownTool(call.name, known));
  }
  const args = parseArguments(call.arguments);
  if (args.status === "broken") {
    return unusable(brokenArguments(call.name, args.why, truncated));
  }
  return { status: "ready", tool, args: args.value };
}

/** Makes a call. Whatever goes wrong becomes text for the model, save an abort and known errors. */
export async function makeCall(
  { tool, args }: { tool: Tool; args: Record<string, unknown> },
  context: ToolContext,
): Promise<ToolAnswer> {
  try {
    return await tool.run(args, context);
  } catch (thrown) {
    context.signal.throwIfAborted();
    const error = toError(thrown);
    if (error instanceof UserError || error instanceof TransientError) throw error;
    const { name } = tool.spec;
    return { ok: false, text: `${name} failed: ${error.message}`, action: `tried ${name} in vain` };
  }
}

type Arguments =
  | { status: "read"; value: Record<string, unknown> }
  | { status: "broken"; why: string };

/** Some models leave out arguments altogether, some encode them twice. */
function parseArguments(written: string): Arguments {
  if (written.trim() === "") return { status: "read", value: {} };
  try {
    let value: unknown = JSON.parse(written);
    if (typeof value === "string") value = JSON.parse(value);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return { status: "read", value: { ...value } };
    }
    return { status: "broken", why: "something else came" };
  } catch (error) {
    return { status: "broken", why: toError(error).message };
  }
}
