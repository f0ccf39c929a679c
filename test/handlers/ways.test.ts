import { expect, test } from "vitest";
import type { Act } from "../../src/core/act.ts";
import { APP_LOGIN, type AppWorld, appWorld } from "../support/app-world.ts";
import { webhookExample } from "../support/webhook-example.ts";

const COMMAND = "/codex rename the heading";

const reviewComment = (body: string) =>
  webhookExample("pull_request_review_comment", "created", ({ comment }) => {
    comment.body = body;
  });
const review = (body: string | null) =>
  webhookExample("pull_request_review", "submitted", ({ review: each }) => {
    each.body = body;
  });
const newIssue = (body: string) =>
  webhookExample("issues", "edited", (payload) => {
    payload.action = "opened";
    delete payload.changes;
    payload.issue.body = body;
  });
const newPull = (body: string) =>
  webhookExample("pull_request", "opened", ({ pull_request }) => {
    pull_request.body = body;
  });
const labeled = (name: string) =>
  webhookExample("issues", "labeled", ({ label, issue }) => {
    label.name = name;
    issue.title = "The heading is wrong";
    issue.body = "It says Helo.";
  });
const assigned = (login: string, type = "Bot") =>
  webhookExample("issues", "assigned", (payload) => {
    payload.assignee = { ...payload.assignee, login, type };
  });

/** Each way in: the webhook that brings a command by it, and on what the 👀 is put. */
const WAYS: [string, string, () => object, Partial<Act> | null][] = [
  [
    "a comment",
    "issue_comment",
    () =>
      webhookExample("issue_comment", "created", ({ comment }) => {
        comment.body = COMMAND;
      }),
    { kind: "reaction", commentId: 492700400 },
  ],
  [
    "a comment on a line",
    "pull_request_review_comment",
    () => reviewComment(COMMAND),
    { kind: "reaction", on: "review_comment", commentId: 284312630 },
  ],
  ["a review", "pull_request_review", () => review(COMMAND), null],
  [
    "the text of a new issue",
    "issues",
    () => newIssue(COMMAND),
    { kind: "reaction", on: "issue", commentId: 1 },
  ],
  [
    "the text of a new pull request",
    "pull_request",
    () => newPull(COMMAND),
    { kind: "reaction", on: "issue", commentId: 2 },
  ],
];

async function nothing(world: AppWorld): Promise<void> {
  expect(await world.jobs()).toEqual([]);
  expect(await world.acts()).toEqual([]);
}

test.each(WAYS)("%s starts a job, once", async (_name, event, payload, reaction) => {
  const world = await appWorld();
  await world.receive(event, payload(), "one");
  await world.receive(event, payload(), "one");
  await world.receive(event, payload(), "another");
  const [job, ...more] = await world.jobs();
  expect(more).toEqual([]);
  expect(job?.task).toBe("rename the heading");
  const acts = await world.acts();
  expect(acts.filter(({ kind }) => kind === "reaction")).toEqual(
    reaction === null ? [] : [expect.objectContaining(reaction)],
  );
  expect(acts.filter(({ kind }) => kind === "comment")).toHaveLength(1);
  expect(world.asked).toContain("permission Codertocat 21031067");
});

test.each(WAYS)("%s by a bot starts nothing, without a question", async (_name, event, payload) => {
  const world = await appWorld();
  const bot = { id: 9, login: "renovate[bot]", type: "Bot" };
  const played = JSON.parse(
    JSON.stringify(payload(), (key, value) => (["user", "sender"].includes(key) ? bot : value)),
  );
  await world.receive(event, played);
  await nothing(world);
  expect(world.asked).toEqual([]);
});

test.each(WAYS)("%s that speaks to nobody starts nothing", async (_name, event, payload) => {
  const world = await appWorld();
  const played = JSON.parse(JSON.stringify(payload()).replaceAll(COMMAND, "Is /codex useful?"));
  await world.receive(event, played);
  await nothing(world);
  expect(world.asked).toEqual([]);
});

test.each(WAYS)("%s that is edited starts nothing", async (_name, event, payload) => {
  const world = await appWorld();
  await world.receive(event, { ...payload(), action: "edited", changes: { body: { from: "x" } } });
  await nothing(world);
});

