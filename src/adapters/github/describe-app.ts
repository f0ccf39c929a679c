import type { KeyObject } from "node:crypto";
import { z } from "zod";
import type { AppAnswer } from "../../core/doctor/answers.ts";
import { toError } from "../../core/errors.ts";
import { createAppJwt } from "./app-jwt.ts";

const TIMEOUT_MS = 15_000;
const REASON_CHARS = 300;

const app = z.object({
  slug: z.string().optional(),
  name: z.string().optional(),
  permissions: z.record(z.string(), z.string()).default({}),
  events: z.array(z.string()).default([]),
});
const refusal = z.object({ message: z.string() });

/** Asks GitHub who the App is (docs.github.com/rest/apps/apps#get-the-authenticated-app). Never throws for an answer, nor for none. */
export async function describeApp(from: {
  appId: number;
  key: KeyObject;
  apiUrl: string;
  now: () => number;
}): Promise<AppAnswer> {
  try {
    const { jwt } = await createAppJwt(from.key, from.now)(from.appId);
    const response = await fetch(`${from.apiUrl}/app`, {
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${jwt}`,
        "user-agent": "draftsmith",
      },
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const theirs = Date.parse(response.headers.get("date") ?? "");
    const aheadMs = Number.isNaN(theirs) ? null : from.now() - theirs;
    const body: unknown = await response.json().catch(() => null);
    const known = app.safeParse(body);
    if (response.ok && known.success) {
      const { slug, name, permissions, events } = known.data;
      return { status: "known", slug: slug ?? name ?? "the App", permissions, events, aheadMs };
    }
    const said = refusal.safeParse(body).data?.message ?? "an answer that is not GitHub's";
    return { status: "refused", code: response.status, said: said.slice(0, REASON_CHARS), aheadMs };
  } catch (thrown) {
    return { status: "silent", why: reasonOf(toError(thrown)) };
  }
}

/** What fetch says is "fetch failed"; the cause says why. */
function reasonOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error
    ? cause.message || String(Reflect.get(cause, "code"))
    : error.message;
}
