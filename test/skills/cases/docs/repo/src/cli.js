#!/usr/bin/env node
import { readFileSync, mkdirSync, writeFileSync } from "node:fs";
import { parseOptions } from "./options.js";

let options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exit(2);
}

const urls = readFileSync(options.list, "utf8").split("\n").filter(Boolean);
mkdirSync(options.out, { recursive: true });
let failed = 0;
for (const [index, url] of urls.entries()) {
  const text = await fetchText(url);
  if (text === null) failed += 1;
  else writeFileSync(`${options.out}/${index}.txt`, text);
  if (!options.quiet) console.log(`${text === null ? "failed" : "ok"} ${url}`);
}
process.exit(failed > 0 ? 1 : 0);

async function fetchText(url) {
  for (let tries = 0; tries <= options.retries; tries += 1) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(options.timeout) });
      if (response.ok) return await response.text();
    } catch {
      // Tried again below.
    }
  }
  return null;
}
