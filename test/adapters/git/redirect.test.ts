import { request as ask, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createGit } from "../../../src/adapters/git/git.ts";
import { UserError } from "../../../src/core/errors.ts";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { silentLog } from "../../support/log.ts";
import { TEST_USER } from "../../support/workspace.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

/** A host in front of the world's that sends what begins with /acme/old.git to `to`, and hands on the rest. */
async function hostThatSends(to: (rest: string, own: string) => string, name: string) {
  const host = createServer((request, response) => {
    const { url = "", method, headers } = request;
    const own = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
    if (url.startsWith("/acme/old.git")) {
      response.writeHead(301, { location: to(url.slice("/acme/old.git".length), own) }).end();
      return;
    }
    const passed = ask(`${world.server.origin}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(passed);
  });
  await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void host.close());
  const { port } = host.address() as AddressInfo;
  return createGit({
    workDir: path.join(world.root, name),
    sandbox: world.sandbox,
    user: TEST_USER,
    remoteUrl: () => `http://127.0.0.1:${port}/acme/old.git`,
    log: silentLog,
  });
}

describe("a repository that GitHub sends git away from", () => {
  it("is followed on the same host, as after a rename", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    const git = await hostThatSends(
      (rest, own) => `${own}/acme/${repo.name}.git${rest}`,
      "renamed",
    );
    await git.fetch(repo, [sha], world.token);
    await git.pushRef(repo, sha, "refs/draftsmith/x", world.server.token);
    expect(await git.find(repo, sha, "a.txt")).toEqual(["a.txt"]);
  });

  it("is not followed to another host, which gets no token", async () => {
    const { repo, remote } = world.repository();
    const sha = remote.commit({ "a.txt": "a\n" });
    const before = world.server.requests.length;
    const git = await hostThatSends(
      (rest) => `${world.server.origin}/acme/${repo.name}.git${rest}`,
      "elsewhere",
    );
    const failing = git.fetch(repo, [sha], world.token);
    await expect(failing).rejects.toBeInstanceOf(UserError);
    await expect(failing).rejects.toThrow("to another address");
    expect(world.server.requests.length).toBe(before);
  });
});
