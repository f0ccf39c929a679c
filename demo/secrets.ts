import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { tryGit } from "./github/bare.ts";
import type { Scene } from "./scene.ts";

/**
 * Looks for the App's key, the webhook secret, the model key and every installation token in all that
 * the demo leaves behind: the server's data and log, git objects, texts on GitHub, requests to the model.
 * Gives a sentence for each that is found.
 */
export async function findSecrets(scene: Scene): Promise<string[]> {
  const { github, scriptedModel } = scene;
  const secrets = Object.entries(scene.secrets);
  for (const token of github.state.tokens.keys()) secrets.push(["an installation token", token]);
  const found: string[] = [];
  const search = (where: string, content: Buffer) => {
    for (const [name, secret] of secrets) {
      if (secret !== "" && content.includes(secret)) found.push(`${name} stands in ${where}`);
    }
  };

  const data = path.join(scene.directory, "data");
  for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    search(path.relative(scene.directory, file), await readFile(file));
  }
  search("the server's log", await readFile(path.join(scene.directory, "server.log")));
  for (const repository of github.state.repositories) {
    const batch = ["cat-file", "--batch-all-objects", "--batch"];
    search("a git object", (await tryGit(repository.path, batch)).stdout);
    const texts = [...repository.comments.values(), ...repository.issues.values()];
    search("a text on GitHub", Buffer.from(JSON.stringify(texts)));
  }
  const asked = scriptedModel?.requests.map((request) => request.body) ?? [];
  search("a request to the model", Buffer.from(JSON.stringify(asked)));
  return [...new Set(found)];
}
