import { rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { PATIENCE } from "../support/world-repository.ts";
import {
  type Ended,
  expectNothingLeft,
  type LeavingWorld,
  openLeavingWorld,
  shell,
  write,
} from "./leaving-world.ts";

/** Whether GitHub takes eve's admin rights away once she has spoken. */
let demotes = false;
let asked = 0;

function fault({ path: where }: RecordedRequest): Fault | undefined {
  if (!demotes || !where.endsWith("/collaborators/eve/permission")) return undefined;
  asked += 1;
  if (asked === 1) return undefined;
  return {
    when: "before",
    answer: { status: 200, body: { permission: "write", role_name: "write" } },
  };
}

let leaving: LeavingWorld;

beforeAll(async () => {
  leaving = await openLeavingWorld({ fault });
}, 60_000 * PATIENCE);
afterAll(() => leaving.end());

/** Waits until something is published for an issue. */
function published(issue: number): Promise<Ended> {
  return leaving.until(async () => {
    const ended = await leaving.look(issue);
    return ended.pull && /✅ done/.test(ended.board) ? ended : null;
  });
}

/** Waits until the board of an issue says something. */
function told(issue: number, words: RegExp, by = leaving): Promise<Ended> {
  return by.until(async () => {
    const ended = await by.look(issue);
    return words.test(ended.board) ? ended : null;
  });
}

const workflow = (text = "on: pull_request_target\n") => [write(".github/workflows/ci.yml", text)];
describe("the word of an admin", { timeout: 120_000 * PATIENCE }, () => {
  const lets = async (...commands: string[]) => {
    const ended = await leaving.play(commands.map(shell));
    return { ...ended, command: leaving.command(ended) };
  };
  const owners = (name: string) =>
    lets(`echo '* ${name}' > .github/CODEOWNERS; echo ${name} > ${name}`);

  it.concurrent("leaving-31 for another commit than the one that is held", async () => {
    const { issue, command } = await owners("one");
    const other = command.replace(/[0-9a-f]{40}$/, leaving.world.baseSha);
    expect(await leaving.answer(issue, other)).toMatch(/holds another change/);
    expectNothingLeft(await leaving.look(issue));
  });

  it.concurrent("leaving-33 in another conversation", async () => {
    const { command, issue } = await owners("three");
    const elsewhere = leaving.world.issue({ title: "Elsewhere", body: "" });
    expect(await leaving.answer(elsewhere, command)).toMatch(/there is no job/);
    expectNothingLeft(await leaving.look(issue));
  });

  it.concurrent("leaving-34 said many times at once, again, and once more by GitHub", async () => {
    const { issue, command } = await owners("four");
    const said = await Promise.all([1, 2, 3].map(() => leaving.world.say(command, issue, "eve")));
    const ended = await published(issue);
    const [first] = said;
    if (first) await leaving.world.github.redeliver("shop", first);
    expect(await leaving.answer(issue, command)).toMatch(/allowed this change already/);
    expect(
      leaving.world.pulls().filter(({ head }) => head.startsWith(`codex/${issue}-`)),
    ).toHaveLength(1);
    expect(ended.refs).toHaveLength(1);
    const opening = ended.body.split("\n").slice(1, 5).join("\n");
    expect(opening).toMatch(/\*\*eve \(admin\) allowed this\*\*[\s\S]*`\.github\/CODEOWNERS`/);
    // Exactly what was held, and nothing else.
    const { bare } = leaving.world;
    const held = command.split(" ").at(-1) ?? "";
    expect(ended.board).toContain("✅");
    const tree = await git(bare, ["rev-parse", `${ended.pull?.head}^{tree}`]);
    const files = await git(bare, ["diff", "--name-only", "main", `${ended.pull?.head}`]);
    expect([tree.length, files.split("\n"), held.length]).toEqual([
      40,
      [".github/CODEOWNERS", "four"],
      40,
    ]);
  });

  it.concurrent("leaving-35 after the held change was lost with the mirror", async () => {
    const own = await openLeavingWorld();
    try {
      const ended = await own.play(workflow());
      const command = own.command(ended);
      const id = own.world.github.repository("shop").id;
      rmSync(path.join(own.world.dataDir, `work/mirrors/${id}.git`), {
        recursive: true,
        force: true,
      });
      await sqlOn({ file: path.join(own.world.dataDir, "draftsmith.db") }, "delete from snapshots");
      await own.world.say(command, ended.issue, "eve");
      expectNothingLeft(await told(ended.issue, /⛔ blocked.*the held change is lost/, own));
    } finally {
      await own.end();
    }
  });
});

describe("the word of an admin, one attack at a time", { timeout: 120_000 * PATIENCE }, () => {
  it("leaving-36 of one who is no admin any more when it is published", async () => {
    const ended = await leaving.play(workflow("on: push # demoted\n"));
    asked = 0;
    demotes = true;
    await leaving.world.say(leaving.command(ended), ended.issue, "eve");
    const after = await told(ended.issue, /eve is no longer an admin/).finally(() => {
      demotes = false;
    });
    expectNothingLeft(after);
  });

  it("leaving-37 for workflows, which GitHub itself refuses until the App may", async () => {
    const { app } = leaving.world.github.state;
    const ended = await leaving.play(workflow("on: push # refused\n"));
    const command = leaving.command(ended);
    await leaving.world.say(command, ended.issue, "eve");
    const refused = await told(ended.issue, /⛔ blocked.*refusing to allow a GitHub App/);
    expect(refused.board).toMatch(/lacks the permission "Workflows: read and write"/);
    expectNothingLeft(refused);
    app.permissions.workflows = "write";
    try {
      await leaving.world.say(command, ended.issue, "eve");
      expect((await published(ended.issue)).body).toContain("eve (admin) allowed this");
    } finally {
      delete app.permissions.workflows;
    }
  });

  it("leaving-38 and the server dies before it acts on it", async () => {
    const ended = await leaving.play([shell("echo '* five' > .github/CODEOWNERS")]);
    await leaving.world.say(leaving.command(ended), ended.issue, "eve");
    await leaving.world.stop("SIGKILL");
    await leaving.world.start();
    const after = await published(ended.issue);
    expect(after.refs).toHaveLength(1);
    expect(after.body).toContain("eve (admin) allowed this");
  });

  it("leaving-39 after the branch moved on which the change was made", async () => {
    const ended = await leaving.play([shell("echo '* six' > .github/CODEOWNERS")]);
    const { bare } = leaving.world;
    const person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    const moved = await git(bare, [
      ...person,
      "commit-tree",
      "main^{tree}",
      "-p",
      "main",
      "-m",
      "More",
    ]);
    await git(bare, ["update-ref", "refs/heads/main", moved]);
    expect(await leaving.answer(ended.issue, leaving.command(ended))).toMatch(
      /moved to `[0-9a-f]{12}` since this change was made/,
    );
    expectNothingLeft(await leaving.look(ended.issue));
  });
});
