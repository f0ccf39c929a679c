import { createSign, generateKeyPairSync } from "node:crypto";
import { Webhooks } from "@octokit/webhooks";
import { describe, expect, it } from "vitest";
import { branchTip, git } from "../../demo/github/bare.ts";
import type { Fault } from "../../demo/github/serve.ts";
import {
  asApp,
  gitClient,
  installation,
  privateKey,
  standIn,
  temporaryDirectory,
  webhookReceiver,
} from "./github-support.ts";

const desk = { owner: "harbour", repo: "desk" };

function jwt(claims: object, key = privateKey): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createSign("sha256").update(signed).sign(key, "base64url")}`;
}

describe("credentials", () => {
  it("takes the App's own JWT for ten minutes at most, signed by its own key", async () => {
    const { github } = await standIn();
    const now = Math.floor(Date.now() / 1000);
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const pem = other.export({ type: "pkcs8", format: "pem" }).toString();
    const ask = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${github.url}/app`, { headers });
      return `${answer.status} ${((await answer.json()) as { message?: string }).message ?? "ok"}`;
    };

    expect(await ask(jwt({ iat: now - 30, exp: now + 570, iss: 4242 }))).toBe("200 ok");
    expect(await ask(jwt({ iat: now, exp: now + 570, iss: 4242 }, pem))).toMatch(/^401.*decoded/);
    expect(await ask(jwt({ iat: now, exp: now + 700, iss: 4242 }))).toMatch(/^401.*too far/);
    expect(await ask(jwt({ iat: now - 700, exp: now - 60, iss: 4242 }))).toMatch(
      /^401.*future time/,
    );
    expect(await ask(jwt({ iat: now, exp: now + 60, iss: 1 }))).toBe("404 Integration not found");
    expect(await ask("ghs_nobody")).toBe("401 Bad credentials");
  });

  it("binds an installation token to the repository and permissions it was asked for", async () => {
    const { github } = await standIn();
    const { octokit } = await installation(github, { contents: "read", issues: "write" });

    expect((await octokit.rest.repos.get(desk)).data.default_branch).toBe("main");
    await expect(octokit.rest.repos.get({ ...desk, repo: "other" })).rejects.toMatchObject({
      status: 404,
    });
    await expect(
      octokit.rest.git.createRef({ ...desk, ref: "refs/heads/x", sha: "0".repeat(40) }),
    ).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining("not accessible by integration"),
    });
    await expect(octokit.rest.pulls.list(desk)).rejects.toMatchObject({ status: 403 });
    await expect(octokit.rest.apps.getAuthenticated()).rejects.toMatchObject({ status: 401 });
  });

  it("grants nothing the App does not have", async () => {
    const { github } = await standIn();
    const asked = { installation_id: github.state.installationId };
    const tokens = asApp(github).rest.apps;
    await expect(
      tokens.createInstallationAccessToken({ ...asked, permissions: { workflows: "write" } }),
    ).rejects.toMatchObject({ status: 422 });
    await expect(
      tokens.createInstallationAccessToken({ ...asked, repository_ids: [9] }),
    ).rejects.toMatchObject({ status: 422 });
    await expect(
      tokens.createInstallationAccessToken({ installation_id: 1 }),
    ).rejects.toMatchObject({ status: 404 });
  });

  it("forgets a revoked token", async () => {
    const { github } = await standIn();
    const { octokit } = await installation(github, { contents: "read" });
    await octokit.rest.apps.revokeInstallationAccessToken();
    await expect(octokit.rest.repos.get(desk)).rejects.toMatchObject({ status: 401 });
  });
});

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

describe("webhooks and faults", () => {
  it("signs the comment of a person and sends it once, in full", async () => {
    const { github } = await standIn();
    const receiver = await webhookReceiver();
    github.hook.url = receiver.url;
    const said = await github.comment({
      repository: "desk",
      issue: 1,
      login: "maintainer",
      body: "/codex go",
    });
    expect(said.webhook).toMatchObject({ event: "issue_comment", action: "created", status: 202 });
    expect(receiver.received).toHaveLength(1);
    const webhooks = new Webhooks({ secret: "demo-webhook-secret" });
    const [{ headers, body } = { headers: {}, body: "" }] = receiver.received;
    expect(await webhooks.verify(body, String(headers["x-hub-signature-256"]))).toBe(true);
    expect(headers["x-github-delivery"]).toBe(said.webhook.guid);
    expect(JSON.parse(body)).toMatchObject({
      action: "created",
      comment: { body: "/codex go", user: { login: "maintainer", type: "User" } },
      issue: { number: 1, title: "Three things" },
      repository: { full_name: "harbour/desk", default_branch: "main" },
      sender: { login: "maintainer" },
      installation: { id: github.state.installationId },
    });
  });

  it("tells of the App's own comments as well", async () => {
    const { github } = await standIn();
    const receiver = await webhookReceiver();
    github.hook.url = receiver.url;
    const { octokit } = await installation(github, { issues: "write" });
    await octokit.rest.issues.createComment({ ...desk, issue_number: 1, body: "Board" });
    await github.close();
    expect(JSON.parse(receiver.received[0]?.body ?? "{}")).toMatchObject({
      sender: { type: "Bot" },
    });
  });

  it("breaks a chosen call before or after its effect", async () => {
    let plan: Fault | undefined;
    const { github } = await standIn({
      fault: (request) =>
        request.method === "POST" && request.path.endsWith("/comments") ? plan : undefined,
    });
    const { octokit } = await installation(github, { issues: "write" });
    const say = (body: string) =>
      octokit.rest.issues.createComment({ ...desk, issue_number: 1, body });
    plan = { when: "before", answer: { status: 502 } };
    await expect(say("one")).rejects.toMatchObject({ status: 502 });
    expect(github.repository("desk").comments.size).toBe(0);
    plan = { when: "after", answer: "drop" };
    await expect(say("two")).rejects.toThrow();
    expect([...github.repository("desk").comments.values()].map((each) => each.body)).toEqual([
      "two",
    ]);
    expect(github.requests.at(-1)?.status).toBeNull();
  });
});
