import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { namedTests } from "../support/named-tests.ts";
import { PLAYED } from "./played.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const README = path.join(import.meta.dirname, "README.md");
const BEGIN = "<!-- table -->\n";
const END = "<!-- end of table -->";

/** Every fault of the suite, read from the titles of its tests. */
export const faults = () => namedTests(import.meta.dirname, ROOT);

/** README.md with its table of faults as it stands in the code, and as it stood in the file. */
export function readme(): { written: string; fresh: string } {
  const written = readFileSync(README, "utf8");
  const begin = written.indexOf(BEGIN);
  const end = written.indexOf(END);
  if (begin === -1 || end === -1) throw new Error(`${README} has no place for the table`);
  const fresh = `${written.slice(0, begin + BEGIN.length)}${table()}${written.slice(end)}`;
  return { written, fresh };
}

function table(): string {
  const rows = faults().map(
    ({ id, what, file }) => `| ${id} | ${cell(what)} | \`${path.basename(file)}\` |\n`,
  );
  const all = PLAYED.map(
    ([fault, ids, elsewhere]) =>
      `| ${fault} | ${[...ids, ...elsewhere.map(([file, title]) => `\`${file}\`: ${cell(title)}`)].join("<br>")} |\n`,
  );
  return (
    `\n| fault | what happens | played in |\n| --- | --- | --- |\n${rows.sort().join("")}\n` +
    `All that is played, here and elsewhere in \`test/\` (from \`played.ts\`):\n\n` +
    `| fault | tests |\n| --- | --- |\n${all.join("")}\n`
  );
}

/** Without what differs from one line of the suite to the next. */
function cell(text: string): string {
  return text
    .replace(/\$\{[^}]*\}|[%$]\w+/g, "…")
    .replace(/[|<>*_`@]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

if (process.argv[1] === import.meta.filename) writeFileSync(README, readme().fresh);
