import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { GitHubOptions } from "../../demo/github/initial-state.ts";
import type { RecordedRequest } from "../../demo/github/serve.ts";
import type { Token } from "../../demo/github/state.ts";
import { MODEL_KEY, PRIVATE_KEY, WEBHOOK_SECRET } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { JOB_MS, leaks, openStage, type Stage, shell, write } from "./play.ts";

type Fault = NonNullable<GitHubOptions["fault"]>;

const HELD: Fault = () => undefined;
const KEY_LINE = PRIVATE_KEY.split("\n")[3] ?? "";
const polled = { timeout: 10_000 * PATIENCE, interval: 50 };

let stage: Stage;
/** What GitHub does to the requests of the attack under way. */
let fault: Fault = HELD;

const BROKEN = { config: "setup: ['exit 3']\n" };
const CHECKED = { config: "checks: [test -f README.md]\n" };

beforeAll(async () => {
  stage = await openStage({
    ...CHECKED,
    repositories: { broken: BROKEN, other: CHECKED, fresh: CHECKED },
    fault: (request) => fault(request),
  });
}, JOB_MS);
beforeEach(() => {
  fault = HELD;
});
afterAll(() => stage.end());

const change = (name: string) => ({
  replies: [write(`${name}.txt`, `${name}\n`)],
  report: `Add ${name}\n\nAs asked.`,
});

const tokensOf = (of: Stage) => [...of.world.github.state.tokens.values()];
const isAlive = (token: Token) => token.expiresAt > Date.now();
const may = (token: Token, name: string) => token.permissions[name] === "write";
const isGit = ({ path: to }: RecordedRequest) => /\.git\//.test(to);

/** What belongs to jobs, never to the conversation: git, and the writes that publish a change. */
function isOfJob(request: RecordedRequest): boolean {
  const { method, path: to } = request;
  return (
    isGit(request) ||
    (method !== "GET" && /\/git\/(refs|commits)/.test(to)) ||
    (method === "POST" && to.endsWith("/pulls"))
  );
}

/** The tokens jobs were lent, by what was done with them since a point of the recorded requests. */
function jobTokens(of: Stage, since = 0): Token[] {
  const { requests, state } = of.world.github;
  const used = requests.slice(since).filter(isOfJob);
  const values = new Set(used.map(({ token }) => token ?? ""));
  return [...state.tokens.values()].filter(({ value }) => values.has(value));
}

/** The process of the server that runs now. */
function serverOf(of: Stage): number {
  return Number([...of.world.log().matchAll(/"pid":(\d+)/g)].at(-1)?.[1]);
}

