// Claims every unfinished job for itself and prints the ids it got. Arguments: file, owner.
import { openStore } from "../../src/adapters/store/store.ts";

const [file = "", owner = ""] = process.argv.slice(2);
const store = await openStore({ file });
console.log("ready");
await new Promise((resolve) => process.stdin.once("data", resolve));
for (const id of await store.unfinished()) {
  const job = await store.claim(id, owner, 60_000);
  if (job) console.log(id);
}
await store.close();
process.stdin.unref();
