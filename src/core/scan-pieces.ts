import type { FilePatch } from "./patch.ts";

/** Characters of one piece, and how far it reaches into the next: no secret is longer than that. */
const PIECE = 128 * 1024;
const OVERLAP = 8 * 1024;

/** A part of what a patch adds to a file, with the line of the file that each of its lines is or is part of. */
interface Piece {
  /** Place of its file among the patches. */
  file: number;
  text: string;
  lines: number[];
}

/**
 * Everything that a patch adds, in pieces that overlap, so that a secret is whole in one of them however
 * large the change is. Lines that do not follow one another in the file are kept apart by an empty one.
 */
export function* scanPieces(patches: FilePatch[]): Generator<Piece> {
  for (const [file, patch] of patches.entries()) {
    let piece: Piece = { file, text: "", lines: [] };
    for (const { from, lines } of patch.runs) {
      if (piece.text !== "") add(piece, "", from);
      for (const [index, line] of lines.entries()) {
        // A line longer than a piece goes into several, each a line of its own.
        for (let at = 0; at === 0 || at < line.length; at += PIECE - OVERLAP) {
          add(piece, line.slice(at, at + PIECE), from + index);
          if (piece.text.length < PIECE) continue;
          yield piece;
          piece = tailOf(piece);
        }
      }
    }
    if (piece.text !== "") yield piece;
  }
}

function add(piece: Piece, line: string, number: number): void {
  piece.text += `${line}\n`;
  piece.lines.push(number);
}

/** The last lines of a piece, from which the next one goes on. */
function tailOf({ file, text, lines }: Piece): Piece {
  const cut = text.slice(-OVERLAP);
  const tail = cut.slice(cut.indexOf("\n") + 1);
  const count = tail.split("\n").length - 1;
  return { file, text: tail, lines: count === 0 ? [] : lines.slice(-count) };
}
