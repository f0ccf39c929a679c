import { createKnownSecrets, united } from "./known-secrets.ts";
import { shapesIn } from "./secret-shapes.ts";

const REDACTED = "[redacted]";

const ESC = String.fromCodePoint(0x1b);

/** ANSI sequences: CSI; OSC, DCS and their kin up to their terminator or the end of the line; two-character ones. */
const ANSI = new RegExp(
  [
    `${ESC}\\[[0-?]*[ -/]*[@-~]`,
    `${ESC}[\\]PX^_][^${ESC}\\u0007\\n]*(?:\\u0007|${ESC}\\\\)?`,
    `${ESC}[ -/]*[0-~]`,
  ].join("|"),
  "g",
);

/**
 * Removes what a person cannot see but a machine reads: ANSI sequences, control characters, zero-width,
 * bidirectional, tag and other ignorable characters, lone surrogates. Line ends become "\n"; tabs stay.
 */
export function stripInvisible(text: string): string {
  return text
    .replace(ANSI, "")
    .replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, "\n")
    .replace(
      /[[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u{FFF9}-\u{FFFB}]--[\t\n\u{FE0E}\u{FE0F}]]/gv,
      "",
    );
}

/**
 * A function that replaces secrets in any text: the values `secrets` gives at that moment, in whatever
 * spelling `createKnownSecrets` finds, and, unless only `own` ones count, whatever has the shape of a
 * token, password or private key.
 */
export function createRedactor(
  secrets: () => string[],
  { own = false } = {},
): (text: string) => string {
  const known = createKnownSecrets(secrets);
  return (text) => {
    let out = "";
    let done = 0;
    for (const { from, to } of united([...known(text), ...(own ? [] : shapesIn(text))])) {
      out += text.slice(done, from) + REDACTED;
      done = to;
    }
    return out + text.slice(done);
  };
}
