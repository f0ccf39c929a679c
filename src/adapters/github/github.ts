import { setTimeout as sleep } from "node:timers/promises";
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";
import type { RepoRef } from "../../core/job.ts";
import type { GitHub, GitPush, Log, Performer } from "../../core/ports.ts";
import { failedWith, HttpFailure } from "./http-failure.ts";
import { createPerform } from "./perform.ts";
import { type Permissions, READ } from "./permissions.ts";
import { createReads } from "./reads.ts";
import { DEFAULT_TIMING, send, type Timing } from "./send.ts";
import { createTokens, type Tokens } from "./tokens.ts";

const USER_AGENT = "draftsmith";

/**
 * GitHub as an App sees it, on github.com or an Enterprise host. Throws TransientError for what may
 * pass and UserError for what GitHub refuses for good.
 */
export function createGitHub(options: {
  appId: number;
  /** PEM, PKCS#1 or PKCS#8. */
  privateKey: string;
  /** https://api.github.com or https://ghe.example/api/v3. */
  baseUrl: string;
  log: Log;
  git: GitPush;
  /** Sees every token that is minted, so that it can be kept out of texts. */
  onToken?: (token: string) => void;
  now?: () => number;
  timing?: Partial<Timing>;
}): GitHub & Performer {
  const { appId, privateKey, log, git, now = Date.now } = options;
  const sending = { timing: { ...DEFAULT_TIMING, ...options.timing }, now, log };
  const common = {
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    userAgent: USER_AGENT,
    log: quiet(log),
    request: { log: quiet(log) },
  };

  const app = new Octokit({
    ...common,
    authStrategy: createAppAuth,
    auth: { appId, privateKey, log: quiet(log) },
  });
  app.hook.wrap("request", (request, sent) => send(request, sent, sending));
  const tokens = createTokens(app, now, options.onToken ?? (() => undefined));

  function octokitFor(repo: RepoRef, permissions: Permissions): Octokit {
    const octokit = new Octokit(common);
    octokit.hook.before("request", keepSlashes);
    octokit.hook.wrap("request", (request, sent) =>
      withToken(tokens, repo, permissions, sending.timing.tokenLagMs, (token) => {
        sent.headers = { ...sent.headers, authorization: `token ${token}` };
        return send(request, sent, sending);
      }),
    );
    return octokit;
  }

  let knownLogin: string | null = null;
  async function login(): Promise<string | null> {
    try {
      const { data } = await app.rest.apps.getAuthenticated();
      knownLogin ??= data?.slug === undefined ? null : `${data.slug}[bot]`;
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      log.warn({ reason: error.message }, "GitHub does not say who this App is");
    }
    return knownLogin;
  }
  const self = { appId, login: async () => knownLogin ?? (await login()) };

  return {
    ...createReads((repo) => octokitFor(repo, READ)),
    gitToken: (repo, access, refused) => {
      if (refused !== undefined) tokens.drop(repo, { contents: access }, refused);
      return tokens.get(repo, { contents: access });
    },
    perform: createPerform({ octokitFor, tokens, git, self, now, log }),
  };
}

/**
 * Octokit writes the slashes of a path or ref as %2F. GitHub takes both; its documentation, and so
 * other hosts that follow it, has slashes.
 */
function keepSlashes(sent: { url: string; [parameter: string]: unknown }): void {
  for (const name of ["path", "ref", "branch"]) {
    const value = sent[name];
    if (typeof value !== "string" || !/^[\w./@+-]+$/.test(value)) continue;
    sent.url = sent.url.replace(`{${name}}`, `{+${name}}`);
  }
}

/**
 * Sends with a token; after a 401 once more with a fresh one. A token minted a moment ago may not be
 * known to every machine of GitHub, so the fresh one gets a second chance after a short wait.
 */
async function withToken<T>(
  tokens: Tokens,
  repo: RepoRef,
  permissions: Permissions,
  lagMs: number,
  sendWith: (token: string) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const token = await tokens.get(repo, permissions);
    try {
      return await sendWith(token);
    } catch (error) {
      if (!failedWith(error, 401)) throw error;
      if (attempt !== 1) tokens.drop(repo, permissions, token);
      if (attempt === 2) throw error;
      if (attempt === 1) await sleep(lagMs);
    }
  }
}

/** Octokit's log at debug level shows headers with tokens in them; only its warnings are kept. */
function quiet(log: Log) {
  const silent = () => undefined;
  return {
    debug: silent,
    info: silent,
    warn: (message: string) => log.warn({}, message),
    error: silent,
  };
}
