import { UserError } from "../../core/errors.ts";

/** A full object id, SHA-1 or SHA-256. Throws for anything else, so that no option can pass as one. */
export function objectId(text: string): string {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) {
    throw new Error(`not a full object id: ${JSON.stringify(text.slice(0, 100))}`);
  }
  return text;
}

/**
 * A full ref name of plain ASCII (git's own rules allow more, and more than is safe: T13). Throws
 * UserError, because a branch may well carry a name that is not.
 */
export function refName(text: string): string {
  const parts = text.split("/");
  const plain = parts.every((part) => /^[A-Za-z0-9_@+#=,.-]+$/.test(part));
  const safe = parts.every((part) => !/^[-.]|\.\.|\.lock$|\.$|^@$|^HEAD$/.test(part));
  if (!plain || !safe || parts.length < 3 || parts[0] !== "refs" || text.length > 250) {
    throw new UserError(
      `the ref ${JSON.stringify(text.slice(0, 300))} has a name that is not safe`,
    );
  }
  return text;
}
