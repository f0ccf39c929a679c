import type { Octokit } from "@octokit/rest";
import { z } from "zod";
import { UserError } from "../../core/errors.ts";
import type { SentDeliveries, SentDelivery } from "../../core/ports.ts";
import { demand } from "./demand.ts";
import { failedWith } from "./http-failure.ts";

const PER_PAGE = 100;
/** GitHub's numbers of deliveries are above 2^53, and JSON.parse would round them. */
const LARGE_ID = /("id"\s*:\s*)(\d{16,})/g;
/** The body as it came: Octokit's own reading of it rounds those numbers, too. */
const UNREAD = { parseSuccessResponseBody: false };

const delivery = z.object({
  id: z.union([z.int(), z.string()]).transform(String),
  guid: z.string(),
  delivered_at: z.iso.datetime({ offset: true }),
  status: z.string().nullish(),
  status_code: z.number().nullish(),
  event: z.string(),
  action: z.string().nullish(),
});

/**
 * What GitHub sent to the App (docs.github.com/rest/apps/webhooks), through `app`, an Octokit that speaks
 * as the App itself. Throws TransientError for what may pass and UserError for what it refuses.
 */
export function createDeliveries(app: Octokit): SentDeliveries {
  return {
    async sent(cursor) {
      try {
        const { data, headers } = await app.request("GET /app/hook/deliveries", {
          per_page: PER_PAGE,
          ...(cursor === null ? {} : { cursor }),
          request: UNREAD,
        });
        return { deliveries: deliveriesOf(await textOf(data)), next: nextOf(headers.link) };
      } catch (error) {
        if (failedWith(error, 404, 405, 501)) return null;
        throw refused(error);
      }
    },

    async sendAgain(id) {
      try {
        await app.request(`POST /app/hook/deliveries/${encodeURIComponent(id)}/attempts`, {
          request: UNREAD,
        });
        return true;
      } catch (error) {
        if (failedWith(error, 400, 404, 410, 422)) return false;
        throw refused(error);
      }
    },
  };
}

function refused(error: unknown): unknown {
  if (!failedWith(error, 401, 403)) return error;
  return new UserError(
    `GitHub does not show the App its deliveries (${error.reason}); check that APP_ID and PRIVATE_KEY belong to the same App and that the server's clock is right`,
    { cause: error },
  );
}

async function textOf(body: unknown): Promise<string> {
  demand(body instanceof ReadableStream, "list of deliveries");
  return new Response(body).text();
}

function deliveriesOf(text: string): SentDelivery[] {
  const listed = z.array(z.unknown()).safeParse(jsonOf(text));
  demand(listed.success, "list of deliveries");
  return listed.data.flatMap((each) => {
    const { success, data } = delivery.safeParse(each);
    if (!success) return [];
    const { guid, id, event, action, status, status_code: code } = data;
    return {
      guid,
      id,
      event,
      action: action ?? null,
      deliveredAt: Date.parse(data.delivered_at),
      ok: typeof code === "number" && code > 0 ? code >= 200 && code < 300 : status === "OK",
    };
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.replace(LARGE_ID, '$1"$2"'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The cursor in the address of the next page; the address itself might lead elsewhere. */
function nextOf(link: string | undefined): string | null {
  const next = /<([^>]*)>\s*;[^<]*\brel="?next\b/.exec(link ?? "")?.[1];
  if (next === undefined || !URL.canParse(next, "http://host")) return null;
  return new URL(next, "http://host").searchParams.get("cursor");
}
