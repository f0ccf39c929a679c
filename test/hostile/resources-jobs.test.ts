import { readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Workspace } from "../../src/core/ports.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";
import { openWorld, plays } from "../support/world.ts";
import { JOB_MS, openStage, type Stage, shell, write } from "./play.ts";
import { BOMB, FILL, HERD, MB, perl } from "./pressed.ts";

describe("a hostile job beside an honest one", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({
      config: "checks:\n  - test -f README.md\n",
      repositories: {
        greedy: {
          config: `setup:\n  - ${HERD.replaceAll("'", "''").replace(/^(.*)$/s, "'$1'")}\n`,
        },
        checked: {
          config: `checks:\n  - 'perl -e "my \\$all = q(x) x 600000000; sleep 60"'\n  - kill -9 $$\n  - ${FILL.replace(/^(.*)$/s, "'$1'")}\n  - sleep 600\nlimits:\n  check_minutes: 0.05\n`,
        },
      },
      env: { DRAFTSMITH_MEMORY_MB: "400", DRAFTSMITH_DISK_MB: "64" },
    });
  }, JOB_MS);
  afterAll(() => stage.end());

  /** Plays an attack while another person's job runs; both ends, and the slowest answer of the server. */
  async function beside(task: string, commands: string[], where = "shop") {
    const health = new URL("/healthz", stage.world.github.hook.url ?? "");
    let slowestMs = 0;
    let ended = false;
    const asking = (async () => {
      while (!ended) {
        const began = performance.now();
        expect((await fetch(health)).status).toBe(200);
        slowestMs = Math.max(slowestMs, performance.now() - began);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
    const honest = `plain work ${task.length}`;
    const report = "Add a file\n\nAs asked.";
    const [attack, neighbour] = await Promise.all([
      stage.play(task, { replies: commands.map(shell), report }, where),
      stage.play(honest, {
        replies: [write(`${task.length}.txt`, "x\n"), shell("cat *.txt")],
        report,
      }),
    ]);
    ended = true;
    await asking;
    expect(neighbour.board).toContain("✅ done");
    expect(slowestMs).toBeLessThan(3000);
    return attack;
  }

  /** Nothing of any job is left, in the workspaces, the trash, or the control groups. */
  async function expectClean(): Promise<void> {
    const work = path.join(stage.world.dataDir, "work");
    await vi.waitFor(
      () => {
        for (const name of ["workspaces", "trash"]) {
          expect(readdirSync(path.join(work, name))).toEqual([]);
        }
      },
      { timeout: 20_000, interval: 100 },
    );
  }

  it("resources-30 fills the disk again after it was told: it ends, said in words, and leaves nothing", {
    timeout: JOB_MS,
  }, async () => {
    const { board, results, pulls } = await beside("fill the disk", [FILL, FILL, "echo more"]);
    expect(results[0]).toContain("[stopped: it used more than 64 MB of disk]");
    expect(results[0]).toContain("stopped at the disk limit");
    expect(board).toContain("❌ failed");
    expect(board).toContain("it used more than 64 MB of disk, twice");
    expect(pulls.map((pull) => pull.head).join()).not.toContain("fill-the-disk");
    await expectClean();
  });

  it("resources-31 bombs with processes, memory and output, one after another", {
    timeout: JOB_MS,
  }, async () => {
    const flood = "yes | head -c 200M";
    const { board, results } = await beside("bomb it", [BOMB, HERD, flood, "echo alive >new.txt"]);
    expect(results[0]).toMatch(/\d+ processes|stopped at the memory limit/);
    expect(results[1]).toContain(
      "[stopped: it used more than 400 MB of memory; the server's DRAFTSMITH_MEMORY_MB",
    );
    expect(results[1]).toContain("stopped at the memory limit");
    expect(results[2]).toContain("stopped after 20 MB of output");
    expect(board).toContain("✅ done");
    await expectClean();
  });

  it("resources-32 has a setup that takes all memory: the job says so, and no model is asked", {
    timeout: JOB_MS,
  }, async () => {
    const { board } = await beside("set up", ["echo never"], "greedy");
    expect(board).toContain("❌ failed");
    expect(board).toContain("stopped at the memory limit");
    expect(board).toContain("it used more than 400 MB of memory");
    const asked = stage.world.model.requests.map((each) => JSON.stringify(each.body));
    expect(asked.some((body) => body.includes("begin task =====\\nset up"))).toBe(false);
  });

  it("resources-33 has checks that fill disk and memory and never end: the pull request says which bound", {
    timeout: JOB_MS,
  }, async () => {
    const { pulls, board } = await beside("check it", ["echo x >x.txt"], "checked");
    expect(pulls, board).toHaveLength(1);
    const body = pulls[0] ? stage.world.at("checked").pullBody(pulls[0]) : "";
    expect(body).toContain("❌ stopped at the disk limit");
    expect(body).toContain("[stopped: it used more than 64 MB of disk]");
    expect(body).toContain("❌ stopped at the time limit");
    // Out of memory, by its job's bound or by the system's hand: said in words, with what helps.
    expect(body).toContain("❌ stopped at the memory limit");
    expect(body).toContain("more than 400 MB of memory; the server's DRAFTSMITH_MEMORY_MB allows");
    expect(body).toContain("❌ 137 (killed, as by the system when memory runs out)");
    await expectClean();
  });
});

describe("a server whose disk is nearly full", () => {
  it("resources-34 begins no job, says so, and goes on answering", {
    timeout: JOB_MS,
  }, async () => {
    const asked: unknown[] = [];
    const { world, end } = await openWorld({
      env: { DRAFTSMITH_FREE_MB: "999999999" },
      model: (request) => {
        asked.push(request);
        return plays({})(request);
      },
    });
    try {
      await world.say("/codex add a file");
      await vi.waitFor(
        () => expect(world.answers().at(-1)?.body).toContain("short of disk or memory"),
        { timeout: 20_000, interval: 100 },
      );
      expect(world.log()).toContain("a job begins when there are");
      expect((await fetch(new URL("/healthz", world.github.hook.url ?? ""))).status).toBe(200);
      expect(asked).toEqual([]);
    } finally {
      await end();
    }
  });
});

describe("a hostile tree, for git and for the removal", () => {
  let world: GitWorld;
  const jobs = new Map<string, Workspace>();
  let base: { repo: Parameters<GitWorld["open"]>[0]; sha: string };

  beforeAll(async () => {
    world = await makeGitWorld(undefined, { disk: 200 * MB, files: 60_000 });
    const { repo, remote } = world.repository();
    base = { repo, sha: remote.commit({ "a.txt": "a\n" }) };
    for (const name of ["objects", "deep", "slow"]) {
      jobs.set(name, await world.open(base.repo, base.sha, name));
    }
  });
  afterAll(() => world.close());

  const job = (name: string): Workspace => {
    const found = jobs.get(name);
    if (!found) throw new Error(`no job ${name}`);
    return found;
  };
  const trash = () => readdirSync(path.join(world.workDir, "trash"));

  it("resources-35 fills the disk through a git directory of its own", {
    timeout: JOB_MS,
  }, async () => {
    const result = await world.agent(
      job("objects"),
      "for i in $(seq 18); do head -c 20M /dev/urandom | git hash-object -w --stdin || break; done; echo kept",
    );
    expect(result).toMatchObject({ exitCode: null, stopped: "disk" });
    expect(result.output).not.toContain("kept");
  });

  it("resources-36 leaves paths no call takes whole: taken or refused in words, and gone afterwards", async () => {
    const made = await world.agent(
      job("deep"),
      perl(
        `for (1..5000) { mkdir "d"; chdir "d" } open F, ">f"; close F; chdir $ENV{HOME}; $n = "x" x 250; for (1..40) { mkdir $n; chdir $n } print "made\\n"`,
      ),
    );
    expect(made.output).toBe("made\n");
    const snapshot = await world.git.snapshot(job("deep"), base.repo, base.sha, "x");
    expect(["empty", "refused", "change"]).toContain(snapshot.status);
    if (snapshot.status === "refused") expect(snapshot.reason).toMatch(/\w+ \w+/);
    await world.git.close("deep", base.repo);
    expect(readdirSync(path.join(world.workDir, "workspaces"))).not.toContain("deep");
    await vi.waitFor(() => expect(trash()).toEqual([]), { timeout: 20_000, interval: 50 });
  });

  it("resources-37 leaves so many files that their removal takes long: nobody waits for it", async () => {
    await world.agent(
      job("slow"),
      perl(`for my $d (1..100) { mkdir "d$d"; for (1..300) { open F, ">", "d$d/$_"; close F } }`),
    );
    await world.git.close("slow", base.repo);
    expect(trash()).toHaveLength(1);
    expect(readdirSync(path.join(world.workDir, "workspaces"))).not.toContain("slow");
    // The same job may be opened again at once.
    const again = await world.open(base.repo, base.sha, "slow");
    expect(readdirSync(again.tree)).toEqual(expect.arrayContaining(["a.txt"]));
    expect(readdirSync(again.tree)).not.toContain("d1");
    await vi.waitFor(() => expect(trash()).toEqual([]), { timeout: 30_000, interval: 50 });
  });
});
