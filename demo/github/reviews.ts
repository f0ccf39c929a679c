import { reviewCommentShape } from "./shapes/issue.ts";
import { pullShape } from "./shapes/pull.ts";
import { repositoryShape } from "./shapes/repository.ts";
import { userShape } from "./shapes/user.ts";
import {
  type Pull,
  type Repository,
  type ReviewComment,
  type State,
  timestamp,
  userOf,
} from "./state.ts";

/** A review that a person submits. */
export interface Review {
  repository: string;
  number: number;
  login: string;
  state: "approved" | "changes_requested" | "commented";
  body?: string;
  comments?: { path: string; line: number; body: string }[];
}

/** Stores the comments of a review; gives the webhooks that GitHub sends of it, the review's last. */
export async function submitReview(
  state: State,
  repository: Repository,
  pull: Pull,
  { login, state: verdict, body = "", comments = [] }: Review,
): Promise<{ event: string; payload: object }[]> {
  const review = state.nextId();
  const at = timestamp();
  const author = userOf(state, login).login;
  const shape = await pullShape(state, repository, pull);
  const about = {
    action: "created",
    pull_request: shape,
    repository: repositoryShape(state, repository),
    sender: userShape(state, author),
    installation: { id: repository.installationId, node_id: `MDIz${repository.installationId}` },
  };
  const written = comments.map((each): ReviewComment => {
    const comment = { ...each, id: state.nextId(), issue: pull.number, author, review };
    const stored = { ...comment, createdAt: at, updatedAt: at };
    repository.reviewComments.set(stored.id, stored);
    return stored;
  });
  return [
    ...written.map((comment) => ({
      event: "pull_request_review_comment",
      payload: { ...about, comment: reviewCommentShape(state, repository, comment) },
    })),
    {
      event: "pull_request_review",
      payload: {
        ...about,
        action: "submitted",
        review: {
          ...{ id: review, user: userShape(state, author), body: body === "" ? null : body },
          ...{ state: verdict, submitted_at: at, author_association: "COLLABORATOR" },
          html_url: `${shape.html_url}#pullrequestreview-${review}`,
        },
      },
    },
  ];
}
