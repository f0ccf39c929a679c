import nock from "nock";
import { describe, expect, it } from "vitest";
import type { ActOf } from "../../../src/core/act.ts";
import { UserError } from "../../../src/core/errors.ts";
import { API, mints, repo, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

const SHA = "4".repeat(40);
const branch: ActOf<"branch"> = {
  kind: "branch",
  repo,
  branch: "codex/1-ci",
  sha: SHA,
  from: null,
  workflows: true,
};
const push: ActOf<"push"> = {
  kind: "push",
  repo,
  commit: SHA,
  ref: "refs/draftsmith/1",
  workflows: true,
};

function refusesWorkflows(): void {
  nock(API)
    .post("/app/installations/7/access_tokens")
    .reply(422, { message: "The permissions requested are not granted to this installation." });
  nock(API)
    .get("/app/installations/7")
    .reply(200, { id: 7, permissions: { contents: "write", metadata: "read" } });
}

describe("a change of workflows that an admin let out", () => {
  it("asks for the permission that workflows take, and for no other act", async () => {
    const asked = mints();
    const { github } = setUp();
    await github.perform(push, null);
    expect(asked[0]?.body).toMatchObject({
      permissions: { contents: "write", workflows: "write", metadata: "read" },
    });
    const others = mints("ghs_second");
    await github.perform({ ...push, workflows: false }, null);
    expect(others[0]?.body).toMatchObject({ permissions: { contents: "write" } });
    expect(JSON.stringify(others[0]?.body)).not.toContain("workflows");
  });

  it("is tried without it where it is not granted: GitHub has the last word", async () => {
    refusesWorkflows();
    mints();
    const { github, gitCalls } = setUp();
    await github.perform(push, null);
    expect(gitCalls).toMatchObject([{ call: "pushRef" }]);
  });

  it("tells GitHub's refusal with the remedy", async () => {
    refusesWorkflows();
    mints();
    nock(API)
      .post("/repos/acme/shop/git/refs")
      .reply(403, { message: "Resource not accessible by integration" });
    const failed = setUp().github.perform(branch, null);
    await expect(failed).rejects.toThrow(UserError);
    await expect(failed).rejects.toThrow(
      /lacks the permission "Workflows: read and write" on acme\/shop\. Add it in the App's settings/,
    );
  });
});
