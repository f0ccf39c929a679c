/** A line of a patch and the one of the file that it stands for. */
export interface LinePair {
  written: string;
  stands: string;
}

/**
 * How lines that a patch adds are indented so that they stand as their neighbours do in the file, where the patch
 * has those with another indentation: as a line with the same one stands; else shifted as all of them are;
 * else, where tabs stand for spaces, in tabs. Where the lines do not agree they stay as they are.
 */
export function indentAs(pairs: LinePair[]): (line: string) => string {
  const told = pairs
    .filter(({ written, stands }) => written.trim() !== "" && stands.trim() !== "")
    .map(({ written, stands }) => ({ from: indentOf(written), to: indentOf(stands) }));
  if (told.every(({ from, to }) => from === to)) return (line) => line;
  const known = new Map<string, string | null>();
  for (const { from, to } of told) {
    const before = known.get(from);
    known.set(from, before === undefined || before === to ? to : null);
  }
  const shifted = shiftOf(told) ?? tabsOf(told);
  return (line) => {
    if (line.trim() === "") return line;
    const from = indentOf(line);
    const to = known.get(from) ?? (known.has(from) ? null : shifted?.(from));
    return to === null || to === undefined ? line : to + line.slice(from.length);
  };
}

type Indents = { from: string; to: string }[];
type Change = (indent: string) => string | null;

/** Deeper or less deep by the same white space. */
function shiftOf(told: Indents): Change | null {
  const [first] = told;
  if (!first) return null;
  const more = first.to.slice(0, Math.max(0, first.to.length - first.from.length));
  if (told.every(({ from, to }) => to === more + from)) return (indent) => more + indent;
  const less = first.from.slice(0, Math.max(0, first.from.length - first.to.length));
  if (told.every(({ from, to }) => from === less + to)) {
    return (indent) => (indent.startsWith(less) ? indent.slice(less.length) : null);
  }
  return null;
}

/** Each tab of the file written as the same number of spaces. */
function tabsOf(told: Indents): Change | null {
  const [deepest] = told.toSorted((one, other) => other.to.length - one.to.length);
  const width = deepest ? deepest.from.length / deepest.to.length : 0;
  const inTabs = (indent: string) =>
    /^ *$/.test(indent) && indent.length % width === 0 ? "\t".repeat(indent.length / width) : null;
  const fits = Number.isInteger(width) && width > 0;
  return fits && told.every(({ from, to }) => inTabs(from) === to) ? inTabs : null;
}

function indentOf(line: string): string {
  return /^\s*/.exec(line)?.[0] ?? "";
}