/** Every process below one, with its environment and its command line. */
function below(pid: number): { pid: number; environment: string; command: string }[] {
  const own = (file: string) => {
    try {
      return readFileSync(file, "latin1");
    } catch (error) {
      // It has ended meanwhile.
      if (error instanceof Error) return "";
      throw error;
    }
  };
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    const stat = own(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (let next = children.get(pid) ?? []; next.length > 0; ) {
    found.push(...next);
    next = next.flatMap((each) => children.get(each) ?? []);
  }
  return found.map((each) => ({
    pid: each,
    environment: own(`/proc/${each}/environ`),
    command: own(`/proc/${each}/cmdline`),
  }));
}

const basic = (token: string) => Buffer.from(`x-access-token:${token}`).toString("base64");

/** A gate at the first request that `matches`: what is on the way stays there until it is opened. */
function gateAt(matches: (request: RecordedRequest) => boolean) {
  const reached = Promise.withResolvers<RecordedRequest>();
  const opened = Promise.withResolvers<void>();
  fault = async (request) => {
    if (!matches(request)) return undefined;
    reached.resolve(request);
    await opened.promise;
    return undefined;
  };
  return { reached: reached.promise, open: () => opened.resolve() };
}

const isPush = ({ path: to }: RecordedRequest) => to.endsWith("/git-receive-pack");

describe("what a job may do on GitHub", () => {
  it(
    "tokens-01 an agent works while there is a token that could write to its repository",
    async () => {
      const seen: Token[] = [];
      const look = (call: object) => () => {
        seen.push(...tokensOf(stage).filter(isAlive));
        return { toolCalls: [call] } as never;
      };
      const { pulls } = await stage.play("look at tokens", {
        replies: [look(shell("true")), look(write("a.txt", "a\n"))],
        report: "Add a\n\nAs asked.",
      });
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.filter((token) => may(token, "contents"))).toEqual([]);
      // What may write texts may not even read a file.
      const writing = seen.filter((token) => may(token, "pull_requests") || may(token, "issues"));
      expect(writing.map((token) => token.permissions.contents ?? "none")).toEqual(
        writing.map(() => "none"),
      );
      expect(pulls).toHaveLength(1);
    },
    JOB_MS,
  );

  it(
    "tokens-02 power to write is asked for before the checks have run",
    async () => {
      const evidence: number[] = [];
      fault = (request) => {
        const { permissions } = (request.body ?? {}) as { permissions?: Record<string, string> };
        if (!request.path.endsWith("/access_tokens") || permissions?.contents !== "write") {
          return undefined;
        }
        const file = path.join(stage.world.dataDir, "draftsmith.db");
        const database = new DatabaseSync(file, { readOnly: true });
        const newest = "select id from jobs order by created_at desc limit 1";
        const counted = `select count(*) as n from events where type = 'evidence' and job_id = (${newest})`;
        evidence.push(Number(database.prepare(counted).get()?.n));
        database.close();
        return undefined;
      };
      await stage.play("write late", change("late"));
      expect(evidence.length).toBeGreaterThan(0);
      expect(evidence.every((count) => count > 0)).toBe(true);
    },
    JOB_MS,
  );

  it(
    "tokens-03 a token of one repository reaches another one of the installation",
    async () => {
      const { github } = stage.world;
      const since = github.requests.length;
      const both = ["shop", "other"].map((name) => stage.play(`reach ${name}`, change("r"), name));
      await Promise.all(both);
      for (const token of tokensOf(stage)) expect(token.repositoryIds).toHaveLength(1);
      for (const { path: to, token } of github.requests.slice(since)) {
        const name = /\/acme\/([a-z]+)/.exec(to)?.[1];
        if (name === undefined || token === null) continue;
        expect(github.state.tokens.get(token)?.repositoryIds, to).toEqual([
          github.repository(name).id,
        ]);
      }
    },
    JOB_MS,
  );

  it(
    "tokens-04 an act carries more power than it needs",
    async () => {
      const { github } = stage.world;
      const since = github.requests.length;
      await stage.play("carry little", change("little"), "fresh");
      const powers = (matches: (request: RecordedRequest) => boolean) => [
        ...new Set(
          github.requests
            .slice(since)
            .filter((request) => request.token !== null && matches(request))
            .map((request) => JSON.stringify(Object.entries(request.permissions).sort())),
        ),
      ];
      const only = (permissions: object) => [JSON.stringify(Object.entries(permissions).sort())];
      const contents = only({ contents: "write", metadata: "read" });
      expect(powers(isPush)).toEqual(contents);
      expect(powers(({ method, path: to }) => method === "POST" && to.includes("/git/"))).toEqual(
        contents,
      );
      expect(powers(({ method, path: to }) => method === "POST" && to.endsWith("/pulls"))).toEqual(
        only({ contents: "read", metadata: "read", pull_requests: "write" }),
      );
      expect(powers(({ method, path: to }) => method !== "GET" && /\/comments/.test(to))).toEqual(
        only({ issues: "write", metadata: "read", pull_requests: "write" }),
      );
      expect(powers(({ path: to }) => to.endsWith("/git-upload-pack"))).toEqual(
        only({ contents: "read", issues: "read", metadata: "read", pull_requests: "read" }),
      );
    },
    JOB_MS,
  );

  it(
    "tokens-05 a token outlives the job that was done with it",
    async () => {
      const since = stage.world.github.requests.length;
      const { pulls } = await stage.play("leave nothing", change("nothing"));
      expect(pulls).toHaveLength(1);
      const lent = jobTokens(stage, since);
      expect(lent.length).toBeGreaterThanOrEqual(3);
      await expect.poll(() => lent.filter(isAlive).length, polled).toBe(0);
    },
    JOB_MS,
  );

  it(
    "tokens-06 a token outlives a job that failed",
    async () => {
      const since = stage.world.github.requests.length;
      const { board } = await stage.play("fail at once", change("x"), "broken");
      expect(board).toContain("❌ failed");
      const lent = jobTokens(stage, since);
      expect(lent).not.toHaveLength(0);
      await expect.poll(() => lent.filter(isAlive).length, polled).toBe(0);
    },
    JOB_MS,
  );

  it(
    "tokens-07 one job uses the token of another, or of the conversation",
    async () => {
      const { github } = stage.world;
      const since = github.requests.length;
      const issue = stage.world.issue({ title: "Two", body: "Please." });
      for (const name of ["first of two", "second of two"]) stage.rehearse(name, change("two"));
      // Neither is done before the other has begun.
      const met = new Map<string, PromiseWithResolvers<void>>();
      fault = async ({ method, path: to }) => {
        const act =
          method === "POST" ? ["/git/refs", "/pulls"].find((end) => to.endsWith(end)) : "";
        if (!act) return undefined;
        const other = met.get(act);
        if (other) other.resolve();
        else {
          const second = Promise.withResolvers<void>();
          met.set(act, second);
          await second.promise;
        }
        return undefined;
      };
      await stage.world.say("/codex\n- first of two\n- second of two", issue);
      await stage.world.ended(issue);
      const later = github.requests.slice(since);
      const ofJobs = new Set(later.filter(isOfJob).map(({ token }) => token));
      const ofTexts = later.filter(
        ({ method, path: to }) => method !== "GET" && /comments/.test(to),
      );
      expect(ofTexts.filter(({ token }) => ofJobs.has(token))).toEqual([]);
      // Each job has its own branch and its own pull request: so its own tokens for them.
      for (const to of ["/git/refs", "/pulls"]) {
        const used = later.filter((each) => each.method === "POST" && each.path.endsWith(to));
        expect(new Set(used.map(({ token }) => token)).size, to).toBe(2);
      }
    },
    JOB_MS,
  );

  it(
    "tokens-08 a busy server asks for a token with every request",
    async () => {
      const { github } = stage.world;
      const since = github.requests.length;
      const issue = stage.world.issue({ title: "Four", body: "Please." });
      const tasks = [1, 2, 3, 4].map((n) => `number ${n} of four`);
      for (const task of tasks) stage.rehearse(task, change(`four-${task.slice(7, 8)}`));
      await stage.world.say(`/codex\n${tasks.map((task) => `- ${task}`).join("\n")}`, issue);
      await stage.world.ended(issue);
      const later = github.requests.slice(since);
      const minted = later.filter(({ path: to }) => to.endsWith("/access_tokens"));
      // Reading, contents and the pull request, perhaps once more to clean up; two for the conversation.
      expect(minted.length).toBeLessThanOrEqual(4 * 4 + 4);
      expect(later.length).toBeGreaterThan(3 * minted.length);
    },
    2 * JOB_MS,
  );

  it(
    "tokens-09 tokens that end within seconds are used after their end",
    async () => {
      const { state, requests } = stage.world.github;
      const since = requests.length;
      state.tokenLifetimeMs = 3000;
      try {
        const { pulls } = await stage.play("take your time", {
          replies: [shell("sleep 4"), write("slow.txt", "slow\n")],
          report: "Add slow\n\nAs asked.",
        });
        expect(pulls).toHaveLength(1);
        const refused = requests.slice(since).filter(({ status }) => status === 401);
        expect(refused.map(({ method, path: to }) => `${method} ${to}`)).toEqual([]);
      } finally {
        state.tokenLifetimeMs = 3_600_000;
      }
    },
    JOB_MS,
  );

  it(
    "tokens-10 GitHub answers revocations with errors and with silence",
    async () => {
      const asked: string[] = [];
      fault = ({ method, path: to, token }) => {
        if (method !== "DELETE" || to !== "/installation/token") return undefined;
        asked.push(token ?? "");
        const answer = asked.length % 2 === 0 ? ("drop" as const) : { status: 500 };
        return { when: "before", answer };
      };
      const before = stage.world.log().length;
      const { board, pulls } = await stage.play("revoke in vain", change("vain"));
      expect([board.includes("✅ done"), pulls.length]).toEqual([true, 1]);
      // Each of three is asked for a few times, and then no more.
      await expect.poll(() => new Set(asked).size, polled).toBeGreaterThanOrEqual(3);
      const told = () =>
        stage.world.log().slice(before).split("a token was not revoked").length - 1;
      await expect.poll(told, polled).toBeGreaterThanOrEqual(3);
      expect(asked.length).toBeLessThanOrEqual(4 * new Set(asked).size);
      expect(stage.world.log().slice(before)).toContain(
        "a token was not revoked; it ends by itself",
      );
      // The server is as well as before.
      fault = HELD;
      expect((await stage.play("go on", change("on"))).pulls).toHaveLength(1);
    },
    2 * JOB_MS,
  );
});

