import { generateKeyPairSync } from "node:crypto";
import nock from "nock";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { createGitHub } from "../../../src/adapters/github/github.ts";
import { type ActKind, type ActOf, type ActValues, jobLane } from "../../../src/core/act.ts";
import type { RepoRef } from "../../../src/core/job.ts";
import type { Log } from "../../../src/core/ports.ts";

export const API = "https://api.github.com";
export const NOW = Date.parse("2026-03-01T12:00:00Z");
export const repo: RepoRef = { installationId: 7, id: 42, owner: "acme", name: "shop" };

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

export { publicKey };

/** What the test's GitHub was asked that nobody had foreseen. */
const unforeseen: string[] = [];

/** Tokens that were given back to the test's GitHub, oldest first. */
export const revoked: string[] = [];

/** The lane in which the tests' acts are performed unless they say otherwise; its job is under way. */
const LANE = jobLane("1");

/** Lets nock stand for GitHub: nothing leaves, nothing unforeseen is asked, nothing foreseen is left out. */
export function useGitHubEdge(): void {
  beforeAll(() => {
    if (!nock.isActive()) nock.activate();
    nock.disableNetConnect();
    nock.enableNetConnect("127.0.0.1");
    nock.emitter.on("no match", noteUnforeseen);
  });
  beforeEach(() => {
    unforeseen.length = 0;
    revoked.length = 0;
    revocation = 204;
    takeRevocations(API);
  });
  afterEach(() => {
    const pending = nock.pendingMocks();
    nock.cleanAll();
    expect(pending, "asked for, but never sent").toEqual([]);
    expect(unforeseen, "sent, but not asked for").toEqual([]);
  });
  afterAll(() => {
    nock.emitter.off("no match", noteUnforeseen);
    nock.restore();
    nock.enableNetConnect();
  });
}

/** How the test's GitHub answers when a token is given back to it. */
let revocation = 204;

/** Answers revocations with another status for the rest of the test. */
export function answersRevocations(status: number): void {
  revocation = status;
}

function takeRevocations(base: string): void {
  nock(base)
    .delete("/installation/token")
    .optionally()
    .times(1000)
    .reply((request: Request) => {
      revoked.push(request.headers.get("authorization") ?? "");
      return revocation === 204 ? [204] : [revocation, { message: "no" }];
    });
}

function noteUnforeseen(request: Request) {
  if (new URL(request.url).hostname === "127.0.0.1") return;
  unforeseen.push(`${request.method} ${request.url}`);
}

export interface Asked {
  body: unknown;
  authorization: string | null;
}

/** Takes the next request for a token and answers with `token`; gives what was asked for. */
export function mints(
  token = "ghs_first",
  options: { expiresIn?: number; expires?: string; base?: string; times?: number } = {},
): Asked[] {
  const asked: Asked[] = [];
  nock(options.base ?? API)
    .post("/app/installations/7/access_tokens")
    .times(options.times ?? 1)
    .reply(201, async (request: Request) => {
      asked.push(await seen(request));
      const expires = new Date(NOW + (options.expiresIn ?? 3_600_000));
      const expires_at = options.expires ?? expires.toISOString();
      return { token, expires_at, permissions: {} };
    });
  return asked;
}

/** What a request carried. */
export async function seen(request: Request): Promise<Asked> {
  const text = await request.text();
  return {
    body: text === "" ? null : JSON.parse(text),
    authorization: request.headers.get("authorization"),
  };
}

interface GitCall {
  call: string;
  args: unknown[];
}

/** The adapter under test, with everything it says to the log and to git. */
export function setUp(overrides: Partial<Parameters<typeof createGitHub>[0]> = {}) {
  const lines: string[] = [];
  const note = (fields: object, message: string) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const gitCalls: GitCall[] = [];
  const github = createGitHub({
    appId: 99,
    privateKey,
    baseUrl: API,
    log,
    git: {
      pushRef: async (...given) => {
        // Without the signal, which not everybody gives.
        gitCalls.push({ call: "pushRef", args: given.slice(0, 4) });
      },
      deleteRef: async (...args) => {
        gitCalls.push({ call: "deleteRef", args });
      },
      pushBranch: async (...args) => {
        gitCalls.push({ call: "pushBranch", args });
        return { status: "done" };
      },
    },
    shared: {
      pause: async () => undefined,
      pausedFor: async () => null,
      slow: async () => undefined,
    },
    now: () => NOW,
    timing: { delaysMs: [1, 1, 1], tokenLagMs: 1 },
    ...overrides,
  });
  github.forJob("1");
  const perform = <K extends ActKind>(act: ActOf<K>, previous: ActValues[K] | null, lane = LANE) =>
    github.perform(act, previous, { lane, insist: () => undefined });
  return { github: { ...github, perform }, lines, gitCalls };
}
