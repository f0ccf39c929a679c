import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSecretScanner } from "../../src/adapters/secret-scanner.ts";
import type { Job } from "../../src/core/job.ts";
import { repoConfigSchema } from "../../src/core/repo-config.ts";
import { type Inspection, inspect } from "../../src/jobs/inspect.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";
import { silentLog } from "../support/log.ts";
import type { Entry } from "../support/repository.ts";
import { aCommand, aJob } from "../support/store-rows.ts";

const OWN = "a-secret-of-this-server-0123456789";
const TOKEN = `ghp${"_"}16C7e42F292c6912E7710c838347Ae178B4a`;

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

/** Looks at what turns one set of files into another. */
async function looked(
  before: Record<string, Entry>,
  after: Record<string, Entry>,
  options: { words?: string[]; config?: object } = {},
): Promise<Inspection> {
  const { repo, remote } = world.repository();
  const parent = remote.commit({ "README.md": "# Shop\n", ...before });
  const commit = remote.commit(after);
  await world.git.fetch(repo, [parent, commit], world.token);
  const files = await world.git.changed(repo, commit);
  if (files === null) throw new Error("the commit is not there");
  const job: Job = {
    ...aJob("job", aCommand("c")),
    repo,
    config: repoConfigSchema.parse(options.config ?? {}),
  };
  const scanner = createSecretScanner(() => [OWN]);
  const deps = { objects: world.git, scanner, log: silentLog };
  return inspect(job, { commit, parent, files, words: options.words ?? [] }, deps);
}

const reasons = (inspection: Inspection) =>
  inspection.status === "refused"
    ? [inspection.reason]
    : inspection.violations.map(({ path, reason }) => `${path}: ${reason}`);

describe("looking at what is about to leave", () => {
  it("lets an ordinary change go", async () => {
    expect(await looked({ a: "1\n" }, { a: "2\n", "b/c.txt": "3\n" })).toEqual({
      status: "inspected",
      violations: [],
      cautions: [],
      excerpt: "",
    });
  });

  it("names the line of a secret, and shows no file that holds one", async () => {
    const found = await looked(
      { "infra/a.tf": "one\ntwo\n" },
      { "infra/a.tf": `one\ntwo\nkey = "${TOKEN}"\n`, "infra/b.tf": "fine\n" },
      { config: { paths: { protected: ["infra"] } } },
    );
    expect(reasons(found)).toEqual([
      expect.stringContaining("infra/a.tf: protected by"),
      expect.stringContaining("infra/b.tf: protected by"),
      expect.stringMatching(/^infra\/a\.tf: line 3 looks like a secret \(/),
    ]);
    const { excerpt } = found as Extract<Inspection, { status: "inspected" }>;
    expect(excerpt).toContain("+fine");
    expect(JSON.stringify(found)).not.toContain(TOKEN);
    expect(excerpt).not.toContain("a.tf");
  });

  it("does not mind a file that only moved, unless it holds a secret of ours", async () => {
    expect(reasons(await looked({ old: `${TOKEN}\n` }, { old: null, new: `${TOKEN}\n` }))).toEqual(
      [],
    );
    expect(
      reasons(await looked({ old: `${TOKEN}\n` }, { old: null, new: `${TOKEN}\nmore\n` })),
    ).toEqual([expect.stringContaining("looks like a secret")]);
    expect(reasons(await looked({ old: `${OWN}\n` }, { old: null, new: `${OWN}\n` }))).toEqual([
      expect.stringContaining("own secrets"),
    ]);
  });

  it("finds a secret of ours wherever it stands, and tells nobody where", async () => {
    for (const [after, words] of [
      [{ "deep/notes.txt": `x ${OWN} y\n` }, []],
      [{ [`keys/${OWN}`]: "x\n" }, []],
      [{ "deep/notes.txt": "x\n" }, [`The key is ${OWN}.`]],
      [{ "deep/notes.txt": new Uint8Array(Buffer.from(`\0\0\n${OWN}\0`)) }, []],
    ] as [Record<string, Entry>, string[]][]) {
      const found = await looked({}, after, { words });
      expect(found.status).toBe("refused");
      expect(JSON.stringify(found)).not.toMatch(/notes|keys|secret-of-this-server/);
    }
  });

  it("says what a manifest adds, read from both commits", async () => {
    const found = await looked(
      { "package.json": '{"dependencies":{"a":"1.0.0"}}\n' },
      { "package.json": '{"dependencies":{"a":"1.1.0","b":"2.0.0"}}\n' },
    );
    expect(found).toMatchObject({
      cautions: [
        {
          kind: "shown_first",
          path: "package.json",
          line: 1,
          why: 'installing or building runs what it names. It changes the dependency "a" from "1.0.0" to "1.1.0"; adds the dependency "b": "2.0.0"',
        },
      ],
    });
  });

  it("refuses what is too large to be looked through", async () => {
    const large = Buffer.alloc(17 * 1024 * 1024, "0123456789abcdef\n");
    expect(reasons(await looked({}, { "big.txt": new Uint8Array(large) }))).toEqual([
      expect.stringContaining("more than can be looked through"),
    ]);
  });

  it("follows a link through those that are there already", async () => {
    const found = await looked(
      { ci: { link: ".github" }, ".github/workflows/ci.yml": "on: push\n" },
      { "a/b": { link: "../ci/workflows" }, fine: { link: "a" } },
    );
    expect(reasons(found)).toEqual([
      'a/b: a link to ".github/workflows": workflows and their actions run with the repository\'s secrets',
    ]);
  });
});

it("a commit that is not there is nobody's", async () => {
  const { repo, remote } = world.repository();
  const sha = remote.commit({ a: "1\n" });
  await world.git.fetch(repo, [sha], world.token);
  expect(await world.git.changed(repo, "1".repeat(40))).toBeNull();
});
