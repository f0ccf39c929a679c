import { Webhooks } from "@octokit/webhooks";
import { describe, expect, it } from "vitest";
import type { Fault } from "../../demo/github/serve.ts";
import { installation, standIn, webhookReceiver } from "./github-support.ts";

const desk = { owner: "harbour", repo: "desk" };

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
