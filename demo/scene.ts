import { generateKeyPairSync, randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ModelServer } from "../test/support/model-server.ts";
import { type GitHubStandIn, startGitHub } from "./github/start.ts";
import { startScriptedModel } from "./model.ts";
import { type Product, startProduct } from "./product.ts";
import { createProjectRepository } from "./project-repository.ts";

export const REPOSITORY = "ferry-desk";

const APP_ID = 4242;

/** Everything the demo runs on. */
export interface Scene {
  directory: string;
  github: GitHubStandIn;
  product: Product;
  /** The commit of main at the start. */
  mainBefore: string;
  /** Null when the model is the real one. */
  scriptedModel: ModelServer | null;
  /** What must not be found anywhere, by name. */
  secrets: Record<string, string>;
  /** Ends what was started, newest first, and removes the directory unless it is kept. */
  close: () => Promise<void>;
}

/** Makes the sample repository and starts GitHub's stand-in, the model unless there is a real one, and the server. */
export async function setScene(options: { realModel: boolean; keep: boolean }): Promise<Scene> {
  const directory = await mkdtemp(path.join(tmpdir(), "draftsmith-demo-"));
  const undo = [
    async () => {
      if (!options.keep) await rm(directory, { recursive: true, force: true });
    },
  ];
  const close = async () => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  try {
    // Others may pass through, so that the uid of the server's sandbox gets to its workspaces.
    await chmod(directory, 0o711);
    const bare = path.join(directory, `${REPOSITORY}.git`);
    const mainBefore = await createProjectRepository(bare);
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    const webhookSecret = randomBytes(24).toString("hex");
    const github = await hostRepository(bare, privateKey, webhookSecret);
    undo.push(github.close);
    const scriptedModel = options.realModel ? null : await startScriptedModel();
    if (scriptedModel) undo.push(scriptedModel.close);
    const model = scriptedModel ? scriptedSettings(scriptedModel.url) : realSettings();
    const settings = {
      APP_ID: String(APP_ID),
      PRIVATE_KEY: privateKey,
      WEBHOOK_SECRET: webhookSecret,
      GHE_HOST: github.host,
      GHE_PROTOCOL: "http",
      DATA_DIR: path.join(directory, "data"),
      LOG_LEVEL: "warn",
      ...model,
    };
    const product = await startProduct(settings, path.join(directory, "server.log"));
    undo.push(product.stop);
    const secrets = {
      "the App's key": privateKey.split("\n")[1] ?? privateKey,
      "the webhook secret": webhookSecret,
      "the model key": model.OPENAI_API_KEY ?? "",
    };
    return { directory, github, product, mainBefore, scriptedModel, secrets, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function hostRepository(
  bare: string,
  privateKey: string,
  webhookSecret: string,
): Promise<GitHubStandIn> {
  return startGitHub({
    app: { id: APP_ID, slug: "draftsmith", privateKey },
    webhookSecret,
    repositories: [
      {
        owner: "harbour",
        name: REPOSITORY,
        path: bare,
        collaborators: { maintainer: "maintain" },
        issues: [
          {
            title: "Three things before the season",
            body: "Sign-in breaks with two desks, nobody dares to touch the fares, and newcomers ask what the API is.",
            author: "maintainer",
          },
        ],
      },
    ],
  });
}

function scriptedSettings(url: string): Record<string, string> {
  const key = `sk-demo-${randomBytes(24).toString("hex")}`;
  return { OPENAI_API_KEY: key, OPENAI_BASE_URL: url, DRAFTSMITH_MODEL: "gpt-5-mini" };
}

function realSettings(): Record<string, string> {
  const names = ["OPENAI_API_KEY", "OPENAI_BASE_URL", "DRAFTSMITH_MODEL"];
  const given = names.map((name) => [name, process.env[name] ?? ""]);
  return Object.fromEntries(given.filter(([, value]) => value !== ""));
}
