/** A row of the board, as the comment shows it. */
export interface BoardRow {
  number: string;
  task: string;
  state: string;
  rest: string[];
}

/** The rows of a board: table lines that begin with a number. */
export function boardRows(body: string): BoardRow[] {
  return body
    .split("\n")
    .filter((line) => /^\|\s*\d+\s*\|/.test(line))
    .map((line) => {
      const cells = line.split(/(?<!\\)\|/).map((cell) => cell.replaceAll("\\", "").trim());
      const [number = "", task = "", state = "", ...rest] = cells.slice(1, -1);
      return { number, task, state, rest };
    });
}

/** Whether a row says that its job has ended, well or badly. */
export function hasEnded(row: BoardRow): boolean {
  return /\b(done|no change|blocked|over budget|failed|cancelled)\b/.test(row.state);
}

/**
 * Shows the board as it changes: redrawn in place on a terminal, else a line for each row that
 * changed, with the seconds since the start.
 */
export function createProgress(
  output: NodeJS.WriteStream,
  startedAt: number,
): (body: string) => void {
  const shown = new Map<string, string>();
  let drawn = 0;
  return (body) => {
    // Less the time in front, and some room because an emoji is two columns wide.
    const width = (output.isTTY ? output.columns : 160) - 14;
    const lines = boardRows(body).map((row) => [row.number, lineOf(row, width)] as const);
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(6);
    if (output.isTTY) {
      if (drawn > 0) output.write(`\u001b[${drawn}A`);
      for (const [, line] of lines) output.write(`\u001b[2K${seconds} s ${line}\n`);
      drawn = lines.length;
      return;
    }
    for (const [number, line] of lines) {
      if (shown.get(number) !== line) output.write(`${seconds} s ${line}\n`);
      shown.set(number, line);
    }
  };
}

function lineOf({ number, task, state, rest }: BoardRow, width: number): string {
  const short = [...task].length > 30 ? `${[...task].slice(0, 29).join("")}…` : task.padEnd(30);
  const line = [number, short, state.padEnd(20), ...rest.map((cell) => cell.replaceAll("`", ""))];
  return [...line.join("  ")].slice(0, width).join("");
}
