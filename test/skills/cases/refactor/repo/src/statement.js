/** A line of a statement of account; credits stand in brackets, as accountants write them. */
export function statementLine(entry) {
  const amount = (Math.abs(entry.cents) / 100).toFixed(2);
  const grouped = amount.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return entry.cents < 0 ? `${entry.day} ($${grouped})` : `${entry.day} $${grouped}`;
}
