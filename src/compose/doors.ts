import type { Logger } from "pino";
import { Probot } from "probot";
import { type Routes, serve } from "../api/server.ts";
import { createVerify } from "../api/signature.ts";
import { createWebhookDoor } from "../api/webhook.ts";
import { createApp } from "../app.ts";
import type { AppConfig, Credentials } from "../config.ts";
import type { SubmitDeps } from "../jobs/submit.ts";
import type { WithdrawDeps } from "../jobs/withdraw.ts";

/** Opens the way in for GitHub's webhooks, and what tells whether the server is well. */
export async function openDoors(
  config: AppConfig & { credentials: Credentials },
  deps: {
    submit: SubmitDeps & WithdrawDeps;
    healthy: () => Promise<boolean>;
    turnedAway: () => void;
    log: Logger;
  },
): Promise<{ port: number; close(): Promise<void> }> {
  const { credentials } = config;
  const { submit, healthy, turnedAway, log } = deps;
  const { now } = submit;
  const level = ["debug", "trace"].includes(config.logLevel) ? "info" : config.logLevel;
  const probot = new Probot({
    appId: credentials.appId,
    // It only hands on what came through our own door: it signs and verifies nothing.
    privateKey: "not given",
    secret: "not given",
    baseUrl: config.apiUrl,
    // At debug level Probot would log whole payloads.
    log: log.child({}, { level }),
  });
  await probot.load(createApp(submit));
  const webhook = createWebhookDoor({
    verify: createVerify([
      credentials.webhookSecret,
      ...(credentials.oldWebhookSecret ? [credentials.oldWebhookSecret] : []),
    ]),
    receive: (event) => probot.receive(event as Parameters<Probot["receive"]>[0]),
    turnedAway,
    now,
    log,
  });
  return serve(
    {
      "/api/github/webhooks": { POST: webhook },
      // Probot's set-up page registered Apps with the bare address of the server.
      "/": { POST: webhook },
      ...tellingHealth(healthy),
    },
    { host: config.host, port: config.port, proxies: config.trustProxy, now, log },
  );
}

/** Opens a port of a worker that only tells whether it is well; null when it is to open none. */
export async function openHealth(
  { host, healthPort: port }: AppConfig,
  { healthy, now, log }: { healthy: () => Promise<boolean>; now: () => number; log: Logger },
): Promise<{ port: number; close(): Promise<void> } | null> {
  if (port === null) return null;
  return serve(tellingHealth(healthy), { host, port, proxies: 0, now, log });
}

function tellingHealth(healthy: () => Promise<boolean>): Routes {
  return {
    "/ping": { GET: async () => new Response("PONG") },
    "/healthz": {
      GET: async () =>
        (await healthy())
          ? Response.json({ status: "ok" })
          : Response.json({ status: "degraded" }, { status: 503 }),
    },
  };
}
