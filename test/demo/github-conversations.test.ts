import { describe, expect, it } from "vitest";
import { git } from "../../demo/github/bare.ts";
import { installation, standIn } from "./github-support.ts";

const desk = { owner: "harbour", repo: "desk" };

describe("issues and pull requests", () => {
  it("keeps comments, edits and one reaction of a kind", async () => {
    const { github } = await standIn();
    const { octokit } = await installation(github, { issues: "write" });
    const said = await github.comment({
      repository: "desk",
      issue: 1,
      login: "maintainer",
      body: "/codex help",
    });
    const eyes = { ...desk, comment_id: said.comment.id, content: "eyes" as const };
    expect((await octokit.rest.reactions.createForIssueComment(eyes)).status).toBe(201);
    expect((await octokit.rest.reactions.createForIssueComment(eyes)).status).toBe(200);
    expect(github.repository("desk").reactions).toHaveLength(1);

    const { data } = await octokit.rest.issues.createComment({
      ...desk,
      issue_number: 1,
      body: "Board",
    });
    expect(data.user?.login).toBe("draftsmith[bot]");
    await octokit.rest.issues.updateComment({ ...desk, comment_id: data.id, body: "Board 2" });
    await expect(
      octokit.rest.issues.updateComment({ ...desk, comment_id: said.comment.id, body: "not mine" }),
    ).rejects.toMatchObject({ status: 403 });
    const listed = await octokit.paginate(octokit.rest.issues.listComments, {
      ...desk,
      issue_number: 1,
      per_page: 1,
    });
    expect(listed.map((comment) => comment.body)).toEqual(["/codex help", "Board 2"]);
    await expect(
      octokit.rest.issues.createComment({ ...desk, issue_number: 1, body: "x".repeat(65_537) }),
    ).rejects.toMatchObject({ status: 422 });
  });

  it("tells a role from a stranger", async () => {
    const { github } = await standIn();
    const { octokit } = await installation(github, { issues: "read" });
    const role = async (username: string) =>
      (await octokit.rest.repos.getCollaboratorPermissionLevel({ ...desk, username })).data;
    expect(await role("maintainer")).toMatchObject({ permission: "write", role_name: "maintain" });
    expect(await role("visitor")).toMatchObject({ permission: "read" });
    await expect(role("stranger")).rejects.toMatchObject({ status: 404 });
  });

  it("opens a draft once, and refuses what GitHub refuses", async () => {
    const { github, sha, path } = await standIn();
    const { octokit } = await installation(github, { contents: "write", pull_requests: "write" });
    const request = { ...desk, title: "Say it", head: "codex/1", base: "main", draft: true };
    await expect(octokit.rest.pulls.create(request)).rejects.toMatchObject({ status: 422 });
    await git(path, ["update-ref", "refs/heads/codex/1", sha]);
    await expect(octokit.rest.pulls.create(request)).rejects.toMatchObject({
      message: expect.stringContaining("No commits between main and codex/1"),
    });

    const blob = await git(path, ["hash-object", "-w", "--stdin"], {
      input: "# Harbour\n\nTides.\n",
    });
    const tree = await git(path, ["mktree"], { input: `100644 blob ${blob}\tREADME.md\n` });
    const made = await octokit.rest.git.createCommit({
      ...desk,
      message: "Tides",
      tree,
      parents: [sha],
    });
    await octokit.rest.git.updateRef({ ...desk, ref: "heads/codex/1", sha: made.data.sha });
    const { data } = await octokit.rest.pulls.create(request);
    expect(data).toMatchObject({
      number: 2,
      draft: true,
      head: { sha: made.data.sha },
      commits: 1,
      additions: 2,
    });
    await expect(octokit.rest.pulls.create(request)).rejects.toMatchObject({
      message: expect.stringContaining("A pull request already exists for harbour:codex/1."),
    });
    const found = await octokit.rest.pulls.list({ ...desk, head: "harbour:codex/1", base: "main" });
    expect(found.data.map((pull) => pull.number)).toEqual([2]);
    await octokit.rest.pulls.update({ ...desk, pull_number: 2, body: "Evidence" });
    expect((await octokit.rest.issues.get({ ...desk, issue_number: 2 })).data).toMatchObject({
      body: "Evidence",
      draft: true,
      pull_request: { url: data.url },
    });
    const files = await octokit.rest.pulls.listFiles({ ...desk, pull_number: 2 });
    expect(files.data).toMatchObject([{ filename: "README.md", status: "modified", additions: 2 }]);
  });

  it("has no drafts where the plan has none", async () => {
    const { github, sha, path } = await standIn({ drafts: false });
    const { octokit } = await installation(github, { contents: "write", pull_requests: "write" });
    const tree = await git(path, ["rev-parse", `${sha}^{tree}`]);
    const made = await octokit.rest.git.createCommit({
      ...desk,
      message: "x",
      tree,
      parents: [sha],
    });
    await octokit.rest.git.createRef({ ...desk, ref: "refs/heads/x", sha: made.data.sha });
    const request = { ...desk, title: "x", head: "x", base: "main", draft: true };
    await expect(octokit.rest.pulls.create(request)).rejects.toMatchObject({
      message: expect.stringContaining("Draft pull requests are not supported in this repository."),
    });
  });

  it("gives files raw or encoded, and 404 for none", async () => {
    const { github } = await standIn();
    const { octokit } = await installation(github, { contents: "read" });
    const file = { ...desk, path: "README.md" };
    const raw = await octokit.rest.repos.getContent({ ...file, mediaType: { format: "raw" } });
    expect(raw.data).toBe("# Harbour\n");
    expect((await octokit.rest.repos.getContent(file)).data).toMatchObject({
      encoding: "base64",
      path: "README.md",
    });
    await expect(
      octokit.rest.repos.getContent({ ...desk, path: ".github/codex.yml" }),
    ).rejects.toMatchObject({ status: 404 });
  });
});
