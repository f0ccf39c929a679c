import { z } from "zod";
import { resolve } from "../bare.ts";
import { created, ok, Problem } from "../reply.ts";
import { parseBody, type Route, repositoryRoute } from "../router.ts";
import type { CheckRun, State } from "../state.ts";

const checkRequest = z.object({
  name: z.string(),
  head_sha: z.string(),
  status: z.string().default("queued"),
  conclusion: z.enum(["success", "failure", "neutral", "cancelled", "skipped"]).nullish(),
  details_url: z.url().nullish(),
  external_id: z.string().default(""),
  output: z.object({ title: z.string(), summary: z.string().max(65_535) }).optional(),
});

/** What Apps say about commits. */
export const checkRoutes: Route[] = [
  repositoryRoute("POST /check-runs", ["checks:write"], async (call) => {
    const asked = parseBody(call, checkRequest);
    const { repository, state } = call;
    if (!(await resolve(repository.path, asked.head_sha, "commit"))) {
      throw new Problem(422, `No commit found for SHA: ${asked.head_sha}`);
    }
    const run: CheckRun = {
      id: state.nextId(),
      name: asked.name,
      headSha: asked.head_sha,
      // GitHub takes a conclusion for the end.
      status: asked.conclusion ? "completed" : asked.status,
      conclusion: asked.conclusion ?? null,
      detailsUrl: asked.details_url ?? null,
      externalId: asked.external_id,
      output: { title: asked.output?.title ?? null, summary: asked.output?.summary ?? null },
    };
    repository.checkRuns.push(run);
    state.changed({ kind: "check_run", repository, run });
    return created(shape(state, run));
  }),
  repositoryRoute("GET /commits/:ref/check-runs", ["checks:read"], async (call) => {
    const { state, repository, params, query } = call;
    const sha = await resolve(repository.path, params.ref ?? "", "commit");
    if (!sha) throw new Problem(422, `No commit found for SHA: ${params.ref}`);
    const name = query.get("check_name");
    const app = query.get("app_id");
    const runs = repository.checkRuns.filter(
      (run) =>
        run.headSha === sha &&
        (name === null || run.name === name) &&
        (app === null || Number(app) === state.app.id),
    );
    return ok({ total_count: runs.length, check_runs: runs.map((run) => shape(state, run)) });
  }),
];

function shape({ app }: State, run: CheckRun) {
  return {
    id: run.id,
    name: run.name,
    head_sha: run.headSha,
    status: run.status,
    conclusion: run.conclusion,
    details_url: run.detailsUrl,
    external_id: run.externalId,
    output: run.output,
    app: { id: app.id, slug: app.slug },
  };
}
