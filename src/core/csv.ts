/** Where a spreadsheet would begin a formula, also in full width, and also with another separator than ours. */
const FORMULA =
  /^(?=[=+\-@\t\r\n\uFF0B\uFF0D\uFF1D\uFF20])|(?<=[;\t\r\n]"*)(?=[=+\-@\uFF0B\uFF0D\uFF1D\uFF20])/g;

/** A record of a CSV file (RFC 4180), its line end included; a text that a spreadsheet would reckon out gets a `'` before it. */
export function csvLine(cells: (string | number | null)[]): string {
  return `${cells.map(cell).join(",")}\r\n`;
}

function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = value.replace(FORMULA, "'");
  return /[",;\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
