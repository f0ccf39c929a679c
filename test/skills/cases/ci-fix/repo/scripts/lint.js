// Fails when a source file prints to the console: reports go through src/log.js.
import { readdirSync, readFileSync } from "node:fs";

let wrong = 0;
for (const name of readdirSync("src")) {
  if (name === "log.js") continue;
  const lines = readFileSync(`src/${name}`, "utf8").split("\n");
  for (const [at, line] of lines.entries()) {
    if (!/\bconsole\./.test(line)) continue;
    console.error(`src/${name}:${at + 1} prints to the console; use log() of src/log.js`);
    wrong += 1;
  }
}
process.exit(wrong > 0 ? 1 : 0);
