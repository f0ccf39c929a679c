import { devNull } from "node:os";
import path from "node:path";
import { type AppConfig, readConfig } from "../config.ts";
import { amiss, type Finding, fine } from "../core/doctor/finding.ts";
import { UserError } from "../core/errors.ts";
import { OPENAI_URL } from "../core/model-offer.ts";

type Environment = Record<string, string | undefined>;

/** Variables that make sense together only. */
const CREDENTIALS = ["APP_ID", "PRIVATE_KEY", "PRIVATE_KEY_PATH", "WEBHOOK_SECRET"];
/** Rounds of leaving out what is wrong; each names everything that is. */
const MAX_ROUNDS = 5;

/**
 * Reads the settings as the server does. What is wrong becomes a finding and is left out, so that the
 * rest can be examined all the same; `provided` is false when that are the providers of models.
 */
export function examineSettings(
  env: Environment,
  cwd: string,
  uid: number | undefined,
): { config: AppConfig; findings: Finding[]; provided: boolean } {
  const findings: Finding[] = [];
  let given: Environment = { ...env, DATA_DIR: path.resolve(cwd, env.DATA_DIR || "data") };
  let dir = cwd;
  let provided = true;
  for (let round = 0; ; round += 1) {
    try {
      const config = readConfig(given, dir, uid);
      if (findings.length === 0) findings.push(fine("settings", "they can be read"));
      findings.push(...config.warnings.map((text) => amiss("warn", "settings", text, null)));
      return { config, findings, provided };
    } catch (error) {
      if (!(error instanceof UserError) || round === MAX_ROUNDS) throw error;
      const problems = error.message.split("\n  ").slice(1);
      const names = problems.map((problem) => problem.split(":")[0] ?? "");
      findings.push(...problems.map(toFinding));
      const unusable = CREDENTIALS.some((name) => names.includes(name)) ? CREDENTIALS : [];
      const left = [...names, ...unusable];
      given = Object.fromEntries(Object.entries(given).filter(([name]) => !left.includes(name)));
      // Of draftsmith.yml nothing can be left out but the whole.
      const file = names.some((name) => !/^[A-Z_]+$/.test(name));
      if (file) given.DRAFTSMITH_CONFIG = devNull;
      // Without a provider the rest would not be read.
      if (file || names.includes("OPENAI_API_KEY")) {
        given.OPENAI_BASE_URL = OPENAI_URL;
        provided = false;
      }
      // A key may also lie in the working directory.
      if (unusable.length > 0) dir = path.parse(cwd).root;
    }
  }
}

/** A problem reads "NAME: what is wrong; what to do". */
function toFinding(problem: string): Finding {
  const [, name = "settings", said = problem] = /^(\w+): (.*)$/s.exec(problem) ?? [];
  return amiss("fail", name, said, null);
}
