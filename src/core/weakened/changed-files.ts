/** A line of a patch with its number in the version it belongs to. */
export interface PatchLine {
  sign: "+" | "-" | " ";
  text: string;
  /** 1-based, in the new version, or in the old one where it went. */
  line: number;
}

/** Lines that went and lines that came in one place. */
export interface Block {
  removed: PatchLine[];
  added: PatchLine[];
}

/** What a patch does to one file. */
export interface ChangedTextFile {
  path: string;
  /** Where it was before, when git tells of a rename. */
  oldPath: string;
  status: "added" | "deleted" | "modified";
  /** Hunk by hunk. */
  hunks: PatchLine[][];
  blocks: Block[];
  added: PatchLine[];
  removed: PatchLine[];
}

/** Takes a unified diff of git apart, with or without renames. */
export function changedFiles(patch: string): ChangedTextFile[] {
  return patch
    .split(/(?<=^|\n)(?=diff --git )/)
    .filter((part) => part.startsWith("diff --git "))
    .map(readFile);
}

/** What a line of code is judged by; nobody writes longer ones, and patterns take their time over them. */
const MAX_LINE = 400;

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

function readFile(part: string): ChangedTextFile {
  const lines = part.split("\n");
  const first = lines.findIndex((line) => line.startsWith("@@ "));
  const header = first < 0 ? lines : lines.slice(0, first);
  const hunks: PatchLine[][] = [];
  let before = 0;
  let after = 0;
  for (const line of first < 0 ? [] : lines.slice(first)) {
    const start = HUNK.exec(line);
    const text = line.slice(1, MAX_LINE).replace(/\r$/, "");
    if (start) {
      before = Number(start[1]);
      after = Number(start[2]);
      hunks.push([]);
    } else if (line.startsWith("+")) {
      hunks.at(-1)?.push({ sign: "+", text, line: after });
      after += 1;
    } else if (line.startsWith("-")) {
      hunks.at(-1)?.push({ sign: "-", text, line: before });
      before += 1;
    } else if (line.startsWith(" ")) {
      hunks.at(-1)?.push({ sign: " ", text, line: after });
      before += 1;
      after += 1;
    }
  }
  const all = hunks.flat();
  const told = (name: string) => header.some((line) => line.startsWith(name));
  return {
    ...names(header),
    status: told("deleted file mode") ? "deleted" : told("new file mode") ? "added" : "modified",
    hunks,
    blocks: hunks.flatMap(blocksOf),
    added: all.filter(({ sign }) => sign === "+"),
    removed: all.filter(({ sign }) => sign === "-"),
  };
}

function names(header: string[]): { path: string; oldPath: string } {
  const of = (start: string) => {
    const line = header.find((each) => each.startsWith(start));
    return line === undefined ? null : unquoted(line.slice(start.length).replace(/\t$/, ""));
  };
  const side = (name: string | null) =>
    name === null || name === "/dev/null" ? null : name.replace(/^[abciow]\//, "");
  const [, both] = /^diff --git "?a\/(.*?)"? "?b\/\1"?$/s.exec(header[0] ?? "") ?? [];
  const before = of("rename from ") ?? side(of("--- "));
  const after = of("rename to ") ?? side(of("+++ "));
  const path = after ?? before ?? both ?? "";
  return { path, oldPath: before ?? path };
}

/** A name as git quotes it when it holds unusual signs, read back. */
function unquoted(name: string): string {
  if (!name.startsWith('"')) return name;
  const bytes: number[] = [];
  const inside = name.slice(1, -1);
  for (const [sign, octal, letter] of inside.matchAll(/\\([0-7]{3})|\\(.)|[^\\]+/gs)) {
    if (octal) bytes.push(Number.parseInt(octal, 8));
    else bytes.push(...Buffer.from(letter ? (LETTERS[letter] ?? letter) : sign));
  }
  return Buffer.from(bytes).toString();
}

const LETTERS: Record<string, string> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

function blocksOf(hunk: PatchLine[]): Block[] {
  const blocks: Block[] = [];
  let open: Block | null = null;
  for (const line of hunk) {
    if (line.sign === " ") {
      open = null;
      continue;
    }
    if (open === null) {
      open = { removed: [], added: [] };
      blocks.push(open);
    }
    (line.sign === "+" ? open.added : open.removed).push(line);
  }
  return blocks;
}
