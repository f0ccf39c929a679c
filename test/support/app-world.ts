import { generateKeyPairSync } from "node:crypto";
import { Probot } from "probot";
import type { Store } from "../../src/adapters/store/store.ts";
import { createApp } from "../../src/app.ts";
import type { Act } from "../../src/core/act.ts";
import type { Job } from "../../src/core/job.ts";
import type { GitHub, PullFacts } from "../../src/core/ports.ts";
import { stopJobs } from "../../src/jobs/stop.ts";
import type { SubmitDeps } from "../../src/jobs/submit.ts";
import { anyModel } from "./any-model.ts";
import { silentLog } from "./log.ts";
import { storeOn } from "./open-test-store.ts";
import { due } from "./store-rows.ts";

const privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs1", format: "pem" })
  .toString();

/** The account of the App in such a world. */
export const APP_LOGIN = "draftsmith[bot]";

export interface AppWorld {
  store: Store;
  /** What GitHub answers; a test replaces its methods. */
  github: GitHub;
  /** What GitHub was asked, in words. */
  asked: string[];
  /** Plays a webhook. */
  receive(name: string, payload: object, guid?: string): Promise<void>;
  jobs(): Promise<Job[]>;
  /** The writes to GitHub that are stored and due. */
  acts(): Promise<Act[]>;
}

/** The whole way in, from Probot to a real store; GitHub alone is stood in for. */
export async function appWorld(over: Partial<SubmitDeps> = {}): Promise<AppWorld> {
  const store = await storeOn();
  const asked: string[] = [];
  const pull: PullFacts = {
    number: 2,
    state: "open",
    headRef: "changes",
    headSha: "d".repeat(40),
    sameRepo: true,
    baseRef: "main",
    url: "https://github.com/Codertocat/Hello-World/pull/2",
  };
  const github: GitHub = {
    permission: async (_, actor) => {
      asked.push(`permission ${actor.login} ${actor.id}`);
      return "write";
    },
    repository: async () => ({ defaultBranch: "main", archived: false }),
    branchSha: async (_, branch) => (branch === "main" ? "c".repeat(40) : null),
    file: async (_, path) => {
      asked.push(`file ${path}`);
      return null;
    },
    pull: async () => pull,
    conversation: async () => ({ remarks: [], unread: 0 }),
    threads: async () => [],
    readGit: () => Promise.reject(new Error("a handler reads nothing by git")),
  };
  const probot = new Probot({ appId: 1, privateKey, secret: "x", logLevel: "fatal" });
  const outbox = {
    put: async () => undefined,
    tell: async () => [],
    perform: () => Promise.reject(new Error("a handler performs nothing")),
    valueOf: async () => null,
    wake: () => undefined,
    stop: async () => undefined,
  };
  const stores = { stops: store, commands: store, allowances: store };
  await probot.load(
    createApp({
      intake: store,
      self: { login: async () => APP_LOGIN },
      commands: store,
      figures: store,
      stops: store,
      outbox,
      killSwitch: { paused: async () => null },
      repositories: null,
      network: null,
      quotas: { person: 30, repository: 100, installation: 300, commandsPerHour: 60 },
      stop: (request) => stopJobs(request, { ...stores, outbox }),
      allow: () => Promise.reject(new Error("nothing is held here")),
      github,
      sandbox: { check: async () => ({ ok: true }) },
      homes: { organisation: async () => null, files: async () => null },
      skills: [],
      models: anyModel(),
      redact: (text) => text,
      start: () => undefined,
      now: () => Date.parse("2019-05-15T15:21:00Z"),
      log: silentLog,
      ...over,
    }),
  );
  let deliveries = 0;
  return {
    store,
    github,
    asked,
    async receive(name, payload, guid = `delivery-${++deliveries}`) {
      const event = { id: guid, name, payload };
      await probot.receive(event as unknown as Parameters<Probot["receive"]>[0]);
    },
    async jobs() {
      const found = await Promise.all((await store.unfinished()).map((id) => store.job(id)));
      return found.flatMap((job) => job ?? []).sort((a, b) => a.number - b.number);
    },
    acts: async () => (await due(store)).map((row) => row.act),
  };
}
