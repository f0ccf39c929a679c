import type { KeyObject } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";
import { jobLane } from "../../core/act.ts";
import type {
  GitHub,
  GitPush,
  GitToken,
  Identity,
  JobAccess,
  Log,
  Performer,
  Places,
  SentDeliveries,
  SharedStore,
  SkillHomes,
} from "../../core/ports.ts";
import { createAppJwt } from "./app-jwt.ts";
import { createDeliveries } from "./deliveries.ts";
import { failedWith, HttpFailure } from "./http-failure.ts";
import { mint } from "./mint.ts";
import { createPauses } from "./pauses.ts";
import { createPerform } from "./perform.ts";
import { READ } from "./permissions.ts";
import { createReads } from "./reads.ts";
import { createRevoke } from "./revoke.ts";
import { DEFAULT_TIMING, send, type Timing } from "./send.ts";
import { createSkillHomes } from "./skill-homes.ts";
import { createTokens, type Need, type Tokens } from "./tokens.ts";

const USER_AGENT = "draftsmith";

/** Whoever writes comments and reactions and asks who may start work: never a job. */
const CONVERSATION = "conversation";

/**
 * GitHub as an App sees it, on github.com or an Enterprise host. Throws TransientError for what may
 * pass and UserError for what GitHub refuses for good. `stop` revokes every token.
 */
export function createGitHub(options: {
  appId: number;
  privateKey: KeyObject;
  /** https://api.github.com or https://ghe.example/api/v3. */
  baseUrl: string;
  log: Log;
  git: GitPush;
  /** Where all processes agree on how long GitHub is left alone. */
  shared: Pick<SharedStore, "pause" | "pausedFor" | "slow">;
  /** Told of each token that comes and goes, so that it can be kept out of texts. */
  onToken?: (token: string, alive: boolean) => void;
  now?: () => number;
  timing?: Partial<Timing>;
}): GitHub &
  Places &
  JobAccess &
  Performer &
  SentDeliveries &
  SkillHomes &
  Identity & { stop(): Promise<void> } {
  const { appId, privateKey, log, git, now = Date.now } = options;
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const pauses = createPauses({ shared: options.shared, now, log });
  const sending = (installationId: unknown) => {
    const gate = typeof installationId === "number" ? { pauses, installationId } : null;
    return { timing, now, log, gate };
  };
  const common = {
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    userAgent: USER_AGENT,
    log: quiet(log),
    request: { log: quiet(log) },
  };

  const app = new Octokit({
    ...common,
    authStrategy: createAppAuth,
    auth: { appId, createJwt: createAppJwt(privateKey, now), log: quiet(log) },
  });
  app.hook.wrap("request", (request, sent) => send(request, sent, sending(sent.installation_id)));
  const revoke = createRevoke(new Octokit(common), { now, log, timing });
  const { onToken = () => undefined } = options;
  const tokens = createTokens({
    mint: (repo, permissions) => mint(app, repo, permissions, now),
    revoke,
    onToken,
    idleMs: timing.idleMs,
    now,
  });
  tokens.open(CONVERSATION);

  function octokitFor(need: Need, insist: () => void = () => undefined): Octokit {
    const octokit = new Octokit(common);
    octokit.hook.before("request", keepSlashes);
    octokit.hook.wrap("request", (request, sent) =>
      withToken(tokens, need, timing.tokenLagMs, (token) => {
        if (!["GET", "HEAD"].includes(sent.method)) insist();
        sent.headers = { ...sent.headers, authorization: `token ${token}` };
        return send(request, sent, sending(need.repo.installationId));
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

  const readsOf = (holder: string): GitHub & Places => ({
    ...createReads((repo) => octokitFor({ holder, repo, permissions: READ }), app),
    readGit: (repo, work) =>
      pauses.around(repo.installationId, () =>
        lendToGit(tokens, { holder, repo, permissions: READ }, work),
      ),
  });
  return {
    ...readsOf(CONVERSATION),
    ...createDeliveries(app),
    ...createSkillHomes({
      octokitFor: (repo) => octokitFor({ holder: CONVERSATION, repo, permissions: READ }),
      app,
      octokitWith(token) {
        const octokit = new Octokit({ ...common, auth: token });
        octokit.hook.wrap("request", (request, sent) => send(request, sent, sending(null)));
        return octokit;
      },
      ...{ revoke, onToken, log },
    }),
    forJob(jobId) {
      const holder = jobLane(jobId);
      tokens.open(holder);
      return { github: readsOf(holder), end: () => tokens.end(holder) };
    },
    perform: createPerform({
      ...{ octokitFor, tokens, pauses, conversation: CONVERSATION, git, self, now, log },
    }),
    login: self.login,
    stop: () => tokens.stop(),
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
  need: Need,
  lagMs: number,
  sendWith: (token: string) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const { token, back } = await tokens.lend(need);
    try {
      return await sendWith(token);
    } catch (error) {
      if (!failedWith(error, 401)) throw error;
      if (attempt !== 1) tokens.drop(need, token);
      if (attempt === 2) throw error;
      if (attempt === 1) await sleep(lagMs);
    } finally {
      back();
    }
  }
}

/** Lends tokens for one piece of work by git, which asks for a fresh one when the first was refused. */
async function lendToGit<T>(
  tokens: Tokens,
  need: Need,
  work: (token: GitToken) => Promise<T>,
): Promise<T> {
  const loans: { back(): void }[] = [];
  try {
    return await work(async (refused) => {
      if (refused !== undefined) tokens.drop(need, refused);
      const loan = await tokens.lend(need);
      loans.push(loan);
      return loan.token;
    });
  } finally {
    for (const loan of loans) loan.back();
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
