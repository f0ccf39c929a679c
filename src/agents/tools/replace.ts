/** A text after a replacement, or why there was none, in words a model can act on. */
export type Replaced =
  | { status: "replaced"; text: string; count: number }
  | { status: "failed"; reason: string };

/**
 * Replaces `old` by `wanted` where it stands exactly once, or everywhere with `all`. Line feeds match
 * the line ends of the text, and what is put in gets the line ends of the text.
 */
export function replaceExact(text: string, old: string, wanted: string, all: boolean): Replaced {
  if (old === wanted) return { status: "failed", reason: "old and new are the same." };
  const crlf = count(text, "\r\n") * 2 > count(text, "\n");
  const unix = withLineEnds(old, false);
  const dos = withLineEnds(old, true);
  let places: number[] = [];
  const find = (crlf ? [dos, old, unix] : [old, unix, dos]).find((form) => {
    places = placesOf(text, form);
    return places.length > 0;
  });
  if (find === undefined) return { status: "failed", reason: whyNotFound(text, old) };
  if (places.length > 1 && !all) {
    const lines = linesOf(text, places).join(", ");
    const reason = `old stands ${places.length} times in the file (from lines ${lines}). Give more of the text around the one you mean, or set all to change every one.`;
    return { status: "failed", reason };
  }
  const asWritten = find === old && !crlf;
  const insert = asWritten ? wanted : withLineEnds(wanted, crlf || find.includes("\r\n"));
  const kept = [0, ...places.map((at) => at + find.length)].map((from, nth) =>
    text.slice(from, places[nth]),
  );
  return { status: "replaced", text: kept.join(insert), count: places.length };
}

function withLineEnds(text: string, crlf: boolean): string {
  const plain = text.replaceAll("\r\n", "\n");
  return crlf ? plain.replaceAll("\n", "\r\n") : plain;
}

function whyNotFound(text: string, old: string): string {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  const wanted = old.split("\n").map(squeeze);
  while (wanted.at(-1) === "") wanted.pop();
  while (wanted[0] === "") wanted.shift();
  const first = wanted[0];
  if (first === undefined)
    return "old holds nothing but white space, which does not stand like that in the file.";
  const squeezed = lines.map(squeeze);
  const [same] = placesOf(squeezed, wanted);
  if (same !== undefined) {
    const exact = lines.slice(same, same + wanted.length).join("\n");
    return `old is not in the file exactly, but from line ${same + 1} only the white space differs. There the file has:\n${exact}`;
  }
  const starts = squeezed.flatMap((line, at) => (line === first ? [at + 1] : [])).slice(0, 5);
  const hint =
    starts.length > 0
      ? ` Its first line stands in line ${starts.join(", ")}, but what follows differs.`
      : "";
  return `old is not in the file.${hint} Read the file again: it has to match character by character.`;
}

/**
 * Where a run of characters or lines stands, each place behind the end of the one before unless they may
 * overlap. The way of Knuth, Morris and Pratt: with the engine's own search a model can make one call take
 * minutes.
 */
export function placesOf<T>(items: ArrayLike<T>, run: ArrayLike<T>, overlapping = false): number[] {
  if (run.length === 0) return [];
  /** How much of the run's beginning ends at each of its items again. */
  const again = [0];
  for (let at = 1, known = 0; at < run.length; at++) {
    while (known > 0 && run[at] !== run[known]) known = again[known - 1] ?? 0;
    if (run[at] === run[known]) known += 1;
    again.push(known);
  }
  const places: number[] = [];
  for (let at = 0, known = 0; at < items.length; at++) {
    while (known > 0 && items[at] !== run[known]) known = again[known - 1] ?? 0;
    if (items[at] === run[known]) known += 1;
    if (known < run.length) continue;
    places.push(at - known + 1);
    known = overlapping ? (again[known - 1] ?? 0) : 0;
  }
  return places;
}

function squeeze(line: string): string {
  return line.replace(/\s+/g, " ").trim();
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** 1-based lines in which the first few places begin. */
function linesOf(text: string, places: number[]): number[] {
  return places.slice(0, 10).map((at) => count(text.slice(0, at), "\n") + 1);
}
