import { createPrivateKey } from "node:crypto";
import { statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { getPrivateKey } from "@probot/get-private-key";
import { examineModels } from "./compose/models.ts";
import { toError, UserError } from "./core/errors.ts";
import { type AskedLimits, askedLimits } from "./core/limits.ts";
import type { ModelOffer } from "./core/model-offer.ts";
import type { Quotas } from "./core/policy.ts";
import { PROCESS_ROLES, type ProcessRole } from "./core/process-role.ts";
import { readEnvText } from "./settings/env-text.ts";
import { offerOf } from "./settings/offer.ts";
import { openSecretFiles } from "./settings/open-files.ts";
import { readOperatorFile } from "./settings/operator-file.ts";
import { scrubEnvironment } from "./settings/scrub-environment.ts";
import { ownSettings, settings } from "./settings/settings.ts";
import { toolPath } from "./tool-path.ts";

/** What the App needs to speak as itself. */
export interface Credentials {
  appId: number;
  privateKey: string;
  webhookSecret: string;
  /** The secret before this one, taken as long as it is set; null without one. */
  oldWebhookSecret: string | null;
}

/** Everything the environment decides, checked once at the start. */
export interface AppConfig {
  /** Null: no credentials yet, show the set-up page. */
  credentials: Credentials | null;
  host: string;
  port: number;
  /** Where a worker tells whether it is well; null: nowhere. */
  healthPort: number | null;
  /** Reverse proxies in front of the server whose X-Forwarded-For is believed. */
  trustProxy: number;
  logLevel: "trace" | "debug" | "info" | "warn" | "error" | "fatal";
  /** REST base URL and web base URL of GitHub or a GitHub Enterprise host, without trailing slash. */
  apiUrl: string;
  webUrl: string;
  /** Page on which Apps are registered: a person's, or with GH_ORG an organisation's. */
  registerUrl: string;
  openaiKey: string | undefined;
  openaiUrl: string | undefined;
  /** The model of a job that no rule chooses for. */
  model: string;
  /** Providers, models, rules and budgets. */
  offer: ModelOffer;
  /** Keys of providers and secret values of their headers, by their variables. */
  modelSecrets: { variable: string; value: string }[];
  /** Jobs that run at the same time. */
  concurrency: number;
  /** Of one repository at the same time, all workers together. */
  perRepository: number;
  /** Repositories it works for, as `owner/name` or `owner/*`; null: all that the App is installed on. */
  repositories: string[] | null;
  /** By default 30 open jobs of a person, 100 of a repository, 300 of an installation; 60 commands an hour. */
  quotas: Quotas;
  /** Domains of which repositories may allow some to their commands; null: any public one. */
  network: string[] | null;
  /** What jobs may use of the machine. */
  limits: AskedLimits;
  /** What DATA_DIR may take of the disk, in MB, and how long the rows of ended jobs are kept, in days. */
  keep: { dataMb: number; days: number };
  role: ProcessRole;
  /** Of a PostgreSQL database that processes share; null: SQLite in the data directory. */
  databaseUrl: string | null;
  /** Absolute. */
  dataDir: string;
  /** A folder with skills of the operator, absolute; null: none. */
  skillsDir: string | null;
  /** Directories on the PATH of commands in the sandbox, colon-separated. */
  toolPath: string;
  home: string;
  /** The uid that sandboxed commands run as when the server itself is root. */
  sandboxUser: { uid: number; gid: number } | null;
  /** What works and should be mended all the same, each with its remedy. */
  warnings: string[];
}

const GITHUB = "https://github.com";

/** No account has it on common systems (systemd leaves 60578–61183 unassigned). */
const SANDBOX_UID = 60801;

const SECRETS = [
  "PRIVATE_KEY",
  "WEBHOOK_SECRET",
  "WEBHOOK_SECRET_OLD",
  "OPENAI_API_KEY",
  "DATABASE_URL",
] as const;

/** GitHub recommends a random string of high entropy; this one could be guessed from one webhook. */
const SHORT_SECRET = 16;

/**
 * Reads the settings. Throws one UserError that names every wrong variable with its remedy.
 * Empty variables count as absent, as in most deployment tools.
 */
export function readConfig(
  env: Record<string, string | undefined>,
  cwd: string,
  uid: number | undefined,
  args: string[] = [],
): AppConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const problems: string[] = [];
  const asked = PROCESS_ROLES.find((each) => each === (args[0] ?? "all"));
  if (asked === undefined || args.length > 1) {
    problems.push(
      `${args.join(" ")}: is not a role; there are web and worker, and both without one`,
    );
  }
  const role = asked ?? "all";
  if (role !== "all" && given.DATABASE_URL === undefined) {
    problems.push(
      `DATABASE_URL: is missing; a ${role} process shares a PostgreSQL database with the others, such as postgres://user@host:5432/draftsmith with \`:\` and the password behind the user`,
    );
  }
  const parsed = settings.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    problems.push(`${issue.path.join(".")}: ${issue.message}`);
  }
  for (const name of Object.keys(given)) {
    if (name.startsWith("DRAFTSMITH_") && !ownSettings.includes(name)) {
      problems.push(
        `${name}: is not a setting; there are ${ownSettings.slice(0, -1).join(", ")} and ${ownSettings.at(-1)}`,
      );
    }
  }
  let privateKey: string | null = null;
  try {
    privateKey = getPrivateKey({ env: given, cwd });
    if (privateKey !== null && createPrivateKey(privateKey).asymmetricKeyType !== "rsa") {
      throw new Error("it is no RSA key, which GitHub's are");
    }
  } catch (error) {
    problems.push(
      `PRIVATE_KEY: cannot be read as a PEM private key (${toError(error).message}); copy the whole .pem file that GitHub gave you`,
    );
  }
  const skillsDir = given.SKILLS_DIR === undefined ? null : path.resolve(cwd, given.SKILLS_DIR);
  if (
    skillsDir !== null &&
    statSync(skillsDir, { throwIfNoEntry: false })?.isDirectory() !== true
  ) {
    problems.push(
      `SKILLS_DIR: ${skillsDir} is no folder; make it, name the one that holds the skills, or leave SKILLS_DIR out`,
    );
  }
  const operator = readOperatorFile(given.DRAFTSMITH_CONFIG, cwd);
  problems.push(...operator.problems);
  const ownProviders = operator.file?.config.providers !== undefined;
  const wantsToServe = given.APP_ID !== undefined || privateKey !== null;
  if (wantsToServe) {
    if (given.APP_ID === undefined) {
      problems.push("APP_ID: is missing; it is the number on the App's settings page");
    }
    if (privateKey === null && !problems.some((line) => line.startsWith("PRIVATE_KEY"))) {
      problems.push(
        "PRIVATE_KEY: is missing; generate a private key on the App's settings page and set PRIVATE_KEY to its text or PRIVATE_KEY_PATH to its file",
      );
    }
    if (given.WEBHOOK_SECRET === undefined) {
      problems.push(
        "WEBHOOK_SECRET: is missing; without it anyone could send commands. Set the same secret here and on the App's settings page",
      );
    }
    if (
      role !== "web" &&
      !ownProviders &&
      operator.problems.length === 0 &&
      given.OPENAI_API_KEY === undefined &&
      given.OPENAI_BASE_URL === undefined
    ) {
      problems.push(
        "OPENAI_API_KEY: is missing; set it, or set OPENAI_BASE_URL to a model server that needs no key",
      );
    }
  }
  if (!wantsToServe && given.NODE_ENV === "production") {
    problems.push(
      "APP_ID: is missing; the page that registers an App is not shown with NODE_ENV=production. Leave that out once, or set APP_ID, PRIVATE_KEY and WEBHOOK_SECRET",
    );
  }
  const { offer, secrets, ...told } = offerOf(operator.file, {
    valueOf: (variable) => given[variable],
    reserved: Object.keys(settings.shape)
      .concat(SECRETS)
      .filter((name) => name !== "OPENAI_API_KEY"),
    key: parsed.data?.OPENAI_API_KEY,
    baseUrl: parsed.data?.OPENAI_BASE_URL,
    api: parsed.data?.OPENAI_API,
    model: given.DRAFTSMITH_MODEL,
    usualModel: parsed.data?.DRAFTSMITH_MODEL ?? "",
    price: parsed.data?.DRAFTSMITH_PRICES ?? null,
    asks: role !== "web" && wantsToServe,
  });
  problems.push(...told.problems);
  // What does not fit together is told at once, by the catalogue as well.
  if (told.problems.length > 0) problems.push(...besides(told.problems, examineModels(offer)));
  problems.sort((one, other) => lineOf(one) - lineOf(other));
  if (problems.length > 0 || !parsed.success) {
    throw new UserError(
      `Draftsmith cannot start:\n${[...new Set(problems)].map((line) => `  ${line}`).join("\n")}`,
    );
  }
  const value = parsed.data;
  const github = value.GHE_HOST ? `${value.GHE_PROTOCOL}://${value.GHE_HOST}` : null;
  return {
    credentials:
      value.APP_ID !== undefined && privateKey !== null && value.WEBHOOK_SECRET !== undefined
        ? {
            appId: value.APP_ID,
            privateKey,
            webhookSecret: value.WEBHOOK_SECRET,
            oldWebhookSecret: value.WEBHOOK_SECRET_OLD ?? null,
          }
        : null,
    host: value.HOST,
    port: value.PORT,
    healthPort: value.DRAFTSMITH_HEALTH_PORT ?? null,
    trustProxy: value.DRAFTSMITH_TRUST_PROXY,
    logLevel: value.LOG_LEVEL,
    apiUrl: github ? `${github}/api/v3` : "https://api.github.com",
    webUrl: github ?? GITHUB,
    registerUrl: `${github ?? GITHUB}${value.GH_ORG ? `/organizations/${value.GH_ORG}` : ""}/settings/apps/new`,
    openaiKey: value.OPENAI_API_KEY,
    openaiUrl: value.OPENAI_BASE_URL,
    model: offer.usual.model,
    offer,
    modelSecrets: secrets,
    concurrency: value.DRAFTSMITH_CONCURRENCY,
    perRepository: value.DRAFTSMITH_CONCURRENCY_PER_REPOSITORY,
    limits: askedLimits(value),
    repositories: value.DRAFTSMITH_REPOSITORIES ?? null,
    quotas: {
      person: value.DRAFTSMITH_JOBS_PER_PERSON,
      repository: value.DRAFTSMITH_JOBS_PER_REPOSITORY,
      installation: value.DRAFTSMITH_JOBS_PER_INSTALLATION,
      commandsPerHour: value.DRAFTSMITH_COMMANDS_PER_HOUR,
    },
    network: value.DRAFTSMITH_NETWORK ?? null,
    keep: { dataMb: value.DRAFTSMITH_DATA_MB, days: value.DRAFTSMITH_KEEP_DAYS },
    role,
    databaseUrl: value.DATABASE_URL ?? null,
    dataDir: path.resolve(cwd, value.DATA_DIR),
    skillsDir,
    toolPath: toolPath(given.PATH),
    home: given.HOME ?? homedir(),
    sandboxUser: uid === 0 ? { uid: SANDBOX_UID, gid: SANDBOX_UID } : null,
    warnings: [
      ...told.warnings,
      ...openSecretFiles(given, cwd),
      ...(value.WEBHOOK_SECRET !== undefined && value.WEBHOOK_SECRET.length < SHORT_SECRET
        ? [
            `WEBHOOK_SECRET is short; set a random one of ${2 * SHORT_SECRET} characters here and on the App's settings page`,
          ]
        : []),
    ],
  };
}

