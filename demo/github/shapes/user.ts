import { type State, userOf } from "../state.ts";

/** A user as GitHub shows it inside other objects ("simple user"). */
export function userShape(state: State, login: string) {
  const user = userOf(state, login);
  const api = `${state.url}/api/v3/users/${encodeURIComponent(login)}`;
  return {
    login,
    id: user.id,
    node_id: `U_${user.id}`,
    avatar_url: `${state.url}/avatars/u/${user.id}`,
    gravatar_id: "",
    url: api,
    html_url: `${state.url}/${user.type === "Bot" ? `apps/${state.app.slug}` : login}`,
    followers_url: `${api}/followers`,
    following_url: `${api}/following{/other_user}`,
    gists_url: `${api}/gists{/gist_id}`,
    starred_url: `${api}/starred{/owner}{/repo}`,
    subscriptions_url: `${api}/subscriptions`,
    organizations_url: `${api}/orgs`,
    repos_url: `${api}/repos`,
    events_url: `${api}/events{/privacy}`,
    received_events_url: `${api}/received_events`,
    type: user.type,
    site_admin: false,
    user_view_type: "public",
  };
}

/** The App as GitHub shows it. */
export function appShape(state: State) {
  const { id, slug, permissions } = state.app;
  return {
    id,
    slug,
    client_id: `Iv23demo${id}`,
    node_id: `A_${id}`,
    owner: userShape(state, state.repositories[0]?.owner ?? slug),
    name: slug,
    description: "",
    external_url: state.url,
    html_url: `${state.url}/apps/${slug}`,
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-01T00:00:00Z",
    permissions,
    events: [
      "issue_comment",
      "issues",
      "pull_request",
      "pull_request_review",
      "pull_request_review_comment",
    ],
  };
}

/** How GitHub names a person's tie to a repository. */
export function authorAssociation(
  repository: { owner: string; collaborators: Record<string, string> },
  login: string,
) {
  if (login === repository.owner) return "OWNER" as const;
  return repository.collaborators[login] ? ("COLLABORATOR" as const) : ("NONE" as const);
}
