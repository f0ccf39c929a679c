export const DEFAULTS = { width: 80, sort: null };

export function print(rows, options = {}) {
  const { width } = { ...DEFAULTS, ...options };
  return rows.map((row) => Object.values(row).join(" | ").slice(0, width)).join("\n");
}
