import type { StateBlock } from "markdown-it";

/** The row below the first: dashes, with colons for alignment. Without a bar or colon it underlines a heading. */
const RULER = /^\|?[ \t\v\f]*:?-+:?[ \t\v\f]*(?:\|[ \t\v\f]*:?-+:?[ \t\v\f]*)*\|?[ \t\v\f]*$/;

/**
 * A table as cmark-gfm reads it, which is more often than markdown-it does: one column needs no bar
 * in its first row, and no number of rows is too high. Cells beyond the first row's are never shown.
 */
export function table(state: StateBlock, start: number, end: number, silent: boolean): boolean {
  if (start + 1 >= end || indent(state, start) >= 4 || !inside(state, start + 1)) return false;
  if (indent(state, start + 1) >= 4) return false;
  const ruler = lineAt(state, start + 1);
  if (!isRuler(ruler)) return false;
  const first = cellsOf(lineAt(state, start));
  if (cellsOf(ruler).length !== first.length) return false;
  if (silent) return true;
  const begins = state.md.block.ruler.getRules("blockquote");
  const whole = state.push("table_open", "table", 1);
  row(state, start, first, first.length);
  let next = start + 2;
  for (; next < end; next++) {
    if (!inside(state, next) || state.isEmpty(next) || indent(state, next) >= 4) break;
    if (begins.some((begin) => begin(state, next, end, true))) break;
    row(state, next, cellsOf(lineAt(state, next)), first.length);
  }
  state.push("table_close", "table", -1);
  whole.map = [start, next];
  state.line = next;
  return true;
}

/**
 * A table right below a paragraph whose first row is a tag alone: there it goes on with the paragraph
 * for cmark-gfm, while it would begin a block of HTML elsewhere.
 */
export function tableBelow(
  state: StateBlock,
  start: number,
  end: number,
  silent: boolean,
): boolean {
  if (silent || !lineAt(state, start).startsWith("<")) return false;
  if (state.tokens.at(-1)?.type !== "paragraph_close" || state.tokens.at(-3)?.map?.[1] !== start) {
    return false;
  }
  const begins = state.md.block.ruler.getRules("paragraph");
  if (begins.some((begin) => begin !== table && begin(state, start, end, true))) return false;
  return table(state, start, end, silent);
}

/**
 * Where the first row of a table stands among the trimmed lines of a paragraph; -1 when there is none.
 * `mayRule` says of which lines the row below it may be.
 */
export function tableWithin(lines: string[], mayRule: (at: number) => boolean): number {
  return lines.findIndex((line, at) => {
    const ruler = lines[at + 1] ?? "";
    return mayRule(at + 1) && isRuler(ruler) && cellsOf(ruler).length === cellsOf(line).length;
  });
}

function isRuler(line: string): boolean {
  // A dash and a blank begin a list.
  return /^(?:[|:]|-(?![ \t]))/.test(line) && /[|:]/.test(line) && RULER.test(line);
}

/** The cells of a line as they are written; bars behind a backslash are part of a cell. */
function cellsOf(line: string): string[] {
  const cells: string[] = [];
  let from = line.startsWith("|") ? 1 : 0;
  for (const { index, 0: sign } of line.matchAll(/\\[\s\S]|\|/g)) {
    if (sign !== "|" || index < from) continue;
    cells.push(line.slice(from, index));
    from = index + 1;
  }
  const last = line.slice(from);
  if (trimmed(last) !== "" || cells.length === 0) cells.push(last);
  return cells.map((cell) => trimmed(cell).replaceAll("\\|", "|"));
}

function row(state: StateBlock, line: number, cells: string[], columns: number): void {
  state.push("tr_open", "tr", 1).meta = { dropped: Math.max(0, cells.length - columns) };
  for (const cell of cells.slice(0, columns)) {
    state.push("td_open", "td", 1);
    const inline = state.push("inline", "", 0);
    inline.content = cell;
    inline.children = [];
    inline.map = [line, line + 1];
    state.push("td_close", "td", -1);
  }
  state.push("tr_close", "tr", -1);
}

function inside(state: StateBlock, line: number): boolean {
  return indent(state, line) >= 0;
}

function indent(state: StateBlock, line: number): number {
  return (state.sCount[line] ?? 0) - state.blkIndent;
}

function lineAt(state: StateBlock, line: number): string {
  const from = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
  return trimmed(state.src.slice(from, state.eMarks[line]));
}

/** Without the blanks that count as such in Markdown: others are text. */
function trimmed(text: string): string {
  return text.replace(/^[ \t\v\f]+/, "").replace(/(?<![ \t\v\f])[ \t\v\f]+$/, "");
}
