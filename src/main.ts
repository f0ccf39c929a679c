import { enableCompileCache, flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import type { compose as Compose } from "./compose/compose.ts";
import { toError, UserError } from "./core/errors.ts";
import { createRedactor } from "./core/redact.ts";

/** The longest that a stop may take, below the 30 s that most supervisors wait. */
const STOP_MS = 25_000;
/** The same after a crash, when less can be relied on. */
const CRASH_MS = 10_000;
/** The same signal within so many ms is the same one: npm passes on what a terminal sends to both. */
const ECHO_MS = 300;
/** Compiled code of earlier starts: half of what a start computes. Not in a temporary directory, where others may write. */
const COMPILED = fileURLToPath(new URL("../node_modules/.cache/draftsmith", import.meta.url));

async function main(): Promise<void> {
  enableCompileCache(COMPILED);
  const { loadConfig } = await import("./config.ts");
  const config = loadConfig(process.argv.slice(2));
  let app: Awaited<ReturnType<typeof Compose>> | null = null;
  let first: { name: string; at: number } | null = null;
  let crashed = false;

  function end(code: number, withinMs: number): void {
    // Whatever still hangs is taken up at the next start.
    setTimeout(() => process.exit(code), withinMs).unref();
    app?.stop({ crashed }).then(
      () => process.exit(code),
      (thrown) => fail(thrown),
    );
  }

  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      const at = performance.now();
      if (first !== null) {
        if (name === first.name && at - first.at < ECHO_MS) return;
        // A second signal means now.
        process.exit(1);
      }
      first = { name, at };
      // Of a start that is cut off nothing is left: what it wrote, it wrote whole.
      if (app === null) process.exit(0);
      app.log.info("stopping: what is under way ends first; a second signal ends it at once");
      end(0, STOP_MS);
    });
  }
  // Rejections that nobody handles come here, too. What follows from the first is not told.
  process.on("uncaughtException", (thrown) => {
    if (app === null) return fail(thrown);
    if (crashed) return;
    crashed = true;
    app.log.fatal({ err: toError(thrown) }, "the server crashed; its jobs go on at the next start");
    if (first !== null) return;
    first = { name: "crash", at: performance.now() };
    end(1, CRASH_MS);
  });
  if (config.credentials === null) {
    const { composeSetup } = await import("./compose/setup.ts");
    return composeSetup(config);
  }
  const { compose } = await import("./compose/compose.ts");
  app = await compose({ ...config, credentials: config.credentials });
  // Now, for who knows how it will end.
  flushCompileCache();
}

function fail(thrown: unknown): never {
  const error = toError(thrown);
  const text = error instanceof UserError ? error.message : (error.stack ?? error.message);
  // Which secrets there are is not known here; what has their shape is taken out.
  process.stderr.write(`${createRedactor(() => [])(text)}\n`);
  process.exit(1);
}

main().catch(fail);
