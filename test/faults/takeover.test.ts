import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { git } from "../../demo/github/bare.ts";
import { join, startWebWorld } from "../support/fleet.ts";
import { startPostgres } from "../support/postgres.ts";
import { plays, taskOf } from "../support/world.ts";
import { PATIENCE } from "../support/world-repository.ts";

const shell = (command: string) => ({ name: "shell", arguments: { command } });
/** Files that are made once and looked at in the next step; bytes by chance do not get smaller in a pack. */
const script = (name: string, bytes: number) => ({
  calls: [
    shell(`head -c ${bytes} /dev/urandom > ${name}.bin; sha256sum < ${name}.bin`),
    shell(`[ -e ${name}.bin ] || echo lost > ${name}.bin; sha256sum < ${name}.bin`),
  ],
  report: `Add ${name}\n\nAs asked.`,
});
const LARGE = 3_000_000;
const scripts = {
  alpha: script("alpha", 2000),
  bravo: script("bravo", LARGE),
  charlie: script("charlie", 2000),
  delta: script("delta", LARGE),
};
const names = Object.keys(scripts);

/** Refuses the refs that keep files while a file of that name is there, as a ruleset would. */
const HOOK = `#!/bin/sh
case "$1" in refs/draftsmith/wip/*) [ ! -e refused ] || { echo "no such refs here"; exit 1; };; esac
`;

test("takeover-01 of three workers that live one is killed and one frozen: the third goes on with the same words and files, large ones too, and is told what GitHub had refused to keep", {
  timeout: 240_000 * PATIENCE,
}, async () => {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.stop());
  const url = await postgres.database();
  const play = plays(scripts);
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  for (const name of names) waiting.set(name, Promise.withResolvers());
  const gone = Promise.withResolvers<void>();
  let taken = false;
  const world = await startWebWorld(url, {
    config: "limits: { binary_kilobytes: 8000 }\n",
    model: async (request) => {
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      if (replies === 1 && !taken) {
        waiting.get(taskOf(request).slice("add ".length))?.resolve();
        await gone.promise;
      }
      return play(request);
    },
  });
  writeFileSync(path.join(world.bare, "hooks", "update"), HOOK, { mode: 0o755 });
  const worker = (name: string) =>
    join(world, ["worker"], {
      DATABASE_URL: url,
      DATA_DIR: path.join(world.home, name),
      DRAFTSMITH_CONCURRENCY: name === "third" ? "4" : "2",
      DRAFTSMITH_CONCURRENCY_PER_REPOSITORY: "8",
    });
  const refs = () => git(world.bare, ["for-each-ref", "--format=%(refname)", "refs/draftsmith"]);
  const come = (...all: string[]) => Promise.all(all.map((name) => waiting.get(name)?.promise));

  const first = await worker("first");
  await world.say("/codex\n- add alpha\n- add bravo");
  await come("alpha", "bravo");
  const kept = (await refs()).split("\n");
  expect(kept).toEqual([expect.stringMatching(/^refs\/draftsmith\/wip\/[0-9a-f-]{36}\/0$/)]);
  expect(await git(world.bare, ["log", "-1", "--format=%P|%s", kept[0] ?? ""])).toBe(
    "|Files of a job at work, sealed",
  );
  expect(await git(world.bare, ["ls-tree", "-r", "--name-only", kept[0] ?? ""])).toBe("files");
  writeFileSync(path.join(world.bare, "refused"), "");
  const second = await worker("second");
  await world.say("/codex\n- add charlie\n- add delta");
  await come("charlie", "delta");
  rmSync(path.join(world.bare, "refused"));
  await worker("third");
  taken = true;
  first.child.kill("SIGKILL");
  second.child.kill("SIGSTOP");
  gone.resolve();
  await vi.waitFor(
    () => {
      const boards = world.answers().map(({ body }) => body);
      expect(boards.join("\n").match(/✅|⚠️/g) ?? [], boards.join("\n")).toHaveLength(names.length);
    },
    { timeout: 150_000 * PATIENCE, interval: 250 },
  );
  second.child.kill("SIGCONT");
  await vi.waitFor(() => expect(second.log()).toMatch(/given up here/), {
    timeout: 60_000 * PATIENCE,
    interval: 100,
  });
  expect(await second.stop("SIGTERM")).toBe(0);
  expect(second.log()).toMatch(/GitHub did not take the files of a step/);

  const pulls = world.pulls();
  expect(pulls.map(({ head }) => head.split("-")[2]).sort()).toEqual(names);
  for (const name of names) {
    const asked = world.model.requests
      .map(({ body }) => body)
      .filter((b) => taskOf(b).includes(name));
    const words = asked.map(({ messages }) => JSON.stringify(messages));
    // Each reply once, and once more the one that was under way, with the very same words.
    const lost = name === "delta";
    expect([name, new Set(words).size, words.length]).toEqual([name, lost ? 4 : 3, 4]);
    const said = asked.at(-1)?.messages ?? [];
    const sums = said.filter(({ role }) => role === "tool").map(({ content }) => content);
    expect([name, sums[0] === sums[1]]).toEqual([name, !lost]);
    expect([name, JSON.stringify(said).includes("what later calls changed is lost")]).toEqual([
      name,
      lost,
    ]);
    const pull = pulls.find(({ head }) => head.includes(name));
    const size = await git(world.bare, ["cat-file", "-s", `${pull?.head}:${name}.bin`]);
    expect([name, size]).toEqual([name, lost ? "5" : name === "bravo" ? `${LARGE}` : "2000"]);
  }
  await vi.waitFor(async () => expect(await refs()).toBe(""), { timeout: 20_000 * PATIENCE });
});
