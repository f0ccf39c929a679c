import type { Store } from "../../src/adapters/store/store.ts";
import type { OutboxRow } from "../../src/core/act.ts";
import type { Command, Job } from "../../src/core/job.ts";
import type { Admit, Delivery, Heard, KeyedAct } from "../../src/core/ports.ts";
import { repoConfigSchema } from "../../src/core/repo-config.ts";

const repo = { installationId: 7, id: 4_000_000_001, owner: "octo", name: "shop" };

export function aDelivery(guid: string): Delivery {
  return { guid, event: "issue_comment", action: "created" };
}

/** A gate with nothing against it. */
export const admitAll: Admit = () => ({ status: "admitted" });

export function aHeard(guid: string, more: Partial<Heard> = {}): Heard {
  return { delivery: aDelivery(guid), key: `key of ${guid}`, actorId: 5, repo, issue: 12, ...more };
}

export function aCommand(id: string, more: Partial<Command> = {}): Command {
  return {
    id,
    key: `key of ${id}`,
    repo,
    issue: 12,
    actor: { id: 5, login: "ada" },
    way: { kind: "comment", id: 5_000_000_002 },
    url: "https://github.com/octo/shop/issues/12#issuecomment-5000000002",
    revision: "0123456789ab",
    askedAt: "2026-03-01T10:00:00Z",
    cleaned: false,
    pull: null,
    subject: null,
    ...more,
  };
}

export function aJob(id: string, command: Command, more: Partial<Job> = {}): Job {
  return {
    id,
    key: `key of ${id}`,
    commandId: command.id,
    number: 1,
    task: "refactor auth",
    skill: "refactor",
    model: "gpt-5",
    repo: command.repo,
    issue: command.issue,
    baseSha: "a".repeat(40),
    target: { kind: "new_pull", branch: "codex/12-refactor-auth-1a2b", base: "main", draft: true },
    config: repoConfigSchema.parse({ checks: ["npm test"] }),
    state: "queued",
    priority: 10,
    fence: 0,
    attempts: 0,
    stop: null,
    spend: { steps: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, microDollars: 0 },
    plan: [],
    sources: null,
    lastAction: "",
    reason: "",
    change: null,
    allowance: null,
    publication: null,
    conflicts: [],
    createdAt: 1_772_000_000_000,
    startedAt: null,
    endedAt: null,
    ...more,
  };
}

export function aComment(key: string, body: string, lane = key): KeyedAct {
  const marker = `<!-- ${key} -->`;
  const since = "2026-03-01T10:00:00Z";
  return { key, lane, act: { kind: "comment", repo, issue: 12, marker, body, since } };
}

/** Stores one command with the given jobs, as a delivery of its own. */
export async function acceptJobs(store: Store, command: Command, jobs: Job[]): Promise<void> {
  const delivery = aDelivery(`delivery of ${command.id}`);
  await store.accept({ delivery, command, jobs, acts: [], admit: admitAll });
}

/** Claims the next job for a process; for a minute unless told otherwise. */
export function claimNext(
  store: Store,
  by: Partial<Parameters<Store["claimNext"]>[0]> = {},
): Promise<Job | null> {
  const worker = "here";
  return store.claimNext({
    owner: "here/1",
    worker,
    leaseMs: 60_000,
    perRepository: 10_000,
    ...by,
  });
}

/** The acts that are due, for whoever asked for those `asked`; they stay free for others. */
export async function due(store: Store, asked: string[] = []): Promise<OutboxRow[]> {
  const rows = await store.take({ owner: "look", leaseMs: 0, asked, except: [] });
  return rows.map(({ putOffMs: _, ...row }) => row);
}
