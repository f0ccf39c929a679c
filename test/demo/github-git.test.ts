import { describe, expect, it } from "vitest";
import { branchTip, git } from "../../demo/github/bare.ts";
import { gitClient, installation, standIn, temporaryDirectory } from "./github-support.ts";

const desk = { owner: "harbour", repo: "desk" };

describe("git over HTTP", () => {
  it("fetches with a read token, pushes with a write token, and shows nobody else anything", async () => {
    const { github, sha, path } = await standIn();
    const read = await installation(github, { contents: "read" });
    const write = await installation(github, { contents: "write" });
    const none = await installation(github, { issues: "write" });
    const remote = `${github.url}/harbour/desk.git`;
    const clone = temporaryDirectory();

    expect((await gitClient(clone, ["clone", "--quiet", remote, "no"])).code).not.toBe(0);
    expect((await gitClient(clone, ["clone", "--quiet", remote, "no"], none.token)).text).toContain(
      "not found",
    );
    expect((await gitClient(clone, ["clone", "--quiet", remote, "."], read.token)).code).toBe(0);
    const other = ["ls-remote", `${github.url}/harbour/other.git`];
    expect((await gitClient(clone, other, read.token)).text).toContain("not found");

    const identity = ["-c", "user.name=Bo", "-c", "user.email=bo@example.com"];
    await git(clone, [...identity, "commit", "--quiet", "--allow-empty", "-m", "More"]);
    const push = ["push", "--quiet", remote, "HEAD:refs/draftsmith/job"];
    expect((await gitClient(clone, push, read.token)).text).toContain("403");
    expect(await git(path, ["for-each-ref", "refs/draftsmith"])).toBe("");
    expect((await gitClient(clone, push, write.token)).code).toBe(0);
    expect(await git(path, ["for-each-ref", "--format=%(refname)", "refs/draftsmith"])).toBe(
      "refs/draftsmith/job",
    );
    expect(await branchTip(path, "main")).toBe(sha);

    const pushes = github.requests.filter((request) => request.path.endsWith("git-receive-pack"));
    expect(pushes.map((request) => request.permissions.contents)).toEqual(["write"]);
  });

  it("makes commits as the App, moves branches forward only, and says why when it does not", async () => {
    const { github, sha, path } = await standIn();
    const { octokit } = await installation(github, { contents: "write" });
    const tree = await git(path, ["rev-parse", `${sha}^{tree}`]);
    const made = await octokit.rest.git.createCommit({
      ...desk,
      message: "Say it\n\nWhy: so.",
      tree,
      parents: [sha],
    });
    expect(made.data.verification.verified).toBe(true);
    expect(await git(path, ["show", "-s", "--format=%an|%cn|%P|%B", made.data.sha])).toBe(
      `draftsmith[bot]|draftsmith[bot]|${sha}|Say it\n\nWhy: so.`,
    );
    expect(await git(path, ["cat-file", "commit", made.data.sha])).not.toContain("gpgsig");

    const ref = { ...desk, ref: "heads/codex/1", sha: made.data.sha };
    await octokit.rest.git.createRef({ ...ref, ref: "refs/heads/codex/1" });
    expect((await octokit.rest.git.getRef(ref)).data.object.sha).toBe(made.data.sha);
    await expect(
      octokit.rest.git.createRef({ ...ref, ref: "refs/heads/codex/1" }),
    ).rejects.toMatchObject({ status: 422 });
    await expect(octokit.rest.git.updateRef({ ...ref, sha })).rejects.toMatchObject({
      message: expect.stringContaining("fast forward"),
    });
    await expect(
      octokit.rest.git.createCommit({
        ...desk,
        message: "x",
        tree: sha.replace(/./g, "1"),
        parents: [],
      }),
    ).rejects.toMatchObject({ status: 422 });
    await octokit.rest.git.deleteRef(ref);
    await expect(octokit.rest.git.getRef(ref)).rejects.toMatchObject({ status: 404 });
    await expect(octokit.rest.git.deleteRef(ref)).rejects.toMatchObject({ status: 422 });
  });
});
