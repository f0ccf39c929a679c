import { MB, megabytes } from "../limits.ts";
import { openingTrouble } from "../store-trouble.ts";
import { amiss, type Finding, fine } from "./finding.ts";

/** What a look at the server's database found; null: it is not there yet. */
type Looked =
  | { schema: number | null; writable: boolean; untold: { count: number; reason: string } }
  | { error: Error }
  | null;

/** Which database the server uses, whether it answers, and which schema it has. `newest` is this program's. */
export function storeFindings(
  looked: Looked,
  where: { engine: "SQLite" | "PostgreSQL"; name: string },
  newest: number,
): Finding[] {
  const about = "database";
  const name = `${where.engine}, ${where.name}`;
  if (looked === null) return [fine(about, `${name}: will be made`)];
  if ("error" in looked) {
    const trouble = openingTrouble(looked.error);
    const said = trouble === null ? looked.error.message : trouble.words;
    const otherwise = "Look at what it says, and at the address in DATABASE_URL.";
    return [amiss("fail", about, `${name}: ${said}`, sentence(trouble?.remedy) ?? otherwise)];
  }
  const { schema, writable } = looked;
  if (!writable) {
    const remedy =
      "Name the primary server and a user that owns the database; on a standby, or without CREATE on database and schema public, nothing can be stored.";
    return [amiss("fail", about, `${name}: answers, and takes no tables`, remedy)];
  }
  if (schema === null) return [fine(about, `${name}: answers; its tables will be made`)];
  if (schema > newest) {
    const said = `${name}: schema ${schema}; this program knows ${newest}`;
    return [amiss("fail", about, said, "Start the newer Draftsmith that wrote it.")];
  }
  const older = schema < newest ? `, brought to ${newest} at the next start` : "";
  return [
    fine(about, `${name}: answers; schema ${schema}${older}`),
    ...untoldFindings(looked.untold),
  ];
}

/** Texts that nobody could be told, for whoever runs the server. */
function untoldFindings({ count, reason }: { count: number; reason: string }): Finding[] {
  if (count === 0) return [];
  const texts = count === 1 ? "1 text was" : `${count} texts were`;
  const said = `${texts} refused by GitHub until given up, so somebody was not told; the newest: ${reason}`;
  const remedy =
    'Mend what it names; the log has each, with its job or comment, under "a write to GitHub was given up".';
  return [amiss("warn", "told", said, remedy)];
}

/** What the data directory takes of what it may, in bytes, and what is free on its disk. */
export function sizeFindings(size: number, boundMb: number, free: number): Finding[] {
  const bound = boundMb * MB;
  const said = `DATA_DIR takes ${megabytes(size)} of ${megabytes(bound)}; ${megabytes(free)} of the disk are free`;
  if (size > bound) {
    const remedy =
      "The server removes mirrors nobody uses; where that is not enough no job begins: set DRAFTSMITH_DATA_MB to more.";
    return [amiss("warn", "disk", said, remedy)];
  }
  if (free + size < bound) {
    const remedy = "The disk is full before the bound is reached: set DRAFTSMITH_DATA_MB to less.";
    return [amiss("warn", "disk", said, remedy)];
  }
  return [fine("disk", said)];
}

function sentence(words: string | undefined): string | undefined {
  return words && `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
