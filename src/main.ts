import { serveSetupPage } from "./api/setup-page.ts";
import { compose } from "./compose.ts";
import { loadConfig } from "./config.ts";
import { toError, UserError } from "./core/errors.ts";

/** The longest that a stop may take, below the 30 s that most supervisors wait. */
const STOP_MS = 25_000;

async function main(): Promise<void> {
  const config = loadConfig();
  if (config.credentials === null) return serveSetupPage();
  const app = await compose({ ...config, credentials: config.credentials });
  let stopping = false;
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      // A second signal means now.
      if (stopping) process.exit(1);
      stopping = true;
      // Whatever still hangs is taken up at the next start.
      setTimeout(() => process.exit(0), STOP_MS).unref();
      app.stop().then(
        () => process.exit(0),
        (thrown) => fail(thrown),
      );
    });
  }
}

function fail(thrown: unknown): never {
  const error = toError(thrown);
  process.stderr.write(`${error instanceof UserError ? error.message : error.stack}\n`);
  process.exit(1);
}

main().catch(fail);
