import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { attacks, mutations, ROOT } from "./catalogue.ts";
import { editsOf, type Mutation } from "./mutations/mutation.ts";

const README = path.join(ROOT, "test/hostile/README.md");
const BEGIN = "<!-- table -->\n";
const END = "<!-- end of table -->";

/** README.md with its table of attacks as it stands in the code, and as it stood in the file. */
export async function readme(): Promise<{ written: string; fresh: string }> {
  const written = readFileSync(README, "utf8");
  const begin = written.indexOf(BEGIN);
  const end = written.indexOf(END);
  if (begin === -1 || end === -1) throw new Error(`${README} has no place for the table`);
  const fresh = `${written.slice(0, begin + BEGIN.length)}${await table()}${written.slice(end)}`;
  return { written, fresh };
}

async function table(): Promise<string> {
  const all = await mutations();
  const parts = new Map<string, string[]>();
  for (const { id, what } of attacks()) {
    const part = id.replace(/-\d+$/, "");
    const removed = all.filter(({ attack }) => attack === id).map(defenceOf);
    const row = `| ${id} | ${cell(what)} | ${removed.join("; ")} |`;
    parts.set(part, [...(parts.get(part) ?? []), row]);
  }
  const head = ["| attack | what it does | defence removed |", "| --- | --- | --- |"];
  return [...parts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([part, rows]) =>
      [`### ${part} (${rows.length})`, "", ...head, ...rows.sort(), ""].join("\n"),
    )
    .map((section) => `\n${section}`)
    .join("");
}

/** In words, or as the place in the code. */
function defenceOf(mutation: Mutation): string {
  const files = [
    ...new Set(editsOf(mutation).map(({ file }) => `\`${file.replace("src/", "")}\``)),
  ];
  const where = files.join(", ");
  return mutation.defence === undefined ? where : `${cell(mutation.defence)} (${where})`;
}

function cell(text: string): string {
  return text.replace(/[|<>*_`@]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

if (process.argv[1] === import.meta.filename) {
  const { fresh } = await readme();
  writeFileSync(README, fresh);
}
