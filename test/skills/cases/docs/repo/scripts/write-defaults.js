import { writeFileSync } from "node:fs";
import { DEFAULTS } from "../src/options.js";

const lines = Object.entries(DEFAULTS).map(([name, value]) => `- ${name}: ${value}`);
writeFileSync(
  new URL("../docs/defaults.md", import.meta.url),
  `<!-- Written by npm run docs from src/options.js. Do not edit. -->\n\n${lines.join("\n")}\n`,
);
