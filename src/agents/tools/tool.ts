import { z } from "zod";
import type { ToolSpec } from "../../core/model.ts";
import type { Sandbox, Workspace } from "../../core/ports.ts";

/** What a tool acts with. */
export interface ToolContext {
  sandbox: Sandbox;
  workspace: Workspace;
  /** Domains the repository allows its commands to reach. */
  network: string[];
  /** What is left of the job's time, in ms; may be negative. */
  timeLeftMs: () => number;
  signal: AbortSignal;
}

/** What a tool call gave. */
export interface ToolAnswer {
  /** False when the call could not do what it was meant to; a command that exits 1 still is true. */
  ok: boolean;
  /** What the model reads. */
  text: string;
  /** What was done, one short line for the board. */
  action: string;
  /** Hosts that were asked for and refused, if any. */
  deniedHosts?: string[];
}

/** A tool of the agent: how the model sees it, and what it does. */
export interface Tool {
  spec: ToolSpec;
  /** Whether it may change files. */
  writes: boolean;
  /** Carried out when the model calls it, and not offered to it. */
  unoffered?: true;
  /** What is about to be done, for the board; undefined when it takes no time worth telling. */
  doing(args: unknown): string | undefined;
  /** Checks the arguments and acts. Throws only for what the tool does not expect. */
  run(args: unknown, context: ToolContext): Promise<ToolAnswer>;
}

/** A tool whose arguments are checked by `schema`, from which the model's JSON Schema is made, too. */
export function defineTool<Args>(definition: {
  name: string;
  description: string;
  writes: boolean;
  schema: z.ZodType<Args>;
  doing?: (args: Args) => string;
  run: (args: Args, context: ToolContext) => Promise<ToolAnswer>;
}): Tool {
  const { name, description, writes, schema } = definition;
  // Some servers refuse the key $schema.
  const { $schema: _, ...parameters } = z.toJSONSchema(schema, {
    io: "input",
    override({ jsonSchema }) {
      // Bounds that tell the model nothing are paid for with each call.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minLength === 1) delete jsonSchema.minLength;
    },
  });
  return {
    spec: { name, description, parameters },
    writes,
    doing(args) {
      const parsed = schema.safeParse(withoutNulls(args));
      return parsed.success ? definition.doing?.(parsed.data) : undefined;
    },
    async run(args, context) {
      const parsed = schema.safeParse(withoutNulls(args));
      if (parsed.success) return definition.run(parsed.data, context);
      return failed(`The arguments of ${name} are wrong:\n${z.prettifyError(parsed.error)}`, name);
    },
  };
}

/** An answer to a call that could not be carried out. */
export function failed(text: string, tried: string): ToolAnswer {
  return { ok: false, text, action: `tried ${tried} in vain` };
}

/** One line of at most `max` characters. */
export function oneLine(text: string, max: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

/** Models write null for an argument they leave out. */
function withoutNulls(args: unknown): unknown {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return args;
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null));
}
