import { notFound, type Reply } from "../reply.ts";
import { type Call, type Route, route } from "../router.ts";
import type { Delivery } from "../state.ts";
import { timestamp } from "../state.ts";

/** GitHub keeps deliveries for three days. */
const KEPT_MS = 3 * 24 * 60 * 60_000;

/** What an App sees of its webhook: what was sent, and how to have it sent again. */
export const deliveryRoutes: Route[] = [
  route("app", "GET /app/hook/deliveries", listed),
  route("app", "GET /app/hook/deliveries/:id", (call) => {
    const delivery = find(call);
    return json({ ...shape(delivery), request: { headers: {}, payload: delivery.payload } });
  }),
  route("app", "POST /app/hook/deliveries/:id/attempts", (call) => {
    const { guid, event, payload } = find(call);
    call.state.sendAgain({ guid, event, payload });
    return { status: 202, body: {} };
  }),
];

function kept({ state }: Call): Delivery[] {
  const since = Date.now() - KEPT_MS;
  return state.deliveries.filter((each) => each.deliveredAt >= since).reverse();
}

function find(call: Call): Delivery {
  const found = kept(call).find((each) => String(each.id) === call.params.id);
  if (!found) throw notFound();
  return found;
}

/** Newest first; the cursor names the last one of the page before. */
function listed(call: Call): Reply {
  const { state, query } = call;
  const size = Math.min(100, Math.max(1, Number(query.get("per_page") ?? 30) || 30));
  const all = kept(call);
  const cursor = query.get("cursor");
  const from = cursor === null ? 0 : all.findIndex((each) => `v1_${each.id}` === cursor) + 1;
  const page = all.slice(from, from + size);
  const last = page.at(-1);
  const more = last !== undefined && from + size < all.length;
  const next = `${state.url}/api/v3/app/hook/deliveries?per_page=${size}&cursor=v1_${last?.id}`;
  return {
    ...json(page.map(shape)),
    ...(more && {
      headers: { "content-type": JSON_TYPE, link: `<${next}>; rel="next"` },
    }),
  };
}

const JSON_TYPE = "application/json; charset=utf-8";

/** As GitHub's: the numbers are above 2^53, and stand there as numbers. */
function json(body: unknown): Reply {
  const text = JSON.stringify(body, (_, value) =>
    typeof value === "bigint" ? `bigint:${value}` : value,
  );
  return {
    status: 200,
    headers: { "content-type": JSON_TYPE },
    body: Buffer.from(text.replace(/"bigint:(\d+)"/g, "$1")),
  };
}

function shape(delivery: Delivery) {
  const { id, guid, deliveredAt, redelivery, statusCode, event, action } = delivery;
  return {
    id,
    guid,
    delivered_at: timestamp(deliveredAt),
    redelivery,
    duration: 0.1,
    status: statusText(statusCode),
    status_code: statusCode ?? 0,
    event,
    action: action === "" ? null : action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: null,
  };
}

function statusText(code: number | null): string {
  if (code === null) return "failed to connect to host";
  return code >= 200 && code < 300 ? "OK" : `Invalid HTTP Response: ${code}`;
}
