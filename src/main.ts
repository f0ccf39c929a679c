import { serveSetupPage } from "./api/setup-page.ts";
import { compose } from "./compose.ts";
import { loadConfig } from "./config.ts";
import { toError, UserError } from "./core/errors.ts";

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