test.each(WAYS)("%s by who may only read is refused", async (_name, event, payload) => {
  const world = await appWorld();
  world.github.permission = async () => "read";
  await world.receive(event, payload());
  expect(await world.jobs()).toEqual([]);
  const acts = await world.acts();
  const words = acts.flatMap((act) => (act.kind === "comment" ? [act] : []));
  expect(words.map((act) => act.body.includes("only people with write access"))).toEqual([true]);
  const reactions = acts.flatMap((act) => (act.kind === "reaction" ? [act.content] : []));
  expect(reactions).toEqual(event === "pull_request_review" ? [] : ["-1"]);
  // Where it was said.
  const inThread = event === "pull_request_review_comment";
  expect(words[0]?.thread).toBe(inThread ? 284312630 : undefined);
});

test("the App's name with @ at the start of a line is a command, and no other name", async () => {
  for (const [body, tasks] of [
    ["@draftsmith rename it", ["rename it"]],
    ["Please:\n\n@Draftsmith[bot]: rename it", ["rename it"]],
    ["@draftsmith, rename it", ["rename it"]],
    ["@draftsmith-two rename it", []],
    ["@octocat rename it", []],
    ["I asked @draftsmith to rename it", []],
    ["> @draftsmith rename it", []],
  ] as const) {
    const world = await appWorld();
    await world.receive("pull_request_review_comment", reviewComment(body));
    expect(
      (await world.jobs()).map((job) => job.task),
      body,
    ).toEqual(tasks);
  }
});

test("a label makes the issue a task, on the word of who set it", async () => {
  const world = await appWorld();
  const payload = labeled("Codex");
  payload.issue.user = { id: 77, login: "outsider", type: "User" };
  await world.receive("issues", payload);
  await world.receive("issues", payload);
  const [job, ...more] = await world.jobs();
  expect(more).toEqual([]);
  expect(job?.task).toBe("The heading is wrong\n\nIt says Helo.");
  expect(world.asked).toContain("permission Codertocat 21031067");
  expect(world.asked.filter((each) => each.includes("outsider"))).toEqual([]);
  const kinds = (await world.acts()).map(({ kind }) => kind);
  expect(kinds).toEqual(["reaction", "comment"]);
});

test.each<[string, string | null, string, number]>([
  ["another label", null, "bug", 0],
  ["the label that the repository chose", "on:\n  label: do it\n", "Do it", 1],
  ["the usual one where it chose another", "on:\n  label: do it\n", "codex", 0],
  ["any where it wants none", "on:\n  label: false\n", "codex", 0],
])("%s", async (_name, config, label, jobs) => {
  const world = await appWorld();
  world.github.file = async () => config;
  await world.receive("issues", labeled(label));
  expect(await world.jobs()).toHaveLength(jobs);
  if (jobs === 0) await nothing(world);
});

test("a label on a closed issue starts nothing, and says why", async () => {
  const world = await appWorld();
  const payload = labeled("codex");
  payload.issue.state = "closed";
  await world.receive("issues", payload);
  expect(await world.jobs()).toEqual([]);
  expect(await world.acts()).toEqual([
    expect.objectContaining({ kind: "comment", body: expect.stringContaining("is closed") }),
    expect.objectContaining({ kind: "reaction", content: "confused" }),
  ]);
});

test("a label by who may only triage is refused, and told", async () => {
  const world = await appWorld();
  world.github.permission = async () => "triage";
  await world.receive("issues", labeled("codex"));
  expect(await world.jobs()).toEqual([]);
  expect(await world.acts()).toEqual([
    expect.objectContaining({ kind: "comment", body: expect.stringContaining("write access") }),
    expect.objectContaining({ kind: "reaction", on: "issue", content: "-1" }),
  ]);
});

test("an issue that is assigned to the App is a task, and to nobody else", async () => {
  for (const [payload, jobs] of [
    [assigned(APP_LOGIN), 1],
    [assigned("draftsmith", "User"), 0],
    [assigned("draftsmith", "Bot"), 0],
    [assigned("another[bot]"), 0],
    [assigned("Codertocat", "User"), 0],
  ] as const) {
    const world = await appWorld();
    await world.receive("issues", payload);
    expect(await world.jobs()).toHaveLength(jobs);
    if (jobs === 0) await nothing(world);
  }
});

test("a comment on a line that is deleted takes back what it asked for", async () => {
  const world = await appWorld();
  await world.receive("pull_request_review_comment", reviewComment(COMMAND));
  const [job] = await world.jobs();
  await world.receive("pull_request_review_comment", {
    ...reviewComment(COMMAND),
    action: "deleted",
  });
  expect((await world.store.job(job?.id ?? ""))?.state).toBe("cancelled");
});
