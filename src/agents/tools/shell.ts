import { z } from "zod";
import { hostWords } from "../../core/denied-hosts.ts";
import type { CommandResult } from "../../core/ports.ts";
import { exitWords, howStopped } from "../../core/stopped.ts";
import { defineTool, oneLine } from "./tool.ts";

const DEFAULT_SECONDS = 120;
const MAX_SECONDS = 600;
/** Output after which a command is killed, and what the model gets to read of it. */
const MAX_OUTPUT_BYTES = 20 * 1024 * 1024;
const KEEP_BYTES = 16 * 1024;

/** Runs a command of the model by bash, in the sandbox. */
export const shell = defineTool({
  name: "shell",
  description:
    "Runs a command with bash in the root of the checkout; gives exit code and output (standard output " +
    "and error together, the middle cut if long). Each call is a fresh bash: cd, variables and background " +
    "processes do not outlive it, files do. No terminal, no standard input. Search with rg or grep.",
  writes: true,
  schema: z.object({
    command: z.string().min(1),
    timeout_seconds: z
      .number()
      .optional()
      .describe(`When it is killed: ${DEFAULT_SECONDS} unless given, at most ${MAX_SECONDS}.`),
  }),
  doing: ({ command }) => `running ${oneLine(command, 60)}`,
  async run({ command, timeout_seconds }, context) {
    const asked = Math.min(Math.max(timeout_seconds ?? DEFAULT_SECONDS, 1), MAX_SECONDS) * 1000;
    const timeoutMs = Math.max(1000, Math.min(asked, context.timeLeftMs()));
    const result = await context.sandbox.run({
      workspace: context.workspace,
      script: command,
      network: context.network,
      timeoutMs,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      keepBytes: KEEP_BYTES,
      signal: context.signal,
    });
    context.signal.throwIfAborted();
    const end = howItEnded(result, timeoutMs);
    const output = result.output.trimEnd();
    const { deniedHosts } = result;
    const refused =
      deniedHosts.length > 0
        ? `\n[network: refused ${hostWords(deniedHosts, context.network)}; you cannot allow it yourself]`
        : "";
    return {
      ok: true,
      text: `${output === "" ? `[${end}, no output]` : `${output}\n[${end}]`}${refused}`,
      action: `ran ${oneLine(command, 60)} (${end})`,
      ...(deniedHosts.length > 0 && { deniedHosts }),
    };
  },
});

function howItEnded({ exitCode, stopped }: CommandResult, timeoutMs: number): string {
  switch (stopped) {
    case "timeout":
      return `stopped after ${Math.round(timeoutMs / 1000)} s`;
    case "output":
      return `stopped after ${MAX_OUTPUT_BYTES / 1024 / 1024} MB of output`;
    case null:
      return exitCode === null ? "killed" : `exit ${exitWords(exitCode)}`;
    default:
      return howStopped(stopped);
  }
}