describe("where a token can be seen", () => {
  it(
    "tokens-11 a stranger on the machine and another job look for the token of a push",
    async () => {
      const gate = gateAt(isPush);
      const pushed = stage.play("push slowly", change("slowly"));
      const { token } = await gate.reached;
      const secret = token ?? "";
      // The attack is worth something only while git holds the token.
      const held = below(serverOf(stage)).filter((each) =>
        each.environment.includes(basic(secret)),
      );
      expect(held.length).toBeGreaterThan(0);
      const look =
        "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/task/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -aE '[A]uthorization|gh[s]_|eC1hY2Nlc3MtdG9rZ[W]' ; echo looked; ls /proc | grep -c '^[0-9]'";
      const { results } = await stage.play(
        "look for it",
        { replies: [shell(look)], report: "Look" },
        "other",
      );
      expect(results[0]).toMatch(/^looked\n\d{1,2}\n/);
      if (process.getuid?.() === 0) {
        const stranger = execFileSync(
          "setpriv",
          ["--reuid", "60999", "--regid", "60999", "--clear-groups", "sh", "-c", look],
          { encoding: "utf8", env: { PATH: process.env.PATH ?? "" } },
        );
        expect(stranger).toMatch(/^looked\n/);
      }
      gate.open();
      expect((await pushed).pulls).toHaveLength(1);
    },
    2 * JOB_MS,
  );

  it(
    "tokens-12 a token stands in a file while git works with it, or after",
    async () => {
      const gate = gateAt(isPush);
      const pushed = stage.play("push once more", change("more"));
      const secret = (await gate.reached).token ?? "";
      const { dataDir, home } = stage.world;
      const search = (dir: string) =>
        execFileSync(
          "sh",
          [
            "-c",
            'grep -rlaF -e "$1" -e "$2" "$3" 2>/dev/null || true',
            "sh",
            secret,
            basic(secret),
            dir,
          ],
          { encoding: "utf8" },
        );
      expect([search(dataDir), search(home), search("/var/tmp")]).toEqual(["", "", ""]);
      gate.open();
      await pushed;
      expect([search(dataDir), leaks(stage.world, secret)]).toEqual(["", []]);
    },
    JOB_MS,
  );

  it(
    "tokens-13 GitHub repeats a token in the text of an error",
    async () => {
      const echoed: string[] = [];
      fault = ({ method, path: to, token }) => {
        if (method !== "POST" || !to.endsWith("/pulls")) return undefined;
        echoed.push(token ?? "");
        const message = `Forbidden for ${token} (Authorization: token ${token})`;
        return { when: "before", answer: { status: 403, body: { message } } };
      };
      const { board } = await stage.play("be told", change("told"));
      expect(board).toContain("❌ failed");
      expect(echoed.length).toBeGreaterThan(0);
      for (const token of echoed) {
        for (const part of [token, token.slice(0, 40), token.slice(-40)]) {
          expect(leaks(stage.world, part)).toEqual([]);
        }
      }
    },
    JOB_MS,
  );

  it("tokens-14 the first environment of the server is read", () => {
    const environment = readFileSync(`/proc/${serverOf(stage)}/environ`, "latin1");
    // It was started with them, and what is no secret still stands there.
    expect(environment).toContain("APP_ID=4242");
    for (const secret of [KEY_LINE, WEBHOOK_SECRET, MODEL_KEY]) {
      expect(environment.includes(secret)).toBe(false);
    }
  });

  it(
    "tokens-15 a child of the server has its secrets in the environment",
    async () => {
      const gate = gateAt(isPush);
      const pushed = stage.play("look at children", change("children"));
      await gate.reached;
      const children = below(serverOf(stage));
      expect(children.some(({ command }) => command.includes("git"))).toBe(true);
      for (const { environment, command } of children) {
        for (const secret of [KEY_LINE, WEBHOOK_SECRET, MODEL_KEY]) {
          expect(`${environment}${command}`.includes(secret), command).toBe(false);
        }
      }
      gate.open();
      await pushed;
    },
    JOB_MS,
  );
});

