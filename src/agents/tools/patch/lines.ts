/** How lines are compared: exactly, then ever more loosely, as the models' makers do it. */
export const FORMS: ((line: string) => string)[] = [
  (line) => line,
  (line) => line.trimEnd(),
  (line) => line.trim(),
  plain,
];

/** A file as lines, in the forms in which they are compared. */
export interface Lines {
  texts: string[];
  /** Of the form with this number. */
  form(nth: number): string[];
}

/** Lines that are brought into each form at most once. */
export function linesOf(texts: string[]): Lines {
  const known: string[][] = [texts];
  return {
    texts,
    form(nth) {
      const form = known[nth] ?? texts.map(FORMS[nth] ?? plain);
      known[nth] = form;
      return form;
    },
  };
}

const DASHES = /[\u2010-\u2015\u2212]/g;
const SINGLE = /[\u2018-\u201b]/g;
const DOUBLE = /[\u201c-\u201f]/g;

/** A line with the punctuation and spaces of a keyboard, which models write for others. */
export function plain(line: string): string {
  return line
    .replace(DASHES, "-")
    .replace(SINGLE, "'")
    .replace(DOUBLE, '"')
    .replaceAll("\u2026", "...")
    .replace(/\s+/g, " ")
    .trim();
}
