const MAX_DISTANCE = 2;

/** The name a mistyped word most likely meant, or null when none is near. */
export function didYouMean(word: string, names: readonly string[]): string | null {
  const typed = word.toLowerCase();
  let best: { name: string; distance: number } | null = null;
  for (const name of names) {
    const distance =
      name.startsWith(typed) && typed.length > 2 ? 1 : editDistance(typed, name.toLowerCase());
    // Two edits turn any short word into any other, so a short name has to be nearer.
    const near = distance <= MAX_DISTANCE && distance < name.length / 2;
    if (near && (best === null || distance < best.distance)) best = { name, distance };
  }
  return best?.name ?? null;
}

/** Insertions, deletions, substitutions and swaps of neighbours between two words; large when plainly far. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MAX_DISTANCE) return Number.POSITIVE_INFINITY;
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const costs = [
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      ];
      if (a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        costs.push(at(older, column - 2) + 1);
      }
      current.push(Math.min(...costs));
    }
    older = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
