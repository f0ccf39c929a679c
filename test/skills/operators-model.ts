import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { openModels } from "../../src/compose/models.ts";
import { readConfig } from "../../src/config.ts";
import { UserError } from "../../src/core/errors.ts";

/** What the product has to be given for the models of the operator. */
export interface OperatorsModel {
  env: Record<string, string>;
  model: string;
  /** Jobs at the same time. */
  concurrency: number;
}

/**
 * Reads the operator's settings of models as a server would: `env` gives them to another one. `asked` is a
 * model named instead of the usual one. Throws UserError on settings with which no model could be asked.
 */
export function operatorsModel(
  env: Record<string, string | undefined>,
  cwd: string,
  asked: string | undefined,
): OperatorsModel {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const given = Object.fromEntries(
    Object.entries({
      ...env,
      ...(asked !== undefined && { DRAFTSMITH_MODEL: asked }),
    }).filter(([name, value]) => value !== "" && !GITHUBS.includes(name)),
  );
  // Without credentials of an App keys may be missing, and here they may not.
  const app = { APP_ID: "1", PRIVATE_KEY: privateKey, WEBHOOK_SECRET: "of-nobody-in-particular" };
  const config = readConfig({ ...given, ...app }, cwd, undefined);
  const model = asked ?? config.model;
  const found = openModels(config.offer).resolve(model);
  if (!found.ok) throw new UserError(`${found.problem}.`);
  const file = path.resolve(cwd, given.DRAFTSMITH_CONFIG ?? "draftsmith.yml");
  const own = ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API", "DRAFTSMITH_PRICES"];
  const names = [...own, ...config.modelSecrets.map(({ variable }) => variable)];
  return {
    env: {
      // What a world sets by itself must not stay.
      ...Object.fromEntries(names.map((name) => [name, given[name] ?? ""])),
      DRAFTSMITH_MODEL: config.offer.usualIn === "file" ? "" : model,
      ...(existsSync(file) && { DRAFTSMITH_CONFIG: file }),
    },
    model,
    concurrency: config.concurrency,
  };
}

/** Settings of another server that have nothing to do with models. */
const GITHUBS = ["PRIVATE_KEY_PATH", "GHE_HOST", "NODE_ENV", "DATABASE_URL", "SKILLS_DIR"];
