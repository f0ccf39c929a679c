import { didYouMean } from "./did-you-mean.ts";
import { codeSpan } from "./markdown-inline.ts";
import { dollars } from "./money.ts";

/** What a person set on a `/codex` line; absent means: as configured. */
export interface Flags {
  skill?: string;
  model?: string;
  effort?: string;
  /** Dollars, as they were written. */
  budget?: string;
  base?: string;
  /** True for `--draft`, false for `--ready`. */
  draft?: boolean;
}

/** A command line without its flags, or what is wrong with them. */
export type FlaggedLine = { ok: true; text: string; flags: Flags } | { ok: false; problem: string };

const VALUED = ["skill", "model", "effort", "budget", "base"] as const;
const SWITCHES = ["draft", "ready"] as const;
const NAMES = [...VALUED, ...SWITCHES, "help"];

/** Words; a code span, or a quotation that fills a word or a value, is one word whatever it holds. */
const WORD =
  /(?:(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|(?<=^|[\s=])(?:"[^"]*"|“[^”]*”|'[^']*')(?=\s|$)|\S)+/g;

/** `--name` or `--name=value`. Phones and word processors turn the two hyphens into a dash. */
const FLAG = /^(--|—|–)([A-Za-z][\w-]*)(?:=(.*))?$/;

/**
 * Takes the flags out of one command line. They may stand anywhere in it; `--` ends them, and what
 * stands in backticks is never one.
 */
export function parseFlags(line: string): FlaggedLine {
  const words = line.match(WORD) ?? [];
  const kept: string[] = [];
  const values: { [name in (typeof VALUED)[number]]?: string } = {};
  let draft: boolean | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") {
      kept.push(...words.slice(at + 1));
      break;
    }
    const [, dashes, spelled = "", attached] = FLAG.exec(word) ?? [];
    const name = spelled.toLowerCase();
    const valued = VALUED.find((known) => known === name);
    const isSwitch = SWITCHES.some((known) => known === name);
    if (dashes === undefined || (dashes !== "--" && !valued && !isSwitch)) {
      kept.push(word);
    } else if (isSwitch) {
      if (attached !== undefined) return wrong(`\`--${name}\` takes no value`);
      const wanted = name === "draft";
      if (draft !== undefined && draft !== wanted) {
        return wrong("`--draft` and `--ready` exclude each other; keep one");
      }
      draft = wanted;
    } else if (valued) {
      if (values[valued] !== undefined)
        return wrong(`\`--${valued}\` stands there twice; keep one`);
      const next = attached ?? words[++at];
      if (next === undefined || (attached === undefined && FLAG.test(next)) || next === "--") {
        return wrong(`\`--${valued}\` needs a value, such as \`--${valued} ${EXAMPLE[valued]}\``);
      }
      const value = unquoted(next);
      if (!VALID[valued](value)) return wrong(`${shown(value)} is no ${RULE[valued]}`);
      const unit = valued === "budget" ? words[at + 1] : undefined;
      if (unit !== undefined && UNIT.test(unit)) {
        return wrong(
          `\`--budget\` takes the amount alone, in dollars: write \`--budget ${value.replace("$", "")}\` without ${shown(unit)}, or, if that word begins the task, the flag behind the task`,
        );
      }
      values[valued] = normalized(valued, value);
    } else {
      return wrong(unknown(name));
    }
  }
  return {
    ok: true,
    text: kept.join(" ").trim(),
    flags: draft === undefined ? values : { ...values, draft },
  };
}

function normalized(name: (typeof VALUED)[number], value: string): string {
  if (name === "skill") return value.toLowerCase().normalize("NFKC");
  return name === "effort" ? value.toLowerCase() : value;
}

const EXAMPLE = { skill: "refactor", model: "gpt-5", effort: "high", budget: "2", base: "main" };

/** What people write behind an amount. */
const UNIT = /^(?:us)?(?:dollars?|\$|bucks?|cents?|usd|eur|euros?|€)[.,;:!]*$/i;

const RULE = {
  skill: "name of a skill: lower-case letters, digits and hyphens, at most 64",
  model: "name of a model: printable ASCII without spaces, at most 200 characters",
  effort: "reasoning effort: a word such as low, medium or high",
  budget: "budget: an amount of dollars above 0, such as 2 or 2.50",
  base: "name of a branch",
};

const VALID = {
  skill: (value: string) => /^[\p{L}\p{N}-]{1,64}$/u.test(value),
  model: isModelName,
  effort: (value: string) => /^[a-z]{1,20}$/i.test(value),
  budget: (value: string) => dollars(value).ok,
  base: isBranchName,
};

/** Whether a text can name a model: printable ASCII without spaces, at most 200 characters. */
export function isModelName(text: string): boolean {
  return /^[!-~]{1,200}$/.test(text) && !text.startsWith("-");
}

/** Whether git could have a branch of this name (git check-ref-format), and no option, `HEAD` or `@` at that. */
export function isBranchName(text: string): boolean {
  if (text === "" || text.length > 200 || text === "HEAD" || text === "@") return false;
  if (/[\p{Cc}\p{Zs}~^:?*[\\]|\.\.|@\{|\/\/|\.$/u.test(text)) return false;
  return text.split("/").every((part) => /^[^.-]/.test(part) && !/\.lock$/i.test(part));
}

/** The same as far as a JSON Schema can say it, with blanks around it. */
export const BRANCH_PATTERN =
  "^\\s*(?!(?:HEAD|@)\\s*$)(?!.*(?:\\.\\.|@\\{|\\.[lL][oO][cC][kK](?:/|\\s*$)))(?:[^\\s\\u0000-\\u001f\\u007f~^:?*\\[\\\\/.-][^\\s\\u0000-\\u001f\\u007f~^:?*\\[\\\\/]*(?:/(?!\\s*$)|\\s*$))+(?<!\\.\\s*)$";

function unknown(name: string): string {
  const meant = didYouMean(name, NAMES);
  const hint = meant ? `; did you mean \`--${meant}\`?` : ".";
  const spelled = `--${name}`;
  return `${shown(spelled)} is no flag of \`/codex\`${hint} If it belongs to the task, put it in backticks, or write \`--\` before the task`;
}

function unquoted(value: string): string {
  const quoted = /^(?:"(.*)"|“(.*)”|'(.*)'|`+(.*?)`+)$/.exec(value);
  return (quoted?.slice(1).find((inside) => inside !== undefined) ?? value).trim();
}

function shown(value: string): string {
  const characters = [...value];
  return value === ""
    ? "an empty text"
    : codeSpan(characters.length > 60 ? `${characters.slice(0, 59).join("")}…` : value);
}

function wrong(problem: string): FlaggedLine {
  return { ok: false, problem };
}
