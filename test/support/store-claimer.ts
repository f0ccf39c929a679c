// Claims jobs until there are none and prints the ids it got. Arguments: the place as JSON, owner.
import { openStore } from "../../src/adapters/store/store.ts";
import { placeOf } from "./place.ts";
import { claimNext } from "./store-rows.ts";

const [place = "", owner = ""] = process.argv.slice(2);
const store = await openStore(placeOf(place));
console.log("ready");
await new Promise((resolve) => process.stdin.once("data", resolve));
for (;;) {
  const job = await claimNext(store, { owner: `${owner}/1`, worker: owner });
  if (!job) break;
  console.log(job.id);
}
await store.close();
process.stdin.unref();
