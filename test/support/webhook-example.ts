import examples from "@octokit/webhooks-examples";

/** A payload as an App gets it. */
// biome-ignore lint/suspicious/noExplicitAny: tests change what they play.
type Payload = any;

/**
 * A webhook as GitHub sent it once, from @octokit/webhooks-examples, of an installation; `change` makes of it
 * what a test plays.
 */
export function webhookExample(
  name: string,
  action: string,
  change: (payload: Payload) => void = () => undefined,
): Payload {
  const of = (examples as unknown as { name: string; examples: Payload[] }[]).find(
    (each) => each.name === name,
  );
  const found = of?.examples.filter((each) => each.action === action) ?? [];
  const example = found.find((each) => each.installation) ?? found[0];
  if (!example) throw new Error(`there is no example of ${name}.${action}`);
  const payload: Payload = structuredClone(example);
  payload.installation ??= { id: 1, node_id: "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMQ==" };
  change(payload);
  return payload;
}
