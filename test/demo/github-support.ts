import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";
import { onTestFinished } from "vitest";
import { git, tryGit } from "../../demo/github/bare.ts";
import type { GitHubOptions } from "../../demo/github/initial-state.ts";
import { type GitHubStandIn, startGitHub } from "../../demo/github/start.ts";

/** The App's key pair; made once, for making one takes a while. */
export const privateKey = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;

/** A temporary directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "draftsmith-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A bare repository with one commit that holds `README.md`. */
async function bareRepository(): Promise<{ path: string; sha: string }> {
  const directory = temporaryDirectory();
  await git(directory, ["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  const blob = await git(directory, ["hash-object", "-w", "--stdin"], { input: "# Harbour\n" });
  const tree = await git(directory, ["mktree"], { input: `100644 blob ${blob}\tREADME.md\n` });
  const identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"];
  const sha = await git(directory, [...identity, "commit-tree", tree, "-m", "Begin"]);
  await git(directory, ["update-ref", "refs/heads/main", sha]);
  return { path: directory, sha };
}

/** A stand-in with two repositories, harbour/desk and harbour/other, and an open issue on the first. */
export async function standIn(
  options: Partial<Pick<GitHubOptions, "fault" | "drafts">> = {},
): Promise<{ github: GitHubStandIn; sha: string; path: string }> {
  const desk = await bareRepository();
  const other = await bareRepository();
  const github = await startGitHub({
    app: { id: 4242, slug: "draftsmith", privateKey },
    webhookSecret: "demo-webhook-secret",
    repositories: [
      {
        owner: "harbour",
        name: "desk",
        path: desk.path,
        collaborators: { maintainer: "maintain", visitor: "read" },
        issues: [{ title: "Three things", body: "Please.", author: "maintainer" }],
      },
      { owner: "harbour", name: "other", path: other.path },
    ],
    ...options,
  });
  onTestFinished(() => github.close());
  return { github, ...desk };
}

/** Octokit as the App itself; nothing is retried. */
export function asApp(github: GitHubStandIn, key = privateKey): Octokit {
  return new Octokit({
    baseUrl: `${github.url}/api/v3`,
    authStrategy: createAppAuth,
    auth: { appId: github.state.app.id, privateKey: key },
    log: quiet,
  });
}

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A new installation token for harbour/desk, and Octokit with it. */
export async function installation(
  github: GitHubStandIn,
  permissions: Record<string, "read" | "write">,
): Promise<{ token: string; octokit: Octokit }> {
  const { data } = await asApp(github).rest.apps.createInstallationAccessToken({
    installation_id: github.state.installationId,
    repository_ids: [github.repository("desk").id],
    permissions,
  });
  const octokit = new Octokit({ baseUrl: `${github.url}/api/v3`, auth: data.token, log: quiet });
  return { token: data.token, octokit };
}

/** Runs git as a person's machine would, with a token as password; gives its exit code and words. */
export async function gitClient(
  cwd: string,
  args: string[],
  token?: string,
): Promise<{ code: number | null; text: string }> {
  const askpass = path.join(temporaryDirectory(), "askpass");
  const script = '#!/bin/sh\ncase "$1" in User*) echo x-access-token;; *) echo "$TOKEN";; esac\n';
  writeFileSync(askpass, script, { mode: 0o700 });
  const env = { GIT_ASKPASS: token ? askpass : "/bin/false", TOKEN: token ?? "" };
  const { code, stdout, stderr } = await tryGit(cwd, args, { env });
  return { code, text: stdout.toString() + stderr };
}

/** Receives webhooks on 127.0.0.1 and keeps them. */
export async function webhookReceiver(): Promise<{
  url: string;
  received: { headers: IncomingHttpHeaders; body: string }[];
}> {
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    received.push({ headers: request.headers, body });
    response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/api/github/webhooks`, received };
}
