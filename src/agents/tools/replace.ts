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
  const find = (crlf ? [dos, old, unix] : [old, unix, dos]).find((form) => text.includes(form));
  if (find === undefined) return { status: "failed", reason: whyNotFound(text, old) };
  const places = count(text, find);
  if (places > 1 && !all) {
    const lines = linesOf(text, find).join(", ");
    const reason = `old stands ${places} times in the file (from lines ${lines}). Give more of the text around the one you mean, or set all to change every one.`;
    return { status: "failed", reason };
  }
  const asWritten = find === old && !crlf;
  const insert = asWritten ? wanted : withLineEnds(wanted, crlf || find.includes("\r\n"));
  return { status: "replaced", text: text.split(find).join(insert), count: places };
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
  const same = squeezed.findIndex((_, at) =>
    wanted.every((line, next) => squeezed[at + next] === line),
  );
  if (same >= 0) {
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

function squeeze(line: string): string {
  return line.replace(/\s+/g, " ").trim();
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** 1-based lines in which the first few places begin. */
function linesOf(text: string, part: string): number[] {
  const lines: number[] = [];
  for (
    let at = text.indexOf(part);
    at >= 0 && lines.length < 10;
    at = text.indexOf(part, at + part.length)
  ) {
    lines.push(count(text.slice(0, at), "\n") + 1);
  }
  return lines;
}