describe("a server that ends", () => {
  it(
    "tokens-16 it is stopped in the middle of a job",
    async () => {
      const own = await openStage({});
      try {
        const asked = Promise.withResolvers<void>();
        own.rehearse("never end", {
          replies: [
            () => {
              asked.resolve();
              return { fault: "hang" } as const;
            },
          ],
          report: "",
        });
        await own.world.say("/codex never end");
        await asked.promise;
        expect(tokensOf(own).filter(isAlive).length).toBeGreaterThanOrEqual(2);
        expect(await own.world.stop("SIGTERM")).toBe(0);
        expect(tokensOf(own).filter(isAlive)).toEqual([]);
      } finally {
        await own.end();
      }
    },
    JOB_MS,
  );

  it(
    "tokens-17 it is killed while publishing, and the person loses the right to write meanwhile",
    async () => {
      let dying: (() => void) | null = null;
      const own = await openStage({
        ...CHECKED,
        fault: ({ method, path: to }) => {
          if (dying === null || method !== "POST" || !to.endsWith("/git/refs")) {
            return undefined;
          }
          dying();
          return { when: "before", answer: "drop" };
        },
      });
      try {
        const { world } = own;
        const dead = Promise.withResolvers<void>();
        dying = () => {
          dying = null;
          world.stop("SIGKILL").then(() => dead.resolve(), dead.reject);
        };
        own.rehearse("publish this", change("this"));
        await world.say("/codex publish this");
        await dead.promise;
        world.github.repository("shop").collaborators.ada = "read";
        await world.start();
        expect(await world.ended()).toContain("❌ failed");
        // Now, and after whatever was stored to be written has been looked at again.
        await own.world.say("/codex help");
        const writes = ["refs/heads/codex", "refs/pull"].map((ref) =>
          execFileSync("git", ["for-each-ref", ref], { cwd: world.bare, encoding: "utf8" }),
        );
        expect([writes, world.pulls()]).toEqual([["", ""], []]);
      } finally {
        await own.end();
      }
    },
    2 * JOB_MS,
  );

  it(
    "tokens-18 the file of the App's key is open to others, and nobody says so",
    async () => {
      const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-key-"));
      const file = path.join(dir, "app.pem");
      writeFileSync(file, PRIVATE_KEY);
      chmodSync(file, 0o644);
      const own = await openStage({ env: { PRIVATE_KEY: "", PRIVATE_KEY_PATH: file } });
      try {
        expect(own.world.log()).toContain(`is open to others (mode 644); run: chmod 600 ${file}`);
      } finally {
        await own.end();
        rmSync(dir, { recursive: true, force: true });
      }
    },
    JOB_MS,
  );
});
