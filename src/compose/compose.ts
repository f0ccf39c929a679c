import { createPrivateKey, randomUUID } from "node:crypto";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { createGit } from "../adapters/git/git.ts";
import { createGitHub } from "../adapters/github/github.ts";
import { createKillSwitch } from "../adapters/kill-switch.ts";
import { placeId } from "../adapters/place-id.ts";
import { createLocalQueue } from "../adapters/queue/local.ts";
import { createPostgresQueue } from "../adapters/queue/postgres.ts";
import { createInternet } from "../adapters/sandbox/network/internet.ts";
import { createSandbox } from "../adapters/sandbox.ts";
import { createSecretScanner } from "../adapters/secret-scanner.ts";
import { lockDataDir } from "../adapters/store/lock.ts";
import { openStore } from "../adapters/store/store.ts";
import { makeDirectories } from "../adapters/work-dir.ts";
import type { AppConfig, Credentials } from "../config.ts";
import { UserError } from "../core/errors.ts";
import { limitsOf } from "../core/limits.ts";
import { hasLimits } from "../core/pace.ts";
import type { ProcessRole } from "../core/process-role.ts";
import { createRedactor } from "../core/redact.ts";
import { canRun } from "../core/sandbox-port.ts";
import { allow } from "../jobs/allow.ts";
import { createAuthors } from "../jobs/authors.ts";
import { watchDeliveries } from "../jobs/deliveries.ts";
import { follow } from "../jobs/follow-rename.ts";
import { createHealth } from "../jobs/health.ts";
import { createJanitor } from "../jobs/janitor.ts";
import { createNeighbours } from "../jobs/neighbours.ts";
import { createOutbox } from "../jobs/outbox.ts";
import { tellPlaces } from "../jobs/places.ts";
import { tellPresence } from "../jobs/presence.ts";
import { stopJobs } from "../jobs/stop.ts";
import { createWorker } from "../jobs/worker.ts";
import { createLog } from "../log.ts";
import { createSecrets } from "../settings/secrets.ts";
import { openDoors, openHealth } from "./doors.ts";
import { MONOTONIC, openModels, openProviders } from "./models.ts";
import { ownSkills } from "./own-skills.ts";

/** How long a step may take that is under way when the server stops, in ms. */
const GRACE_MS = 18_000;

/** Comes between a port and its adapter; tests let things fail there. */
export type Wrap = <T extends object>(port: string, adapter: T) => T;

