import { createPrivateKey } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { diskUse } from "../adapters/git/disk-use.ts";
import { describeApp } from "../adapters/github/describe-app.ts";
import { listModels } from "../adapters/openai/list-models.ts";
import { describeHost } from "../adapters/sandbox/host.ts";
import { describeMachine, diskState } from "../adapters/sandbox/machine.ts";
import { createInternet } from "../adapters/sandbox/network/internet.ts";
import { createSandbox } from "../adapters/sandbox.ts";
import { examinePostgres, examineSqlite, type StoreAnswer } from "../adapters/store/examine.ts";
import { NEWEST_SCHEMA } from "../adapters/store/migrations.ts";
import { makeDirectories } from "../adapters/work-dir.ts";
import type { AppConfig, Credentials } from "../config.ts";
import type { AppAnswer, ModelAnswer } from "../core/doctor/answers.ts";
import { toError } from "../core/errors.ts";
import { type Holding, limitsOf, type Machine } from "../core/limits.ts";
import { OPENAI_URL, type ProviderSettings } from "../core/model-offer.ts";
import type { Sandbox } from "../core/ports.ts";
import type { SandboxHost } from "../core/sandbox-remedy.ts";
import { examineModels } from "./models.ts";
import { ownSkills } from "./own-skills.ts";

/** What the doctor examines with: a sandbox like the server's, and calls that change nothing. */
export interface Instruments {
  host: SandboxHost;
  machine: Machine;
  sandbox: Sandbox & { bounds(): Promise<Holding> };
  app(credentials: Credentials): Promise<AppAnswer>;
  models(provider: ProviderSettings): Promise<ModelAnswer>;
  /** What is wrong with the models that the operator offers. */
  offer(): string[];
  /** What rules of the operator look for in vain, for all this server knows. */
  rules(): Promise<string[]>;
  /** What the server's database answers, and the schema this program brings it to; null: none is there yet. */
  store(): Promise<{ looked: StoreAnswer | null; newest: number }>;
  /** Bytes that the data directory takes, and that are free on its disk. */
  disk(): Promise<{ size: number; free: number }>;
  /** Takes away what the examination made. */
  close(): Promise<void>;
}

/**
 * Joins the adapters that the doctor asks. They work in a directory of their own, beside that of the
 * server: a doctor who is called by another user must change nothing there. `dir` lies on the disk of
 * the workspaces.
 */
export async function composeDoctor(config: AppConfig, dir: string): Promise<Instruments> {
  const own = makeBeside(dir);
  const { workDir } = makeDirectories(path.join(own, "data"), config.sandboxUser);
  const silent = () => undefined;
  const sandbox = createSandbox({
    user: config.sandboxUser,
    hidden: [workDir, config.home],
    toolPath: config.toolPath,
    runtimeDir: path.join(workDir, "runtime"),
    network: config.network,
    internet: createInternet(),
    limits: (machine) => limitsOf(config.limits, machine, config.concurrency),
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
  const now = () => Date.now();
  return {
    host: describeHost(),
    machine: await describeMachine(dir),
    sandbox,
    app: ({ appId, privateKey }) =>
      describeApp({ appId, key: createPrivateKey(privateKey), apiUrl: config.apiUrl, now }),
    models: ({ key, baseUrl, headers }) =>
      listModels({ apiKey: key ?? undefined, baseURL: baseUrl ?? OPENAI_URL, headers }),
    offer: () => examineModels(config.offer),
    rules: async () => (await ownSkills(config)).rules,
    async store() {
      const { databaseUrl: url, dataDir } = config;
      const file = path.join(dataDir, "draftsmith.db");
      return {
        looked: url === null ? examineSqlite(file) : await examinePostgres(url),
        newest: NEWEST_SCHEMA,
      };
    },
    async disk() {
      const [size = 0] = await diskUse([config.dataDir]);
      return { size, free: (await diskState(dir)).free };
    },
    async close() {
      await sandbox.stop();
      for (const made of [workDir, own]) rmSync(made, { recursive: true, force: true });
    },
  };
}

/** A directory on the same disk, where this user may make one. */
function makeBeside(dir: string): string {
  for (const parent of [dir, tmpdir()]) {
    try {
      const made = mkdtempSync(path.join(parent, "draftsmith-doctor-"));
      chmodSync(made, 0o755);
      return made;
    } catch (thrown) {
      if (parent === tmpdir()) throw toError(thrown);
    }
  }
  throw new Error("there is no directory for temporary files");
}
