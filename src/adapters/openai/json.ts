/** Whether a parsed value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value where it is a JSON object, else an empty one. */
export function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

/** The value where it is a JSON array, else an empty one. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value where it is a string, else an empty one. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Whether a text is one JSON object, as the arguments of a call have to be. */
export function isJsonObject(value: string): boolean {
  try {
    return isRecord(JSON.parse(value));
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
