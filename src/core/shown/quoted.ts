const MAX = 120;

/** A stranger's text within one line of plain text: in quotes, with line ends as escapes, cut. */
export function quoted(text: string): string {
  const line = JSON.stringify(text).slice(1, -1).replaceAll('\\"', "'");
  const characters = [...line];
  return `"${characters.length > MAX ? `${characters.slice(0, MAX - 1).join("")}…` : line}"`;
}
