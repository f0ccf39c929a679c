// Locks the data directory given as argument, says so, and holds it until it is killed.
import { lockDataDir } from "../../src/adapters/store/lock.ts";

lockDataDir(process.argv[2] ?? "");
console.log("locked");
setInterval(() => undefined, 60_000);
