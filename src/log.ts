import { type Logger, pino } from "pino";

/** How deep causes are followed. */
const MAX_CAUSES = 4;
/** What waits while the log cannot be written, in characters; more is dropped. */
const MOST_WAITING = 4 * 1024 * 1024;

/**
 * The log of the server: JSON lines on standard output, each through `redact`. Of an error only its
 * name, message, code, stack and causes are written: errors of Octokit and Probot carry whole requests
 * and webhook payloads with them.
 */
export function createLog(level: string, redact: (text: string) => string): Logger {
  const options = {
    level,
    hooks: { streamWrite: redact },
    serializers: { err: (error: unknown) => errorFields(error, MAX_CAUSES) },
  };
  return pino(options, standardOutput());
}

/**
 * Standard output, which may be a file on a full disk: nothing else ends or waits for that, and what could
 * not be written follows with a later line.
 */
function standardOutput() {
  const out = pino.destination({ dest: 1, sync: false, minLength: 0, maxLength: MOST_WAITING });
  let failing = false;
  out.on("error", () => {
    failing = true;
  });
  out.on("write", () => {
    failing = false;
  });
  const flush = out.flushSync.bind(out);
  // It tries for ever; it is called after a fatal line and when the process ends.
  out.flushSync = () => {
    if (!failing) flush();
  };
  return out;
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
