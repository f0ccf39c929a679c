import type { Octokit } from "@octokit/rest";
import { TransientError } from "../../core/errors.ts";
import { HttpFailure } from "./http-failure.ts";

interface GraphqlError {
  type?: string;
  message?: string;
}

/** Kinds of errors that pass; GitHub answers 200 to all (docs.github.com/graphql/overview/rate-limits-and-node-limits). */
const PASSING = /^(?:RATE_LIMITED|SERVICE_UNAVAILABLE|INTERNAL|TIMEOUT)$/i;
const STATUS: Record<string, number> = { NOT_FOUND: 404, FORBIDDEN: 403, UNAUTHORIZED: 401 };

/**
 * Asks GitHub's GraphQL API, for what REST does not offer. Throws TransientError or HttpFailure, as requests to
 * REST do: an answer with errors is refused as a whole.
 */
export async function graphql(
  octokit: Octokit,
  query: string,
  variables: Record<string, unknown>,
): Promise<unknown> {
  const base = octokit.request.endpoint.DEFAULTS.baseUrl;
  const { data } = await octokit.request("POST /graphql", {
    // An Enterprise Server has it beside REST, not below (docs.github.com/enterprise-server/graphql).
    baseUrl: base.replace(/\/api\/v3$/, "/api"),
    query,
    variables,
  });
  const errors: GraphqlError[] = Array.isArray(data?.errors) ? data.errors : [];
  const [first] = errors;
  if (first === undefined) return data?.data;
  const words = errors.map(({ message }) => message ?? "no reason given").join("; ");
  if (errors.some(({ type }) => PASSING.test(type ?? ""))) {
    throw new TransientError(`GitHub did not answer a query: ${words}`);
  }
  throw new HttpFailure("POST /graphql", STATUS[first.type ?? ""] ?? 422, words);
}
