import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { Scene } from "../../demo/scene.ts";
import { findSecrets } from "../../demo/secrets.ts";
import { installation, standIn, temporaryDirectory } from "./github-support.ts";

describe("the demo's search for secrets", () => {
  it("finds them in data, log, git objects and texts, revoked tokens too, and nothing where there is nothing", async () => {
    const { github, path: bare } = await standIn();
    const { token, octokit } = await installation(github, { issues: "write" });
    await octokit.rest.apps.revokeInstallationAccessToken();
    const directory = temporaryDirectory();
    const data = path.join(directory, "data", "deep");
    mkdirSync(data, { recursive: true });
    writeFileSync(path.join(directory, "server.log"), "all quiet\n");
    writeFileSync(path.join(data, "rows.db"), "\0rows\0");
    const secrets = { "the model key": "sk-demo-1", "the webhook secret": "hush", "no key": "" };
    const scene = { directory, github, secrets, scriptedModel: null } as unknown as Scene;
    expect(await findSecrets(scene)).toEqual([]);

    writeFileSync(path.join(data, "rows.db"), `\0rows\0${token}\0`);
    writeFileSync(path.join(directory, "server.log"), '{"key":"sk-demo-1"}\n');
    await git(bare, ["hash-object", "-w", "--stdin"], { input: "it is sk-demo-1\n" });
    await github.comment({ repository: "desk", issue: 1, login: "maintainer", body: "hush!" });
    expect(await findSecrets(scene)).toEqual([
      "an installation token stands in data/deep/rows.db",
      "the model key stands in the server's log",
      "the model key stands in a git object",
      "the webhook secret stands in a text on GitHub",
    ]);
  });
});
