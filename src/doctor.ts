import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { composeDoctor, type Instruments } from "./compose/doctor.ts";
import { type AppConfig, loadEnvironment } from "./config.ts";
import { appFindings, modelFindings } from "./core/doctor/answers.ts";
import { boundsFindings } from "./core/doctor/bounds.ts";
import { amiss, type Finding, fine, report } from "./core/doctor/finding.ts";
import { sizeFindings, storeFindings } from "./core/doctor/store.ts";
import { toError, UserError } from "./core/errors.ts";
import { OPENAI_URL } from "./core/model-offer.ts";
import { createRedactor } from "./core/redact.ts";
import { examineSettings } from "./doctor/settings.ts";
import { dataDirFindings, nearest, systemFindings } from "./doctor/system.ts";

const APP_YML = fileURLToPath(new URL("../app.yml", import.meta.url));

type Environment = Record<string, string | undefined>;

const manifest = z.object({
  default_permissions: z.record(z.string(), z.string()),
  default_events: z.array(z.string()),
});

/** Looks at everything the server needs, without changing anything; the findings in order. */
async function examine(
  config: AppConfig,
  { findings: settings, provided }: { findings: Finding[]; provided: boolean },
): Promise<Finding[]> {
  const uid = process.getuid?.();
  const instruments = await composeDoctor(config, nearest(path.dirname(config.dataDir)));
  try {
    return [
      ...settings,
      ...systemFindings(instruments.host),
      ...(await sandboxFindings(instruments)),
      ...dataDirFindings(config.dataDir, uid),
      ...(await diskFindings(config, instruments)),
      ...(settings.some(({ level }) => level === "fail") && config.credentials === null
        ? []
        : await credentialFindings(config, instruments)),
      ...(provided && config.credentials !== null
        ? await providerFindings(config, instruments)
        : []),
    ];
  } finally {
    await instruments.close();
  }
}

async function sandboxFindings({ sandbox, machine, host }: Instruments): Promise<Finding[]> {
  const boundary = await sandbox.check();
  const room = await sandbox.room();
  const { container, root } = host;
  return [
    boundary.ok
      ? fine("sandbox", "holds: a command in it got out nowhere")
      : amiss("fail", "sandbox", "does not work here, so no job runs", boundary.remedy),
    ...boundsFindings(await sandbox.bounds(), machine, {
      platform: process.platform,
      container,
      root,
    }),
    room === null
      ? fine("room", "there is disk and memory for a job")
      : amiss("fail", "room", room, "Free some, or set DRAFTSMITH_FREE_MB to less."),
  ];
}

async function diskFindings(config: AppConfig, ask: Instruments): Promise<Finding[]> {
  const { databaseUrl: url, dataDir, keep } = config;
  const parsed = url === null ? null : URL.parse(url);
  const where =
    url === null
      ? ({ engine: "SQLite", name: path.join(dataDir, "draftsmith.db") } as const)
      : ({
          engine: "PostgreSQL",
          name: parsed ? `${parsed.host}${parsed.pathname}` : "DATABASE_URL",
        } as const);
  const { looked, newest } = await ask.store();
  const { size, free } = await ask.disk();
  return [...storeFindings(looked, where, newest), ...sizeFindings(size, keep.dataMb, free)];
}

async function credentialFindings(config: AppConfig, ask: Instruments): Promise<Finding[]> {
  const { credentials } = config;
  if (credentials === null) {
    const remedy = "npm start shows a page that registers the App, until there are some.";
    return [amiss("warn", "credentials", "there are none of a GitHub App yet", remedy)];
  }
  const wanted = manifest.parse(parse(readFileSync(APP_YML, "utf8")));
  const app = await ask.app(credentials);
  return [
    fine("credentials", `App ${credentials.appId}, its key and the webhook secret can be read`),
    ...appFindings(app, config.apiUrl, {
      permissions: wanted.default_permissions,
      events: wanted.default_events,
    }),
  ];
}

/** What each provider says of the models that are to be used there. */
async function providerFindings({ offer }: AppConfig, ask: Instruments): Promise<Finding[]> {
  const wrong = [
    ...ask.offer().map((line) => amiss("fail", "models", line, null)),
    ...(await ask.rules()).map((line) => amiss("warn", "rules", line, null)),
  ];
  const found = offer.providers.map(async (provider) => {
    const answer = await ask.models(provider);
    const { host } = new URL(provider.baseUrl ?? OPENAI_URL);
    const { settings, id } = provider;
    const name = settings.baseURL === "OPENAI_BASE_URL" ? host : `${id} (${host})`;
    const named = offer.models?.filter((model) => model.provider === id);
    return modelFindings(
      answer,
      { name, settings },
      named?.map((each) => each.id) ?? [offer.usual.model],
    );
  });
  return [...wrong, ...(await Promise.all(found)).flat()];
}

async function main(): Promise<void> {
  let env: Environment = {};
  let keys: string[] = [];
  const redact = createRedactor(() => [...secretsOf(env), ...keys]);
  try {
    env = loadEnvironment();
    const found = examineSettings(env, process.cwd(), process.getuid?.());
    const { config } = found;
    keys = config.modelSecrets.map(({ value }) => value);
    const all = await examine(config, found);
    process.stdout.write(redact(report(all)));
    process.exitCode = all.some(({ level }) => level === "fail") ? 1 : 0;
  } catch (thrown) {
    const error = toError(thrown);
    const said = error instanceof UserError ? error.message : (error.stack ?? error.message);
    process.stderr.write(redact(`The doctor could not go on: ${said}\n`));
    process.exitCode = 2;
  }
}

/** Values that may stand in no line, whatever is wrong with them. */
function secretsOf(env: Environment): string[] {
  const names = ["PRIVATE_KEY", "WEBHOOK_SECRET", "WEBHOOK_SECRET_OLD", "OPENAI_API_KEY"];
  const url = env.DATABASE_URL ?? "";
  // What stands between the user's name and the last @, however the rest is written.
  const password = /^[^:]*:\/\/[^:/]*:(.*)@/s.exec(url)?.[1] ?? "";
  return [url, password, ...names.flatMap((name) => env[name] ?? [])].filter(
    (value) => value.length > 0,
  );
}

await main();