/** Joins adapters to ports and starts what the role asks for; `port` is null where nothing listens. */
export async function compose(
  config: AppConfig & { credentials: Credentials; role: ProcessRole },
  wrap: Wrap = (_port, adapter) => adapter,
): Promise<{ port: number | null; log: Logger; stop(how?: { crashed: boolean }): Promise<void> }> {
  const { credentials, sandboxUser: user, databaseUrl: url, role } = config;
  const now = () => Date.now();
  const works = role !== "web";
  const models = openModels(config.offer);
  const { secrets, remember } = createSecrets(config);
  const redact = createRedactor(secrets);
  const redactOwn = createRedactor(secrets, { own: true });
  const log = createLog(config.logLevel, redact);
  for (const warning of config.warnings) log.warn(warning);
  // Beside a worker on the same machine: it has its files elsewhere.
  const wantedDir = works ? config.dataDir : path.join(config.dataDir, "web");
  const { dataDir, workDir } = makeDirectories(wantedDir, user);
  const lock = works ? lockDataDir(dataDir) : null;
  const place = placeId(dataDir);
  const owner = `${place}/${randomUUID()}`;
  const shared = url === null ? null : createPostgresQueue({ url, log });
  const file = path.join(dataDir, "draftsmith.db");
  const store = wrap(
    "store",
    await openStore(url === null ? { file } : { url, log }, shared?.announce),
  );
  await shared?.open({ works });
  const queue = shared?.queue ?? createLocalQueue({ log });
  const sandbox = wrap(
    "sandbox",
    createSandbox({
      user,
      hidden: [dataDir, workDir, config.dataDir, config.home],
      toolPath: config.toolPath,
      runtimeDir: path.join(workDir, "runtime"),
      network: config.network,
      internet: createInternet(),
      limits: (machine) => limitsOf(config.limits, machine, config.concurrency),
      log,
    }),
  );
  const git = wrap(
    "git",
    createGit({
      workDir,
      sandbox,
      user,
      remoteUrl: (repo) => `${config.webUrl}/${repo.owner}/${repo.name}.git`,
      log,
    }),
  );
  const github = wrap(
    "github",
    createGitHub({
      appId: credentials.appId,
      privateKey: createPrivateKey(credentials.privateKey),
      baseUrl: config.apiUrl,
      log,
      git,
      shared: store,
      onToken: remember,
    }),
  );
  if (works) {
    // Whoever had this place before is dead: only one process can have it.
    const left = await store.releaseAll(place);
    if (left > 0) log.info({ jobs: left }, "jobs of a server that died go on");
    // Before the first job: its workspace must not be taken for a leftover.
    await git.sweep(new Set(await store.unfinished()));
  }
  const catalogue = await ownSkills(config);
  const { skills } = catalogue;
  for (const problem of catalogue.problems) log.warn(problem, "a skill was left out");
  for (const line of catalogue.rules) log.warn(line);
  for (const { name, instead } of skills.filter((skill) => skill.instead.length > 0))
    log.info({ skill: name, instead }, "the operator's skill counts in place of another");
  const providers = openProviders(config.offer, {
    redact: redactOwn,
    log,
    wrap: (provider) => wrap("model", provider),
  });
  // Of the machine, whatever works on it.
  const killSwitch = createKillSwitch(config.dataDir);
  const outbox = createOutbox({
    store,
    owner,
    byGit: works,
    paced: hasLimits(config.apiUrl),
    killSwitch,
    performer: github,
    follow: (repo) => follow(repo, { places: github, renames: store, log }),
    redact,
    now,
    log,
  });
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
    snapshots: store,
    claims: store,
    stops: store,
    outbox,
    access: github,
    places: github,
    renames: store,
    workspaces: git,
    shelves: url !== null,
    objects: git,
    scanner: createSecretScanner(secrets),
    sandbox,
    ledger: store,
    providers,
    resolve: models.resolve,
    clock: MONOTONIC,
    budgets: config.offer.budgets,
    skills: catalogue,
    homes: github,
    ...{ trees: git, shelf: git },
    webHost: new URL(config.webUrl).host,
    authors: createAuthors(log),
    neighbours: createNeighbours({
      ...{ commands: store, jobs: store, objects: git, workspaces: git, github, outbox },
    }),
    redact,
    owner,
    worker: place,
    perRepository: config.perRepository,
    full: () => janitor.full(),
  };
  const worker = createWorker(jobDeps);
  const janitor = createJanitor({
    premises: wrap("premises", { ...git.premises, size: () => git.premises.size(dataDir) }),
    leftovers: store,
    shared: store,
    outbox,
    busy: worker.at,
    owner,
    worker: place,
    keep: config.keep,
    log,
  });
  const sandboxHolds = async () => {
    const boundary = await sandbox.check();
    // Too busy to tell: as before.
    if (!boundary.ok && !boundary.passing) throw new UserError(boundary.remedy);
  };
  const parts = { database: () => store.ready() };
  let deliveries: ReturnType<typeof watchDeliveries> | null = null;
  const healthy = createHealth({
    parts: works ? { ...parts, sandbox: sandboxHolds } : parts,
    log,
  });
  const doors =
    role === "worker"
      ? null
      : await openDoors(config, {
          submit: {
            ...gateDeps,
            ...{ intake: store, commands: store, stops: store, figures: store, outbox },
            self: github,
            // A worker looks for itself before it works.
            sandbox: works ? sandbox : { check: async () => ({ ok: true }) },
            skills,
            homes: github,
            models,
            stop: async (request) => {
              const told = await stopJobs(request, { ...jobDeps, allowances: store });
              if (works) worker.heed();
              return told;
            },
            allow: (request) => allow(request, { ...jobDeps, allowances: store }),
            redact: redactOwn,
            start: queue.wake,
          },
          healthy,
          turnedAway: () => deliveries?.soon(),
          log,
        });
  const health = role === "worker" ? await openHealth(config, { healthy, now, log }) : null;
  if (works) {
    const boundary = await sandbox.check();
    if (!canRun(boundary)) log.error({ boundary }, "no working sandbox: no job will run here");
  }
  const paused = await killSwitch.paused();
  if (paused !== null) {
    const at = path.join(config.dataDir, "paused");
    log.warn(
      { reason: paused, file: at },
      "paused: nothing starts or is published while the file is there",
    );
  }
  outbox.wake();
  const watched = { github, deliveries: store, shared: store, owner, now, log };
  if (doors) deliveries = watchDeliveries(watched);
  const places = tellPlaces({ queue: store, shared: store, outbox, owner, now, log });
  let presence: ReturnType<typeof tellPresence> | null = null;
  if (works) {
    presence = tellPresence(
      {
        id: place,
        slots: async () => (canRun(await sandbox.check()) ? config.concurrency : 0),
        busy: worker.busy,
      },
      { shared: store, workspaces: git, log },
    );
    worker.start();
    await queue.start(config.concurrency, worker.serve);
    janitor.start();
  }
  if (doors) {
    const { host } = config;
    log.info({ host, port: doors.port, skills: skills.length }, "Draftsmith listens");
  } else {
    const { concurrency: slots } = config;
    log.info({ slots, health: health?.port, skills: skills.length }, "Draftsmith works");
  }
  return {
    port: doors?.port ?? null,
    log,
    async stop({ crashed } = { crashed: false }) {
      // From here on nothing new comes in; what was begun is answered, and the steps under way end.
      const quiet = Promise.all([deliveries?.stop(), places.stop(), presence?.stop()]);
      const closed = Promise.all([doors?.close(), health?.close()]);
      const idle = queue.stop();
      worker.wind();
      // After a crash less can be relied on: what still runs goes on at the next start.
      if (!crashed) await Promise.race([idle, sleep(GRACE_MS, undefined, { ref: false })]);
      // Together: a job may be waiting for a write or a command that only ends with its own part.
      const working = [idle, worker.stop(), outbox.stop(), sandbox.stop(), janitor.stop()];
      await Promise.all([closed, quiet, ...working]);
      await github.stop();
      await shared?.close();
      await store.close();
      lock?.release();
    },
  };
}
