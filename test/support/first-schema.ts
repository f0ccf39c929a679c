import { DatabaseSync } from "node:sqlite";

/** The tables of the first schema, before any migration after it. */
const TABLES = `
CREATE TABLE migrations (number integer primary key, applied_at bigint not null);
CREATE TABLE deliveries (guid text primary key, event text not null, action text, received_at bigint not null);
CREATE TABLE commands (id text primary key, key text not null unique, detail text not null, created_at bigint not null);
CREATE TABLE jobs (id text primary key, key text not null unique, command_id text not null references commands (id),
  number integer not null, repo_id bigint not null, target_kind text not null, state text not null, fence integer not null,
  lease_owner text, lease_until bigint, spec text not null, spend text not null, plan text not null, last_action text not null,
  reason text not null, change text, publication text, pull bigint, conflicts text not null, created_at bigint not null,
  started_at bigint, ended_at bigint);
CREATE INDEX jobs_of_command on jobs (command_id, number);
CREATE INDEX jobs_by_state on jobs (state, created_at);
CREATE INDEX jobs_by_pull on jobs (repo_id, pull);
CREATE TABLE events (job_id text not null references jobs (id), seq integer not null, fence integer not null,
  type text not null, payload text not null, at bigint not null, constraint events_key primary key (job_id, seq));
CREATE TABLE outbox (id integer primary key autoincrement, key text not null unique, lane text not null, kind text not null,
  act text not null, version integer not null, attempts integer not null, state text not null, next_at bigint not null,
  last_error text, result text, created_at bigint not null, updated_at bigint not null);
CREATE INDEX outbox_by_lane on outbox (state, lane, id);
INSERT INTO migrations VALUES (1, 1772000000000);
`;

const repo = { installationId: 7, id: 4_000_000_001, owner: "octo", name: "shop" };

const COMMAND = {
  id: "c1",
  key: "4000000001/5000000002",
  repo,
  issue: 12,
  actor: { id: 5, login: "ada" },
  commentId: 5_000_000_002,
  commentUrl: "https://github.com/octo/shop/issues/12#issuecomment-5000000002",
  revision: "0123456789ab",
  commentedAt: "2026-03-01T10:00:00Z",
  cleaned: false,
  pull: null,
};

const SPEC = {
  task: "refactor auth",
  skill: "refactor",
  model: "gpt-5",
  repo,
  issue: 12,
  baseSha: "a".repeat(40),
  target: { kind: "new_pull", branch: "codex/12-refactor-auth-1a2b", base: "main", draft: true },
  config: {
    setup: [],
    checks: ["npm test"],
    network: [],
    limits: { tasks: 8, steps: 60, minutes: 30, tokens: 2_000_000, check_minutes: 10 },
    paths: { allowed: ["**"], protected: [] },
  },
};

/** Makes `file` as the first version left it: one command `c1` with one job `j1`, queued. */
export function writeFirstStore(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(TABLES);
  database
    .prepare("INSERT INTO commands VALUES (?, ?, ?, ?)")
    .run(COMMAND.id, COMMAND.key, JSON.stringify(COMMAND), 1_772_000_000_000);
  const spend = { steps: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, microDollars: 0 };
  const job = {
    id: "j1",
    key: `${COMMAND.key}/0123456789ab/1`,
    command_id: "c1",
    number: 1,
    repo_id: repo.id,
    target_kind: "new_pull",
    state: "queued",
    fence: 0,
    spec: JSON.stringify(SPEC),
    spend: JSON.stringify(spend),
    plan: "[]",
    last_action: "",
    reason: "",
    conflicts: "[]",
    created_at: 1_772_000_000_000,
  };
  const names = Object.keys(job);
  database
    .prepare(`INSERT INTO jobs (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`)
    .run(...Object.values(job));
  database.close();
}
