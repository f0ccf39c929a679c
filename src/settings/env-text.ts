import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { toError, UserError } from "../core/errors.ts";

/** The variables in a file of `NAME=value` lines; none without such a file. Throws UserError when it is no text. */
export function readEnvText(file: string): NodeJS.Dict<string> {
  const bytes = bytesOf(file);
  if (bytes === null) return {};
  // A mark of some editors before the first name would be part of it.
  const text = textOf(bytes);
  if (text === null) throw wrong(file, "is no text in UTF-8; save it as such");
  return parseEnv(text);
}

function textOf(bytes: Buffer): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

function bytesOf(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch (thrown) {
    const error = toError(thrown);
    if ("code" in error && error.code === "ENOENT") return null;
    throw wrong(
      file,
      `cannot be read (${error.message}); it has to be a file that this user may read`,
    );
  }
}

function wrong(file: string, problem: string): UserError {
  return new UserError(`Draftsmith cannot start:\n  ${file}: ${problem}`);
}
