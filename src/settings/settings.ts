import { z } from "zod";
import { readBound } from "../core/domains.ts";
import { limitSettings } from "../core/limits.ts";
import { databaseUrl, headerText, prices, serverUrl, webHost, wholeNumber } from "./forms.ts";

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

const quota = (usual: number) =>
  wholeNumber(1, 100_000, "must be a whole number from 1 to 100000").default(usual);

/** `owner/name` or `owner/*`, as GitHub spells them. */
const REPOSITORY = /^[\w-]+\/(?:\*|[\w.-]+)$/;

/** The settings by their names in the environment. */
export const settings = z.object({
  APP_ID: wholeNumber(
    1,
    Number.MAX_SAFE_INTEGER,
    "must be the number shown on the App's settings page",
  ).optional(),
  WEBHOOK_SECRET: z.string().optional(),
  WEBHOOK_SECRET_OLD: z.string().optional(),
  HOST: z.string().default("localhost"),
  PORT: wholeNumber(0, 65_535, "must be a port number from 0 to 65535").default(3000),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`).default("info"),
  GHE_HOST: webHost.optional(),
  GH_ORG: z
    .string()
    .regex(/^[\w-]+$/, "must be the name of an organisation, as in its address on GitHub")
    .optional(),
  GHE_PROTOCOL: z.enum(["https", "http"], "must be https or http").default("https"),
  OPENAI_API_KEY: headerText.optional(),
  OPENAI_BASE_URL: serverUrl.optional(),
  OPENAI_API: z
    .enum(
      ["chat", "responses"],
      "must be chat or responses; leave it out for responses at OpenAI and chat elsewhere",
    )
    .optional(),
  DRAFTSMITH_CONFIG: z.string().optional(),
  DRAFTSMITH_PRICES: prices.optional(),
  DRAFTSMITH_MODEL: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, "must be a model name without spaces")
    .default("gpt-5.1"),
  DRAFTSMITH_CONCURRENCY: wholeNumber(1, 64, "must be a whole number from 1 to 64").default(4),
  DRAFTSMITH_CONCURRENCY_PER_REPOSITORY: wholeNumber(
    1,
    64,
    "must be a whole number from 1 to 64",
  ).default(8),
  DRAFTSMITH_REPOSITORIES: z
    .string()
    .transform((list) => list.split(/[\s,]+/).filter(Boolean))
    .refine(
      (list) => list.length > 0 && list.every((entry) => REPOSITORY.test(entry)),
      "must be a list such as acme/shop, acme/tools or acme/*; leave it out for every repository the App is installed on",
    )
    .optional(),
  ...limitSettings,
  DRAFTSMITH_JOBS_PER_PERSON: quota(30),
  DRAFTSMITH_JOBS_PER_REPOSITORY: quota(100),
  DRAFTSMITH_JOBS_PER_INSTALLATION: quota(300),
  DRAFTSMITH_COMMANDS_PER_HOUR: quota(60),
  DRAFTSMITH_DATA_MB: wholeNumber(
    256,
    1_000_000_000,
    "must be a whole number of megabytes from 256; leave it out for 20480",
  ).default(20_480),
  DRAFTSMITH_KEEP_DAYS: wholeNumber(
    7,
    3_650,
    "must be a whole number of days from 7 to 3650; leave it out for 90",
  ).default(90),
  DRAFTSMITH_NETWORK: z
    .string()
    .transform((text, context) => {
      const bound = readBound(text);
      if ("domains" in bound) return bound.domains;
      context.addIssue({ code: "custom", message: bound.problem });
      return z.NEVER;
    })
    .optional(),
  DRAFTSMITH_HEALTH_PORT: wholeNumber(
    0,
    65_535,
    "must be a port number from 0 to 65535; leave it out and a worker opens none",
  ).optional(),
  DRAFTSMITH_TRUST_PROXY: wholeNumber(
    0,
    10,
    "must be the number of reverse proxies in front of the server, from 0 to 10",
  ).default(0),
  DATABASE_URL: databaseUrl.optional(),
  SKILLS_DIR: z.string().optional(),
  DATA_DIR: z.string().default("data"),
});

/** Those that are Draftsmith's alone: another one of that prefix is a slip. */
export const ownSettings = Object.keys(settings.shape).filter((name) =>
  name.startsWith("DRAFTSMITH_"),
);
