import { readFileSync } from "node:fs";
import path from "node:path";
import { toError } from "../core/errors.ts";
import type { ModelOffer } from "../core/model-offer.ts";
import { type OperatorConfig, parseOperatorConfig } from "../core/operator-config.ts";

/** What the operator's file is called. */
export const OPERATOR_FILE = "draftsmith.yml";

/** The file of the operator, read and checked by itself; null without one. */
export interface OperatorFile {
  config: OperatorConfig;
  placeOf: ModelOffer["placeOf"];
}

/**
 * Reads draftsmith.yml: the file that DRAFTSMITH_CONFIG names, else the one in the working directory, if it
 * is there. Problems are whole lines, such as `draftsmith.yml:12: …`.
 */
export function readOperatorFile(
  given: string | undefined,
  cwd: string,
): { file: OperatorFile | null; problems: string[] } {
  const name = given ?? OPERATOR_FILE;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path.resolve(cwd, name)));
  } catch (thrown) {
    const error = toError(thrown);
    if (given === undefined && "code" in error && error.code === "ENOENT") {
      return { file: null, problems: [] };
    }
    const setting = given === undefined ? name : "DRAFTSMITH_CONFIG";
    const remedy = "it has to be a text file in UTF-8 that this user may read";
    return {
      file: null,
      problems: [`${setting}: ${name} cannot be read (${error.message}); ${remedy}`],
    };
  }
  const read = parseOperatorConfig(text);
  if (!read.ok) {
    const problems = read.problems.map(({ line, message }) => `${name}:${line}: ${message}`);
    return { file: null, problems };
  }
  const placeOf = (place: PropertyKey[]) => `${name}:${read.lineOf(place)}`;
  return { file: { config: read.config, placeOf }, problems: [] };
}
