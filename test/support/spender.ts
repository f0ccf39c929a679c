// Reserves and settles calls of one job, eight at a time, until nothing fits any more; then tells how many it
// reserved. Arguments: the place as JSON, job, command, what comes first in the ids of its calls, caps as JSON.
import { openStore } from "../../src/adapters/store/store.ts";
import type { Caps } from "../../src/core/ledger.ts";
import { aCall, answered } from "./calls.ts";
import { placeOf } from "./place.ts";

const [place = "", jobId = "", commandId = "", prefix = "", bound = "{}"] = process.argv.slice(2);
const store = await openStore(placeOf(place));
const caps = JSON.parse(bound) as Caps;
console.log("ready");
await new Promise((resolve) => process.stdin.once("data", resolve));
let reserved = 0;
await Promise.all(
  Array.from({ length: 8 }, async (_, slot) => {
    for (let number = 0; ; number += 1) {
      const id = `${prefix}-${slot}-${number}`;
      const got = await store.reserve(aCall(id, jobId, { commandId }), caps);
      if (got.status !== "reserved") return;
      reserved += 1;
      console.log(id);
      // Some cost what was reserved, some less, some nothing, and of some nobody knows.
      const kind = number % 4;
      if (kind === 0) await store.settle(id, answered(got.microDollars));
      if (kind === 1) await store.settle(id, answered(Math.floor(got.microDollars / 3)));
      if (kind === 2) await store.settle(id, { kind: "void", reason: "429", latencyMs: 1 });
      if (kind === 3) await store.settle(id, { kind: "unknown", reason: "cut", latencyMs: 1 });
    }
  }),
);
console.log(JSON.stringify({ reserved }));
await store.close();
process.stdin.unref();
