/** The address as it stands on a label. */
export function labelText({ name, street, city }) {
  return [name, street, city].filter(Boolean).join("\n").toUpperCase();
}
