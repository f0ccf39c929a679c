import { createGit } from "../../src/adapters/git/git.ts";
import type { RepoRef } from "../../src/core/job.ts";
import type { Limits } from "../../src/core/limits.ts";
import type { CommandResult, Log, Sandbox, Workspace } from "../../src/core/ports.ts";
import { silentLog } from "./log.ts";
import { type GitServer, makeRemote, type Remote, serveGit } from "./repository.ts";
import { makeRoot, makeSandbox, TEST_USER } from "./workspace.ts";

const TOKEN = "ghs_test0123456789.token-value_of-this_server";

/** Everything a test of the git adapter works with: a served repository, the real sandbox, the adapter. */
export interface GitWorld {
  root: string;
  workDir: string;
  server: GitServer;
  sandbox: Sandbox;
  git: ReturnType<typeof createGit>;
  token: () => Promise<string>;
  /** A new repository on the server. */
  repository(): { repo: RepoRef; remote: Remote };
  /** Fetches and opens a workspace at a commit. */
  open(repo: RepoRef, sha: string, jobId: string): Promise<Workspace & { resumed: boolean }>;
  /** Runs a script of the agent in its workspace. */
  agent(workspace: Workspace, script: string): Promise<CommandResult>;
  close(): Promise<void>;
}

/** Builds a world; close it after the tests. */
export async function makeGitWorld(
  log: Log = silentLog,
  limits: Partial<Limits> = {},
): Promise<GitWorld> {
  const { root, remove } = await makeRoot();
  const server = await serveGit(root, TOKEN);
  const sandbox = makeSandbox(root, { limits });
  const workDir = `${root}/work`;
  const remoteUrl = (repo: RepoRef) => `${server.origin}/${repo.owner}/${repo.name}.git`;
  const git = createGit({ workDir, sandbox, user: TEST_USER, remoteUrl, log });
  const token = async () => server.token;
  let made = 0;
  return {
    root,
    workDir,
    server,
    sandbox,
    git,
    token,
    repository() {
      made += 1;
      const name = `shop${made}`;
      const repo = { installationId: 1, id: 1000 + made, owner: "acme", name };
      return { repo, remote: makeRemote(root, `acme/${name}`) };
    },
    async open(repo, sha, jobId) {
      await git.fetch(repo, [sha], token);
      return git.open({ jobId, repo, sha, fence: 1, resume: null });
    },
    agent: (workspace, script) =>
      sandbox.run({ workspace, script, timeoutMs: 60_000, maxOutputBytes: 1024 * 1024 }),
    async close() {
      await sandbox.stop();
      await server.close();
      await remove();
    },
  };
}
