import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { createGit } from "../../../src/adapters/git/git.ts";
import { TransientError } from "../../../src/core/errors.ts";
import type { Sandbox } from "../../../src/core/ports.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { silentLog } from "../../support/log.ts";
import { TEST_USER } from "../../support/workspace.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

/** A git whose machine has the room that `room` says, and a GitHub that lives at `origin`. */
function gitWith(room: Sandbox["room"], origin: string) {
  const sandbox: Sandbox = { check: world.sandbox.check, run: world.sandbox.run, room };
  const remoteUrl = () => `${origin}/acme/large.git`;
  return createGit({
    workDir: world.workDir,
    sandbox,
    user: TEST_USER,
    remoteUrl,
    log: silentLog,
  });
}

const repo = { installationId: 1, id: 77, owner: "acme", name: "large" };
const SHA = "a".repeat(40);

it("fetches nothing where there is no room", async () => {
  const asked: unknown[] = [];
  const server = createServer((request) => void asked.push(request.url)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const git = gitWith(async () => "12 MB are free", `http://127.0.0.1:${port}`);
  const fetched = git.fetch(repo, [SHA], async () => "token");
  await expect(fetched).rejects.toThrow(TransientError);
  await expect(fetched).rejects.toThrow("this server is short of disk or memory");
  expect(asked).toEqual([]);
});

it("gives a transfer up when room runs out, and removes what had come", async () => {
  const answers: (string | null)[] = [null];
  // GitHub sends on and on; here it takes its time.
  const server = createServer(() => {
    const packs = path.join(world.workDir, "mirrors/77.git/objects/pack");
    mkdirSync(packs, { recursive: true });
    writeFileSync(path.join(packs, "tmp_pack_x1y2z3"), "PACK");
    answers.unshift("12 MB are free");
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const git = gitWith(async () => answers[0] ?? null, `http://127.0.0.1:${port}`);
  await expect(git.fetch(repo, [SHA], async () => "token")).rejects.toThrow(TransientError);
  expect(existsSync(path.join(world.workDir, "mirrors/77.git/objects/pack/tmp_pack_x1y2z3"))).toBe(
    false,
  );
});
