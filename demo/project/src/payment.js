export const FARES = { adult: 1250, child: 600, bicycle: 350 };

const GROUP = 10;
const TRIES = 3;

export function quote(items) {
  let cents = 0;
  let passengers = 0;
  for (const [kind, count] of Object.entries(items)) {
    if (!Object.hasOwn(FARES, kind)) throw new RangeError(`no fare for ${kind}`);
    if (!Number.isInteger(count) || count < 0) throw new RangeError(`bad number of ${kind}`);
    cents += FARES[kind] * count;
    if (kind !== "bicycle") passengers += count;
  }
  if (passengers === 0) throw new RangeError("an order needs a passenger");
  const discount = passengers >= GROUP ? Math.round(cents / 10) : 0;
  return { cents: cents - discount, discount };
}

export async function charge(items, card, gateway) {
  let price;
  try {
    price = quote(items ?? {});
  } catch (error) {
    return { ok: false, error: error.message };
  }
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const answer = await gateway.charge({ cents: price.cents, card });
    if (answer.approved) return { ok: true, receipt: { ...price, reference: answer.reference } };
    if (answer.reason !== "timeout") return { ok: false, error: `card refused: ${answer.reason}` };
  }
  return { ok: false, error: "the bank does not answer" };
}
