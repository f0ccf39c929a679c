import type { Mutation } from "./mutation.ts";

const TOKENS = "src/adapters/github/tokens.ts";
const PERMISSIONS = "src/adapters/github/permissions.ts";
const REMOTE = "src/adapters/git/remote.ts";
const RUN_GIT = "src/adapters/git/run-git.ts";
const RUN_JOB = "src/jobs/run-job.ts";
const CONFIG = "src/config.ts";

const ENDED = { file: RUN_JOB, find: "    access.end();\n", replace: "" };

/** Tokens for removed defences; see mutation.ts. */
const mutations: Mutation[] = [
  {
    attack: "tokens-01",
    defence: "jobs read with a token that can only read",
    file: PERMISSIONS,
    find: 'export const READ: Permissions = { contents: "read",',
    replace: 'export const READ: Permissions = { contents: "write",',
  },
  {
    attack: "tokens-02",
    defence: "power to write is asked for by the first write",
    edits: [
      {
        file: PERMISSIONS,
        find: 'export const READ: Permissions = { contents: "read",',
        replace: 'export const READ: Permissions = { contents: "write",',
      },
    ],
  },
  {
    attack: "tokens-03",
    defence: "tokens name one repository",
    file: "src/adapters/github/mint.ts",
    find: "      repository_ids: [repo.id],\n",
    replace: "",
  },
  {
    attack: "tokens-04",
    defence: "an act has its own permissions",
    file: PERMISSIONS,
    find: 'export const WRITE_CONTENTS: Permissions = { contents: "write" };',
    replace: 'export const WRITE_CONTENTS: Permissions = { contents: "write", issues: "write" };',
  },
  { attack: "tokens-05", defence: "tokens end with their job", ...ENDED },
  { attack: "tokens-06", defence: "tokens end with their job, however it ended", ...ENDED },
  {
    attack: "tokens-07",
    defence: "holders share no token",
    file: TOKENS,
    find: "return JSON.stringify([holder, repo.installationId, repo.id, access]);",
    replace: "return JSON.stringify([holder === '', repo.installationId, repo.id, access]);",
  },
  {
    attack: "tokens-08",
    defence: "a token is kept between two uses",
    file: TOKENS,
    find: "if (held.retired) revoke(held);\n    else held.idle",
    replace: "if (held.retired || held.users === 0) retire(held);\n    else held.idle",
  },
  {
    attack: "tokens-09",
    defence: "a token is renewed before it ends",
    file: TOKENS,
    find: "if (known && known.expiresAt - now() > SPARE_MS) return used(known);",
    replace: "if (known) return used(known);",
  },
  {
    attack: "tokens-10",
    defence: "a revocation that fails harms nothing",
    file: "src/adapters/github/revoke.ts",
    find: "if (failedWith(thrown, 401)) return;",
    replace: "if (!failedWith(thrown, 401)) throw thrown;",
  },
  {
    attack: "tokens-11",
    defence: "git gets its token in the environment, not as an argument",
    edits: [
      {
        file: REMOTE,
        find: "...args(at.href)], {",
        replace:
          '"-c", `http.extraHeader=Authorization: Basic ${credentials(token)}`, ...args(at.href)], {',
      },
      {
        file: REMOTE,
        find: '    GIT_CONFIG_COUNT: "1",\n',
        replace: '    GIT_CONFIG_COUNT: "0",\n',
      },
    ],
  },
  {
    attack: "tokens-12",
    defence: "a token is in memory only",
    file: REMOTE,
    find: "  const url = new URL(context.remoteUrl(repo));\n",
    replace:
      '  const url = new URL(context.remoteUrl(repo));\n  (await import("node:fs")).writeFileSync(`${gitDir}/token`, token);\n',
  },
  {
    attack: "tokens-13",
    defence: "GitHub's words lose what looks like a token, and so does every text that leaves",
    edits: [
      {
        file: "src/adapters/github/http-failure.ts",
        find: '.replace(SECRET, "[secret]")',
        replace: "",
      },
      {
        file: "src/compose/compose.ts",
        find: "const redact = createRedactor(secrets);",
        replace: "const redact = (text: string) => text;",
      },
    ],
  },
  {
    attack: "tokens-14",
    defence: "secrets are overwritten in the first environment",
    file: CONFIG,
    find: "for (const name of scrubEnvironment(names)) {",
    replace: "for (const name of scrubEnvironment([])) {",
  },
  {
    attack: "tokens-15",
    defence: "secrets leave the environment, and children get one built from nothing",
    edits: [
      {
        file: CONFIG,
        find: "for (const name of names) delete process.env[name];",
        replace: "",
      },
      {
        file: CONFIG,
        find: "for (const name of scrubEnvironment(names)) {",
        replace: "for (const name of scrubEnvironment([])) {",
      },
      {
        file: RUN_GIT,
        find: "    env: { ...ENVIRONMENT, ...options.env, GIT_DIR: gitDir },",
        replace: "    env: { ...process.env, ...ENVIRONMENT, ...options.env, GIT_DIR: gitDir },",
      },
    ],
  },
  {
    attack: "tokens-16",
    defence: "a stop revokes every token",
    file: "src/compose/compose.ts",
    find: "      await github.stop();\n",
    replace: "",
  },
  {
    attack: "tokens-17",
    defence: "what publishes a change waits until its job asks, after the gate",
    edits: [
      {
        file: "src/adapters/store/outbox.ts",
        find: '"not in", [...ASKED_ACTS, ...except]',
        replace: '"not in", ["nothing", ...except]',
      },
      {
        file: "src/adapters/store/jobs.ts",
        find: "await giveUpActs(transaction, id);",
        replace: "",
      },
      {
        file: "src/jobs/outbox.ts",
        find: "holders.length === 0 && ASKED_ACTS.includes(row.act.kind)",
        replace: "holders.length > 99",
      },
    ],
  },
  {
    attack: "tokens-18",
    defence: "the start looks at the permissions of files with secrets",
    file: CONFIG,
    find: "      ...openSecretFiles(given, cwd),\n",
    replace: "",
  },
];

export default mutations;
