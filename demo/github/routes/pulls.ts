import { z } from "zod";
import { branchTip, git, tryGit } from "../bare.ts";
import { created, invalid, notFound, ok, Problem, type Reply } from "../reply.ts";
import { page, parseBody, type RepositoryCall, type Route, repositoryRoute } from "../router.ts";
import { reviewCommentShape } from "../shapes/issue.ts";
import { pullFiles, pullShape, range } from "../shapes/pull.ts";
import { botLogin, type Issue, nextNumber, type Pull, timestamp } from "../state.ts";
import { MAX_BODY } from "./issues.ts";

const pullRequest = z.object({
  title: z.string().optional(),
  head: z.string(),
  base: z.string(),
  body: z.string().nullish(),
  draft: z.boolean().default(false),
  maintainer_can_modify: z.boolean().optional(),
});
const pullUpdate = z.object({
  title: z.string().optional(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]).optional(),
  base: z.string().optional(),
});

/** Pull requests. */
export const pullRoutes: Route[] = [
  repositoryRoute("GET /pulls", ["pull_requests:read"], listPulls),
  repositoryRoute("POST /pulls", ["pull_requests:write"], createPull),
  repositoryRoute("GET /pulls/:number", ["pull_requests:read"], async (call) => {
    const { pull } = pullOf(call);
    if (!call.accept.includes("diff"))
      return ok(await pullShape(call.state, call.repository, pull));
    const diff = await git(call.repository.path, ["diff", range(pull, "..."), "--"]);
    return { status: 200, body: Buffer.from(`${diff}\n`) };
  }),
  repositoryRoute("PATCH /pulls/:number", ["pull_requests:write"], async (call) => {
    const { pull, issue } = pullOf(call);
    const asked = parseBody(call, pullUpdate);
    checkText(asked);
    if (asked.base !== undefined) {
      if (!(await branchTip(call.repository.path, asked.base))) throw invalidField("base");
      pull.base = asked.base;
    }
    if (asked.title !== undefined) issue.title = asked.title;
    if (asked.body !== undefined) issue.body = asked.body ?? "";
    if (asked.state !== undefined) issue.state = asked.state;
    issue.updatedAt = timestamp();
    call.state.changed({ kind: "pull", repository: call.repository, pull });
    return ok(await pullShape(call.state, call.repository, pull));
  }),
  repositoryRoute("GET /pulls/:number/files", ["pull_requests:read"], async (call) => {
    const { pull } = pullOf(call);
    const files = await pullFiles(call.repository, pull);
    const shapes = files.map((file) => ({ ...file, changes: file.additions + file.deletions }));
    return page(call, pullPath(call, `/${pull.number}/files`), shapes);
  }),
  repositoryRoute("GET /pulls/:number/comments", ["pull_requests:read"], (call) => {
    const { number } = pullOf(call).pull;
    const newestFirst = call.query.get("direction") === "desc";
    const comments = [...call.repository.reviewComments.values()]
      .filter((comment) => comment.issue === number)
      .sort((a, b) => (newestFirst ? b.id - a.id : a.id - b.id))
      .map((comment) => reviewCommentShape(call.state, call.repository, comment));
    return page(call, pullPath(call, `/${number}/comments`), comments);
  }),
  // Nobody sums up a review here; the list is there because an App may ask for it.
  repositoryRoute("GET /pulls/:number/reviews", ["pull_requests:read"], (call) =>
    page(call, pullPath(call, `/${pullOf(call).pull.number}/reviews`), []),
  ),
];

async function listPulls(call: RepositoryCall): Promise<Reply> {
  const { state, repository, query } = call;
  const wantedState = query.get("state") ?? "open";
  const head = query.get("head");
  const base = query.get("base");
  const oldestFirst = query.get("direction") === "asc";
  const wanted = [...repository.pulls.values()]
    .filter((pull) => !head || `${repository.owner}:${pull.head}` === head)
    .filter((pull) => !base || pull.base === base)
    .filter(
      (pull) => wantedState === "all" || repository.issues.get(pull.number)?.state === wantedState,
    )
    .sort((a, b) => (oldestFirst ? a.number - b.number : b.number - a.number));
  const shapes = await Promise.all(wanted.map((pull) => pullShape(state, repository, pull)));
  return page(call, pullPath(call, ""), shapes);
}

async function createPull(call: RepositoryCall): Promise<Reply> {
  const { state, repository } = call;
  const asked = parseBody(call, pullRequest);
  if (!asked.title) throw invalid({ resource: "Issue", code: "missing_field", field: "title" });
  checkText(asked);
  const head = asked.head.replace(`${repository.owner}:`, "");
  if (!(await branchTip(repository.path, head))) throw invalidField("head");
  if (!(await branchTip(repository.path, asked.base))) throw invalidField("base");
  const pull: Pull = {
    id: state.nextId(),
    number: 0,
    head,
    base: asked.base,
    draft: asked.draft,
  };
  const ends = [`refs/heads/${asked.base}`, `refs/heads/${head}`];
  if ((await tryGit(repository.path, ["merge-base", ...ends])).code !== 0) {
    throw custom(`The ${asked.base} branch has no history in common with ${head}`);
  }
  const ahead = ["rev-list", "--count", range(pull, ".."), "--"];
  if ((await git(repository.path, ahead)) === "0") {
    throw custom(`No commits between ${asked.base} and ${head}`);
  }
  for (const each of repository.pulls.values()) {
    const open = repository.issues.get(each.number)?.state === "open";
    if (!open || each.head !== head || each.base !== asked.base) continue;
    throw custom(`A pull request already exists for ${repository.owner}:${head}.`);
  }
  if (asked.draft && !state.drafts) {
    throw new Problem(422, "Draft pull requests are not supported in this repository.");
  }
  // The number is taken only now, with nothing awaited before it is used.
  pull.number = nextNumber(repository);
  repository.issues.set(pull.number, {
    id: state.nextId(),
    number: pull.number,
    title: asked.title,
    body: asked.body ?? "",
    author: botLogin(state),
    state: "open",
    createdAt: timestamp(),
    updatedAt: timestamp(),
  });
  repository.pulls.set(pull.number, pull);
  state.changed({ kind: "pull", repository, pull });
  return created(await pullShape(state, repository, pull));
}

function pullOf({ repository, params }: RepositoryCall): { pull: Pull; issue: Issue } {
  const number = Number(params.number);
  const pull = repository.pulls.get(number);
  const issue = repository.issues.get(number);
  if (!pull || !issue) throw notFound();
  return { pull, issue };
}

function checkText(asked: { title?: string | undefined; body?: string | null | undefined }): void {
  if ((asked.title?.length ?? 0) > 256) throw tooLong("title", 256);
  if ((asked.body?.length ?? 0) > MAX_BODY) throw tooLong("body", MAX_BODY);
}

function tooLong(field: string, maximum: number): Problem {
  const message = `${field} is too long (maximum is ${maximum} characters)`;
  return invalid({ resource: "Issue", code: "custom", field, message });
}

function invalidField(field: string): Problem {
  return invalid({ resource: "PullRequest", code: "invalid", field });
}

function custom(message: string): Problem {
  return invalid({ resource: "PullRequest", code: "custom", message });
}

function pullPath({ repository }: RepositoryCall, rest: string): string {
  return `/repos/${repository.owner}/${repository.name}/pulls${rest}`;
}
