import { expect, test } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { pushFile } from "../support/push-file.ts";
import { plays, startWorld, taskOf, type World } from "../support/world.ts";

const write = (path: string, content: string) => ({ name: "write", arguments: { path, content } });

/** A world with one open draft of ours; `during` happens while the follow-up's model thinks. */
async function worldWithDraft(
  during: (world: World, branch: string) => Promise<unknown>,
  fault?: (request: RecordedRequest) => Promise<Fault | undefined>,
) {
  const play = plays({
    "make it": { calls: [write("a.txt", "a\n")], report: "Make it\n\nAs asked." },
    "one more": { calls: [write("c.txt", "c\n")], report: "One more\n\nAs asked." },
    "go on": { calls: [write("b.txt", "b\n")], report: "Go on\n\nAs asked." },
  });
  let ready: World | null = null;
  const world = await startWorld({
    config: "checks: ['true']\n",
    ...(fault ? { fault } : {}),
    model: async (request) => {
      const replies = request.messages.filter((message) => message.role === "assistant").length;
      const branch = ready?.pulls()[0]?.head;
      if (ready && branch && taskOf(request) === "go on" && replies === 1) {
        await during(ready, branch);
      }
      return play(request);
    },
  });
  ready = world;
  await world.say("/codex make it");
  await world.ended();
  const [pull] = world.pulls();
  if (!pull) throw new Error("no pull request");
  return { world, pull };
}

test("a follow-up is carried over what a person pushed meanwhile, and checked again", {
  timeout: 60_000,
}, async () => {
  let theirs = "";
  const { world, pull } = await worldWithDraft(async (during, branch) => {
    theirs = await pushFile(during, branch, "theirs.txt", "theirs\n");
  });
  await world.say("/codex go on", pull.number);
  expect(await world.ended(pull.number)).toContain("✅ done");
  expect(await git(world.bare, ["rev-parse", `${pull.head}^`])).toBe(theirs);
  expect(await world.show(`${pull.head}:theirs.txt`)).toBe("theirs");
  expect(await world.show(`${pull.head}:b.txt`)).toBe("b");
});

test("a follow-up brings nothing back that a person took off the branch meanwhile", {
  timeout: 60_000,
}, async () => {
  const { world, pull } = await worldWithDraft(async ({ bare }, branch) => {
    const person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    const anew = [...person, "commit-tree", "main^{tree}", "-p", "main", "-m", "Begin anew"];
    await git(bare, ["update-ref", `refs/heads/${branch}`, await git(bare, anew)]);
  });
  await world.say("/codex go on", pull.number);
  expect(await world.ended(pull.number)).toContain("✅ done");
  const files = await git(world.bare, ["ls-tree", "--name-only", pull.head]);
  expect(files.split("\n")).toContain("b.txt");
  expect(files.split("\n")).not.toContain("a.txt");
});

test("a follow-up that conflicts with what a person pushed leaves the branch alone and says so", {
  timeout: 60_000,
}, async () => {
  let theirs = "";
  const { world, pull } = await worldWithDraft(async (during, branch) => {
    theirs = await pushFile(during, branch, "b.txt", "theirs\n");
  });
  await world.say("/codex go on", pull.number);
  expect(await world.ended(pull.number)).toMatch(/❌ failed.*conflicts with it on b\.txt/);
  expect(await git(world.bare, ["rev-parse", pull.head])).toBe(theirs);
  await expect.poll(() => git(world.bare, ["for-each-ref", "refs/draftsmith"])).toBe("");
});

test("two tasks on one pull request become two commits on its branch", {
  timeout: 60_000,
}, async () => {
  const { world, pull } = await worldWithDraft(async () => undefined);
  const before = await git(world.bare, ["rev-parse", pull.head]);
  await world.say("/codex\n- go on\n- one more", pull.number);
  const board = await world.ended(pull.number);
  expect(board.match(/\[commit /g), board).toHaveLength(2);
  expect(await git(world.bare, ["rev-list", "--count", `${before}..${pull.head}`])).toBe("2");
  expect(await world.show(`${pull.head}:b.txt`)).toBe("b");
  expect(await world.show(`${pull.head}:c.txt`)).toBe("c");
});

test("work on a pull request goes on when its base branch moved", { timeout: 60_000 }, async () => {
  const { world, pull } = await worldWithDraft(async () => undefined);
  await world.say("/codex go on", pull.number);
  await world.ended(pull.number);
  await pushFile(world, "main", "main.txt", "main\n");
  await world.say("/codex make it again", pull.number);
  expect(await world.ended(pull.number, 2)).toContain("➖ no change");
  expect(JSON.stringify(world.model.requests.at(-1)?.body.messages)).not.toContain("main.txt");
});

test("a follow-up that was carried over stands once after kill -9 at its last act", {
  timeout: 60_000,
}, async () => {
  let theirs = "";
  let killed = false;
  let running: World | null = null;
  const { world, pull } = await worldWithDraft(
    async (during, branch) => {
      theirs = await pushFile(during, branch, "theirs.txt", "theirs\n");
    },
    async (request) => {
      if (killed || request.method !== "PATCH" || !request.path.includes("/git/refs/")) return;
      killed = true;
      await running?.stop("SIGKILL");
      setImmediate(() => void running?.start());
      return { when: "after", answer: "drop" };
    },
  );
  running = world;
  await world.say("/codex go on", pull.number);
  expect(await world.ended(pull.number)).toContain("✅ done");
  expect(killed).toBe(true);
  expect(await git(world.bare, ["rev-parse", `${pull.head}^`])).toBe(theirs);
  expect(await world.show(`${pull.head}:b.txt`)).toBe("b");
});
