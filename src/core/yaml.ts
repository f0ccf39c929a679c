import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
} from "yaml";
import { codeSpan, tableCell } from "./markdown.ts";
import type { ConfigProblem } from "./repo-config.ts";

/** A YAML file as plain values. */
export interface YamlValue {
  value: unknown;
  /** 1-based line of the key or entry at a path; of its nearest parent when there is none. */
  lineOf(path: PropertyKey[]): number;
}

const MAX_BYTES = 65_536;
const MAX_DEPTH = 20;
const MAX_PROBLEMS = 20;
/** Behind the first mistakes a parser mostly stumbles over itself. */
const MAX_SYNTAX_PROBLEMS = 3;

/**
 * Reads one mapping of plain values. Refused: aliases and anchors, unknown tags, keys that repeat or are
 * no text, deep nesting, more than 64 kB. Keys without a value are left out.
 */
export function parseYaml(
  text: string,
  { plain = false } = {},
): ({ ok: true } & YamlValue) | { ok: false; problems: ConfigProblem[] } {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    return {
      ok: false,
      problems: [{ line: 1, message: "the file is larger than 64 kB; make it shorter" }],
    };
  }
  const lineCounter = new LineCounter();
  const options = {
    lineCounter,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: "error",
    ...(plain && { schema: "failsafe" as const }),
  } as const;
  const document = parseDocument(text, options);
  const lineAt = (offset: number) => Math.max(1, lineCounter.linePos(offset).line);
  const flaws = [...document.errors, ...document.warnings];
  if (flaws.length > 0) {
    const problems = flaws.slice(0, MAX_SYNTAX_PROBLEMS).map(({ code, message, pos }) => {
      return {
        line: lineAt(pos[0]),
        message: REMEDY[code] ?? `not valid YAML: ${tableCell(message)}`,
      };
    });
    return { ok: false, problems };
  }
  const problems: ConfigProblem[] = [];
  const lines = new Map<string, number>();
  const value = plainValue(document.contents, [], { problems, lines, lineAt });
  if (typeof value !== "object" || Array.isArray(value)) {
    problems.push({ line: 1, message: "the file must hold keys and their values (`key: value`)" });
  }
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, MAX_PROBLEMS) };
  const lineOf = (path: PropertyKey[]): number => {
    for (let length = path.length; length > 0; length--) {
      const line = lines.get(placeKey(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  };
  return { ok: true, value: value ?? {}, lineOf };
}

const REMEDY: Record<string, string> = {
  TAB_AS_INDENT: "not valid YAML: a tab is used as indentation; use spaces",
  RESOURCE_EXHAUSTION: "nested too deeply",
  MULTIPLE_DOCS: "the file holds several documents; remove the line `---` between them",
};

const NOT_PLAIN = "this is no plain YAML value; remove its tag (`!!…`)";

interface Reading {
  problems: ConfigProblem[];
  lines: Map<string, number>;
  lineAt: (offset: number) => number;
}

/** Walks the document instead of its own conversion, which takes minutes on nested keys. */
function plainValue(node: ParsedNode | null, path: string[], reading: Reading): unknown {
  const { problems, lines, lineAt } = reading;
  if (node === null) return null;
  const line = lineAt(node.range[0]);
  const refuse = (message: string): null => {
    problems.push({ line, message });
    return null;
  };
  if (isAlias(node)) return refuse("aliases (`*name`) are not supported; write the value out");
  if (node.anchor !== undefined) return refuse("anchors (`&name`) are not supported; remove it");
  if (path.length > MAX_DEPTH) return refuse("nested too deeply");
  // Nothing is written there: no text either, as every other plain value is where all of them are texts.
  if (isScalar(node) && node.value === "" && node.type === "PLAIN") return null;
  if (isScalar(node)) return node.value instanceof Uint8Array ? refuse(NOT_PLAIN) : node.value;
  if (isSeq(node)) {
    return node.items.map((item, index) => {
      // Lists of pairs, by a tag.
      if (isPair(item)) return refuse(NOT_PLAIN);
      const place = [...path, String(index)];
      lines.set(placeKey(place), item === null ? line : lineAt(item.range[0]));
      return plainValue(item, place, reading);
    });
  }
  if (!isMap(node)) return refuse(NOT_PLAIN);
  const entries = new Map<string, unknown>();
  for (const { key, value } of node.items) {
    const at = key === null ? line : lineAt(key.range[0]);
    if (!isScalar(key) || typeof key.value !== "string" || key.anchor !== undefined) {
      problems.push({ line: at, message: "a key must be plain text" });
      continue;
    }
    if (entries.has(key.value)) {
      problems.push({
        line: at,
        message: `the key ${codeSpan(key.value)} stands there twice; keep one`,
      });
    }
    const place = [...path, key.value];
    lines.set(placeKey(place), at);
    entries.set(key.value, plainValue(value, place, reading));
  }
  return Object.fromEntries([...entries].filter(([, value]) => value !== null));
}

function placeKey(path: PropertyKey[]): string {
  return JSON.stringify(path.map(String));
}
