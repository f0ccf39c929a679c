import { type Logger, pino } from "pino";

/** How deep causes are followed. */
const MAX_CAUSES = 4;

/**
 * The log of the server: JSON lines on standard output, each through `redact`. Of an error only its
 * name, message, code, stack and causes are written: errors of Octokit and Probot carry whole requests
 * and webhook payloads with them.
 */
export function createLog(level: string, redact: (text: string) => string): Logger {
  return pino({
    level,
    hooks: { streamWrite: redact },
    serializers: { err: (error: unknown) => errorFields(error, MAX_CAUSES) },
  });
}

function errorFields(error: unknown, depth: number): unknown {
  if (!(error instanceof Error)) return { message: `something was thrown that is no error` };
  const { name, message, stack, cause } = error;
  const code: unknown = Reflect.get(error, "code");
  const errors = error instanceof AggregateError ? error.errors : [];
  return {
    type: name,
    message,
    ...(typeof code === "string" && { code }),
    stack,
    ...(depth > 0 && cause !== undefined && { cause: errorFields(cause, depth - 1) }),
    ...(depth > 0 &&
      errors.length > 0 && {
        errors: errors.slice(0, 10).map((each) => errorFields(each, depth - 1)),
      }),
  };
}
