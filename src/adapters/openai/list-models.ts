import { z } from "zod";
import type { ModelAnswer } from "../../core/doctor/answers.ts";
import { toError } from "../../core/errors.ts";

const TIMEOUT_MS = 15_000;

const list = z.object({ data: z.array(z.object({ id: z.string() })) });

/** Asks a model server for its models, which costs nothing. Never throws for an answer, nor for none. */
export async function listModels(from: {
  apiKey: string | undefined;
  baseURL: string;
  /** The operator's, which win over ours. */
  headers?: Record<string, string>;
}): Promise<ModelAnswer> {
  try {
    const url = new URL(from.baseURL);
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/models`;
    const headers = new Headers({
      accept: "application/json",
      "user-agent": "draftsmith",
      ...(from.apiKey && { authorization: `Bearer ${from.apiKey}` }),
    });
    for (const [name, value] of Object.entries(from.headers ?? {})) headers.set(name, value);
    const response = await fetch(url, {
      headers,
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) return { status: "refused", code: response.status };
    const text = await response.text();
    const body = list.safeParse(parsed(text));
    if (!body.success) return { status: "no_list", html: /^\s*</.test(text) };
    return { status: "known", models: body.data.data.map(({ id }) => id) };
  } catch (thrown) {
    const error = toError(thrown);
    const { cause } = error;
    return { status: "silent", why: cause instanceof Error ? cause.message : error.message };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