/** Of a problem of draftsmith.yml, those of the environment come first. */
function lineOf(problem: string): number {
  return Number(/^[^ ]+:(\d+): /.exec(problem)?.[1] ?? 0);
}

/** Problems on other lines than those that are told already, whose consequences they mostly are. */
function besides(told: string[], problems: string[]): string[] {
  const known = told.map(lineOf);
  return problems.filter((problem) => lineOf(problem) === 0 || !known.includes(lineOf(problem)));
}

/** The environment of this process. A `.env` file in the working directory is read first, as Probot does. */
export function loadEnvironment(): Record<string, string | undefined> {
  for (const [name, value] of Object.entries(readEnvText(".env"))) process.env[name] ??= value;
  return { ...process.env };
}

/** Settings of this process; `args` are the words behind the program's name. */
export function loadConfig(args: string[]): AppConfig {
  const config = readConfig(loadEnvironment(), process.cwd(), process.getuid?.(), args);
  if (config.credentials) {
    // From here on only this process's memory holds them: a child that inherits by mistake gets nothing.
    const names = [...SECRETS, ...config.modelSecrets.map(({ variable }) => variable)];
    for (const name of names) delete process.env[name];
    for (const name of scrubEnvironment(names)) {
      config.warnings.push(
        `${name} stays readable for this user in /proc/${process.pid}/environ; put it into .env instead`,
      );
    }
  }
  return config;
}
