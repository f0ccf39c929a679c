import { createPrivateKey, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { Probot } from "probot";
import { parse } from "yaml";
import { z } from "zod";
import { createEnvFile } from "./adapters/env-file.ts";
import { createGit } from "./adapters/git/git.ts";
import { convertManifest } from "./adapters/github/app-manifest.ts";
import { createGitHub } from "./adapters/github/github.ts";
import { createKillSwitch } from "./adapters/kill-switch.ts";
import { createModel } from "./adapters/openai.ts";
import { priceOf } from "./adapters/prices.ts";
import { createInternet } from "./adapters/sandbox/network/internet.ts";
import { createSandbox } from "./adapters/sandbox.ts";
import { createSecretScanner } from "./adapters/secret-scanner.ts";
import { lockDataDir } from "./adapters/store/lock.ts";
import { openStore } from "./adapters/store/store.ts";
import { makeDirectories } from "./adapters/work-dir.ts";
import { serve } from "./api/server.ts";
import { isLocalName } from "./api/setup-guard.ts";
import { setupRoutes } from "./api/setup-page.ts";
import { createVerify } from "./api/signature.ts";
import { createWebhookDoor } from "./api/webhook.ts";
import { createApp } from "./app.ts";
import type { AppConfig, Credentials } from "./config.ts";
import { toError, UserError } from "./core/errors.ts";
import { limitsOf } from "./core/limits.ts";
import { createRedactor } from "./core/redact.ts";
import { redactedModel } from "./core/redacted-model.ts";
import { allow } from "./jobs/allow.ts";
import { createAuthors } from "./jobs/authors.ts";
import { createNeighbours } from "./jobs/neighbours.ts";
import { createOutbox } from "./jobs/outbox.ts";
import { runJob } from "./jobs/run-job.ts";
import { createRunner } from "./jobs/runner.ts";
import { createLog } from "./log.ts";
import { loadSkills } from "./skills/load.ts";

/** Installation tokens that are kept out of texts. */
const MAX_TOKENS = 200;

/** What Apps are registered from, unless the working directory has its own. */
const APP_YML = fileURLToPath(new URL("../app.yml", import.meta.url));

const SKILLS_DIR = fileURLToPath(new URL("./skills/", import.meta.url));

/** Joins adapters to ports and starts everything: store, outbox, unfinished jobs, web server. */
export async function compose(
  config: AppConfig & { credentials: Credentials },
): Promise<{ port: number; log: Logger; stop(): Promise<void> }> {
  const { credentials, dataDir: wantedDir, sandboxUser: user } = config;
  const now = () => Date.now();
  const tokens = new Set<string>();
  const secrets = () => [
    credentials.privateKey,
    credentials.webhookSecret,
    ...(credentials.oldWebhookSecret ? [credentials.oldWebhookSecret] : []),
    ...(config.openaiKey ? [config.openaiKey] : []),
    ...tokens,
  ];
  const redact = createRedactor(secrets);
  const log = createLog(config.logLevel, redact);
  for (const warning of config.warnings) log.warn(warning);
  const remember = (token: string, alive: boolean) => {
    if (alive) tokens.add(token);
    else tokens.delete(token);
    // They live an hour; the oldest are long dead.
    for (const old of [...tokens].slice(0, -MAX_TOKENS)) tokens.delete(old);
  };
  const { dataDir, workDir } = makeDirectories(wantedDir, user);
  const lock = lockDataDir(dataDir);
  const store = await openStore({ file: path.join(dataDir, "draftsmith.db") });
  const sandbox = createSandbox({
    user,
    hidden: [dataDir, workDir, config.home],
    toolPath: config.toolPath,
    runtimeDir: path.join(workDir, "runtime"),
    network: config.network,
    internet: createInternet(),
    limits: (machine) => limitsOf(config.limits, machine, config.concurrency),
    log,
  });
  const git = createGit({
    workDir,
    sandbox,
    user,
    remoteUrl: (repo) => `${config.webUrl}/${repo.owner}/${repo.name}.git`,
    log,
  });
  const github = createGitHub({
    appId: credentials.appId,
    privateKey: createPrivateKey(credentials.privateKey),
    baseUrl: config.apiUrl,
    log,
    git,
    onToken: remember,
  });
  // Before the first webhook: a new job's workspace must not be taken for a leftover.
  const unfinished = await store.unfinished();
  await git.sweep(new Set(unfinished));
  const { skills, problems } = await loadSkills(SKILLS_DIR);
  for (const problem of problems) log.warn(problem, "a skill was left out");
  const redactOwn = createRedactor(secrets, { own: true });
  const model = redactedModel(
    createModel({ apiKey: config.openaiKey, baseURL: config.openaiUrl, log }),
    redactOwn,
  );
  const killSwitch = createKillSwitch(dataDir);
  const outbox = createOutbox({
    store,
    jobs: store,
    killSwitch,
    performer: github,
    redact,
    now,
    log,
  });
  const neighbours = createNeighbours({ commands: store, jobs: store, objects: git, outbox });
  const gateDeps = {
    github,
    killSwitch,
    repositories: config.repositories,
    network: config.network,
    quotas: config.quotas,
    now,
    log,
  };
  const jobDeps = {
    ...gateDeps,
    commands: store,
    jobs: store,
    outbox,
    github,
    access: github,
    workspaces: git,
    objects: git,
    scanner: createSecretScanner(secrets),
    sandbox,
    model,
    price: priceOf,
    skills,
    webHost: new URL(config.webUrl).host,
    authors: createAuthors(log),
    neighbours,
    redact,
    now,
    log,
  };
  const runner = createRunner({
    concurrency: config.concurrency,
    run: (jobId, signal) => runJob(jobId, jobDeps, signal),
    now,
    log,
  });
  const probot = new Probot({
    appId: credentials.appId,
    // It only hands on what came through our own door: it signs and verifies nothing.
    privateKey: "not given",
    secret: "not given",
    baseUrl: config.apiUrl,
    // At debug level Probot would log whole payloads.
    log: log.child(
      {},
      {
        level:
          config.logLevel === "debug" || config.logLevel === "trace" ? "info" : config.logLevel,
      },
    ),
  });
  await probot.load(
    createApp({
      ...gateDeps,
      intake: store,
      commands: store,
      outbox,
      sandbox,
      skills,
      model: config.model,
      allow: (request) => allow(request, { ...jobDeps, allowances: store }),
      redact: redactOwn,
      start: runner.start,
    }),
  );
  const webhook = createWebhookDoor({
    verify: createVerify([
      credentials.webhookSecret,
      ...(credentials.oldWebhookSecret ? [credentials.oldWebhookSecret] : []),
    ]),
    receive: (event) => probot.receive(event as Parameters<Probot["receive"]>[0]),
    now,
    log,
  });
  const server = await serve(
    {
      "/api/github/webhooks": { POST: webhook },
      // Probot's set-up page registered Apps with the bare address of the server.
      "/": { POST: webhook },
      "/ping": { GET: async () => new Response("PONG") },
      "/healthz": {
        GET: async () => {
          const boundary = await sandbox.check();
          const healthy =
            boundary.ok &&
            (await store.ready().then(
              () => true,
              () => false,
            ));
          return Response.json(
            { status: healthy ? "ok" : "degraded" },
            { status: healthy ? 200 : 503 },
          );
        },
      },
    },
    { host: config.host, port: config.port, proxies: config.trustProxy, now, log },
  );
  const boundary = await sandbox.check();
  if (!boundary.ok) log.error({ remedy: boundary.remedy }, "no working sandbox: no job will run");
  const paused = await killSwitch.paused();
  if (paused !== null) {
    const file = path.join(dataDir, "paused");
    log.warn(
      { reason: paused, file },
      "paused: nothing starts or is published while the file is there",
    );
  }
  outbox.wake();
  runner.start(unfinished);
  const { port } = server;
  log.info({ host: config.host, port, skills: skills.length }, "Draftsmith listens");
  return {
    port,
    log,
    async stop() {
      await server.close();
      // Together: a job may be waiting for a write or a command that only ends with its own part.
      await Promise.all([runner.stop(), outbox.stop(), sandbox.stop()]);
      await github.stop();
      await store.close();
      lock.release();
    },
  };
}

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
