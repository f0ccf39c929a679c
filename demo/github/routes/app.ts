import { z } from "zod";
import { issueToken } from "../access.ts";
import { created, notFound, ok, Problem } from "../reply.ts";
import { type Call, findRepository, parseBody, type Route, route } from "../router.ts";
import { repositoryShape } from "../shapes/repository.ts";
import { appShape, userShape } from "../shapes/user.ts";
import type { Repository, State } from "../state.ts";

const tokenRequest = z.object({
  repositories: z.array(z.string()).optional(),
  repository_ids: z.array(z.int()).optional(),
  permissions: z.record(z.string(), z.enum(["read", "write"])).optional(),
});

/** What an App asks about itself: its installations and their tokens. */
export const appRoutes: Route[] = [
  route("app", "GET /app", ({ state }) => ok(appShape(state))),
  route("app", "GET /app/installations", ({ state }) =>
    ok([installationShape(state, state.installationId)]),
  ),
  route("app", "GET /app/installations/:id", (call) => {
    return ok(installationShape(call.state, installationOf(call)));
  }),
  route("app", "GET /repos/:owner/:repo/installation", ({ state, params }) => {
    const repository = findRepository(state, params.owner ?? "", params.repo ?? "");
    if (!repository?.installed) throw notFound();
    return ok(installationShape(state, repository.installationId));
  }),
  route("app", "POST /app/installations/:id/access_tokens", (call) => {
    const installationId = installationOf(call);
    const { state } = call;
    const asked = parseBody(call, tokenRequest);
    const repositories = selectRepositories(state, installationId, asked);
    const permissions = { ...(asked.permissions ?? state.app.permissions) };
    for (const [name, access] of Object.entries(permissions)) {
      const granted = state.app.permissions[name];
      if (granted !== "write" && granted !== access) {
        throw new Problem(422, "The permissions requested are not granted to this installation.");
      }
    }
    // GitHub gives metadata to every token that has any other permission.
    permissions.metadata = "read";
    const ids = repositories.map((repository) => repository.id);
    const token = issueToken(state, installationId, ids, permissions);
    const selected = asked.repositories ?? asked.repository_ids;
    return created({
      token: token.value,
      expires_at: new Date(token.expiresAt).toISOString().replace(/\.\d+Z$/, "Z"),
      permissions,
      repository_selection: selected ? "selected" : "all",
      ...(selected && { repositories: repositories.map((each) => repositoryShape(state, each)) }),
    });
  }),
  route("installation", "GET /installation/repositories", ({ state, caller }) => {
    const ids = caller.kind === "installation" ? caller.token.repositoryIds : [];
    const repositories = state.repositories
      .filter((repository) => ids.includes(repository.id))
      .map((repository) => repositoryShape(state, repository));
    return ok({ total_count: repositories.length, repositories });
  }),
  route("installation", "DELETE /installation/token", ({ caller }) => {
    if (caller.kind === "installation") caller.token.expiresAt = 0;
    return { status: 204 };
  }),
];

function installationOf({ state, params }: Call): number {
  const id = Number(params.id);
  const known = state.repositories.some(({ installationId }) => installationId === id);
  if (id !== state.installationId && !known) throw notFound();
  return id;
}

function selectRepositories(
  state: State,
  installationId: number,
  asked: { repositories?: string[] | undefined; repository_ids?: number[] | undefined },
): Repository[] {
  const installed = state.repositories.filter(
    (repository) => repository.installed && repository.installationId === installationId,
  );
  if (!asked.repositories && !asked.repository_ids) return installed;
  const ids = asked.repository_ids ?? [];
  const names = asked.repositories ?? [];
  const found = installed.filter(
    (repository) => ids.includes(repository.id) || names.includes(repository.name),
  );
  if (found.length < new Set([...ids, ...names]).size) {
    throw new Problem(
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
    );
  }
  return found;
}

function installationShape(state: State, id: number) {
  const api = `${state.url}/api/v3`;
  const owner = state.repositories[0]?.owner ?? "";
  return {
    id,
    account: userShape(state, owner),
    app_id: state.app.id,
    app_slug: state.app.slug,
    target_id: userShape(state, owner).id,
    target_type: "User",
    permissions: state.app.permissions,
    events: ["issue_comment", "pull_request"],
    repository_selection: "all",
    access_tokens_url: `${api}/app/installations/${id}/access_tokens`,
    repositories_url: `${api}/installation/repositories`,
    html_url: `${state.url}/settings/installations/${id}`,
    single_file_name: null,
    suspended_at: null,
    suspended_by: null,
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-01T00:00:00Z",
  };
}
