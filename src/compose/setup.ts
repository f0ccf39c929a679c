import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { createEnvFile } from "../adapters/env-file.ts";
import { convertManifest } from "../adapters/github/app-manifest.ts";
import { serve } from "../api/server.ts";
import { isLocalName } from "../api/setup-guard.ts";
import { setupRoutes } from "../api/setup-page.ts";
import type { AppConfig } from "../config.ts";
import { toError, UserError } from "../core/errors.ts";
import { createRedactor } from "../core/redact.ts";
import { createLog } from "../log.ts";

/** What Apps are registered from, unless the working directory has its own. */
const APP_YML = fileURLToPath(new URL("../../app.yml", import.meta.url));

/** Serves the page that registers the App, until it has written credentials; resolves once it listens. */
export async function composeSetup(config: AppConfig): Promise<void> {
  const { host, port: wanted, webUrl, registerUrl, apiUrl, trustProxy: proxies } = config;
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const now = () => Date.now();
  // What a proxy hands on may come from anywhere.
  const bound = (host === "::1" || isLocalName(host)) && proxies === 0;
  const token = randomBytes(16).toString("hex");
  const env = createEnvFile(process.cwd());
  const manifest = readManifest(existsSync("app.yml") ? "app.yml" : APP_YML);
  const routes = setupRoutes({
    bound,
    token,
    session: randomBytes(32).toString("hex"),
    manifest,
    webUrl,
    registerUrl,
    convert: (code) => convertManifest(apiUrl, code),
    ...env,
    say,
  });
  const log = createLog(
    "warn",
    createRedactor(() => []),
  );
  const { port } = await serve(routes, { host, port: wanted, proxies, now, log });
  const shown = host.includes(":") ? `[${host}]` : host;
  say(`Listening on http://${shown}:${port}`);
  say("There are no credentials of a GitHub App yet.");
  if (bound) say(`To register one, open http://${shown}:${port}/probot on this machine.`);
  say(`From elsewhere open /probot?token=${token} there; it opens once.`);
}

/** What an App is registered from. Throws UserError when the file holds no keys. */
function readManifest(file: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(parse(readFileSync(file, "utf8")));
  } catch (thrown) {
    const reason =
      thrown instanceof z.ZodError
        ? "it holds no keys"
        : toError(thrown).message.split(":\n", 1)[0];
    throw new UserError(
      `Draftsmith cannot start:\n  ${file}: cannot be read (${reason}); mend it, or remove it to use the one of the package`,
    );
  }
}
