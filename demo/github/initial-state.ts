import { createPublicKey } from "node:crypto";
import type { Fault, RecordedRequest } from "./serve.ts";
import {
  type Change,
  nextNumber,
  type Permissions,
  type Repository,
  type Role,
  type State,
  timestamp,
  userOf,
} from "./state.ts";

/** What the stand-in hosts; every repository's `path` is an existing bare repository. */
export interface GitHubOptions {
  app: { id: number; slug: string; privateKey: string; permissions?: Permissions };
  installationId?: number;
  webhookSecret: string;
  repositories: {
    owner: string;
    name: string;
    path: string;
    id?: number;
    defaultBranch?: string;
    archived?: boolean;
    installed?: boolean;
    /** Another installation than that of the others. */
    installationId?: number;
    collaborators?: Record<string, Role>;
    issues?: { title: string; body: string; author: string }[];
  }[];
  /** Whether pull requests may be drafts; true by default. */
  drafts?: boolean;
  /** Asked for each request: may make it fail before or after its effect. */
  fault?: (request: RecordedRequest) => Fault | undefined | Promise<Fault | undefined>;
}

const PERMISSIONS: Permissions = {
  contents: "write",
  issues: "write",
  pull_requests: "write",
  checks: "write",
  actions: "read",
  metadata: "read",
};

/** The state before the first request. */
export function initialState(
  options: GitHubOptions,
  url: string,
  changed: (change: Change) => void,
): State {
  let lastId = 1000;
  const nextId = () => ++lastId;
  const state: State = {
    url,
    app: {
      id: options.app.id,
      slug: options.app.slug,
      publicKey: createPublicKey(options.app.privateKey),
      permissions: options.app.permissions ?? PERMISSIONS,
    },
    installationId: options.installationId ?? 77,
    drafts: options.drafts ?? true,
    users: new Map(),
    tokens: new Map(),
    tokenLifetimeMs: 3_600_000,
    repositories: [],
    deliveries: [],
    sendAgain: () => undefined,
    nextId,
    changed,
  };
  for (const given of options.repositories) {
    const repository: Repository = {
      id: given.id ?? nextId(),
      owner: given.owner,
      name: given.name,
      path: given.path,
      defaultBranch: given.defaultBranch ?? "main",
      archived: given.archived ?? false,
      installed: given.installed ?? true,
      formerNames: [],
      installationId: given.installationId ?? state.installationId,
      collaborators: { ...given.collaborators },
      issues: new Map(),
      comments: new Map(),
      reviewComments: new Map(),
      reactions: [],
      pulls: new Map(),
      checkRuns: [],
    };
    for (const issue of given.issues ?? []) {
      const number = nextNumber(repository);
      const at = timestamp();
      const dates = { createdAt: at, updatedAt: at };
      repository.issues.set(number, { id: nextId(), number, ...issue, state: "open", ...dates });
    }
    for (const login of [given.owner, ...Object.keys(repository.collaborators)]) {
      userOf(state, login);
    }
    state.repositories.push(repository);
  }
  return state;
}
