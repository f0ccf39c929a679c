/**
 * Globs with `*`, `?`, `[a-z]`, `[!a]`, `{a,b}`, `\` before a sign meant as itself, and `**` as a whole name for any
 * number of folders; dot files count. One without a slash matches at any depth, one that begins with a slash in the
 * root only. Written here because the matchers at hand turn globs into regular
 * expressions, and a file name of 250 letters against `*a*a*a*a*a` then takes minutes: time here grows with the
 * length of the glob times the length of the path, whatever an agent names its files.
 */
export function globMatcher(glob: string): (path: string) => boolean {
  const patterns = patternsOf(glob);
  return (path) => {
    const names = namesOf(path);
    return patterns.some((pattern) => matchesSteps(pattern, names, matchesName));
  };
}

/**
 * Whether a glob that is written from the root may match something below a folder. One that matches at
 * any depth reaches into every folder, which tells nothing, so the answer is no.
 */
export function globReach(glob: string): (folder: string) => boolean {
  const patterns = patternsOf(glob).filter(([first]) => first !== ANY);
  return (folder) => {
    const names = namesOf(folder);
    return patterns.some((pattern) => reaches(pattern, names));
  };
}

function patternsOf(glob: string): Step<Step<Sign>[]>[][] {
  const path = rooted(glob);
  const anywhere = path.includes("/") || /^\.?\//.test(glob) ? path : `**/${path}`;
  return alternatives(`${anywhere}/**`).map((each) => each.split("/").map(nameSteps));
}

/** A glob without the slashes around it. */
function rooted(glob: string): string {
  return glob.replace(/^\.?\/+/, "").replace(/\/+$/, "");
}

function isNoName(name: string): boolean {
  return name === "" || name === "." || name === "..";
}

/** The root has no names. */
function namesOf(path: string): string[][] {
  return path === "" ? [] : path.split("/").map((name) => [...name]);
}

function matchesName(steps: Step<Sign>[], name: string[]): boolean {
  return matchesSteps(steps, name, fits);
}

/** Whether the names can be the beginning of what the steps match: every place they may stand at after each. */
function reaches(steps: Step<Step<Sign>[]>[], names: string[][]): boolean {
  let places = new Set([0]);
  for (const name of names) {
    const next = new Set<number>();
    for (const place of places) {
      const step = steps[place];
      if (step === ANY) {
        next.add(place);
        // The anything may have ended before this name.
        places.add(place + 1);
      } else if (step !== undefined && matchesName(step, name)) {
        next.add(place + 1);
      }
    }
    places = next;
  }
  return places.size > 0;
}

/** Why a glob cannot be used, or null. */
export function globProblem(glob: string): string | null {
  if (glob.startsWith("!")) return "cannot be negated; name what is meant instead";
  const readings = alternatives(glob);
  if (readings.length > MAX_ALTERNATIVES)
    return `has more than ${MAX_ALTERNATIVES} alternatives in braces; write several globs`;
  if (readings.some((each) => rooted(each).split("/").some(isNoName))) {
    return "matches nothing: a path has no empty names, no `.` and no `..`; write it from the root";
  }
  return null;
}

/** The same as a pattern for editors, which cannot look into braces. */
export const GLOB_PATTERN =
  "^\\s*(?!!)(?:\\.?/+)?(?!\\.{1,2}(?:/|\\s*$))[^/]*[^\\s/][^/]*(?:/(?!\\.{1,2}(?:/|\\s*$))[^/]+)*/*\\s*$";

const MAX_ALTERNATIVES = 256;

/** Matches any number of elements; at most one element is matched by every other step. */
const ANY = Symbol("any");

/** One character: itself, any, or a test. */
type Sign = string | ((character: string) => boolean);
type Step<T> = typeof ANY | T;

/** Greedy with one point to return to: enough for patterns whose only repetition is "anything". */
function matchesSteps<P, T>(
  steps: Step<P>[],
  items: T[],
  pair: (step: P, item: T) => boolean,
): boolean {
  let step = 0;
  let item = 0;
  let back: { step: number; item: number } | null = null;
  while (item < items.length || step < steps.length) {
    const wanted = steps[step];
    const found = items[item];
    if (wanted === ANY) {
      back = { step: ++step, item };
    } else if (wanted !== undefined && found !== undefined && pair(wanted, found)) {
      step++;
      item++;
    } else if (back !== null && back.item < items.length) {
      back.item++;
      ({ step, item } = back);
    } else {
      return false;
    }
  }
  return true;
}

function fits(sign: Sign, character: string): boolean {
  return typeof sign === "string" ? sign === character : sign(character);
}

/** The steps of one name of a glob: ANY for `**`, else the steps of its characters. */
function nameSteps(name: string): Step<Step<Sign>[]> {
  if (name === "**") return ANY;
  const steps: Step<Sign>[] = [];
  for (const [sign] of name.matchAll(/\\.|\*+|\?|\[[!^]?\]?[^\]]*\]|./gsu)) {
    if (sign.startsWith("*")) steps.push(ANY);
    else if (sign === "?") steps.push(() => true);
    else if (sign.startsWith("[") && sign.length > 2) steps.push(oneOf(sign));
    else if (sign.startsWith("\\") && sign.length > 1) steps.push(sign.slice(1));
    else steps.push(sign);
  }
  return steps;
}

function oneOf(brackets: string): (character: string) => boolean {
  const [, not = "", inside = ""] = /^\[([!^]?)([\s\S]*)\]$/.exec(brackets) ?? [];
  const ranges = [...inside.matchAll(/(.)-(.)|(.)/gsu)].map(([, from, to, one = ""]) => [
    from ?? one,
    to ?? one,
  ]);
  return (character) =>
    ranges.some(([from = "", to = ""]) => from <= character && character <= to) === (not === "");
}

/** Every reading of the braces in a glob; one more than allowed when there are too many. */
function alternatives(glob: string): string[] {
  let readings = [glob];
  for (let at = 0; at < readings.length && readings.length <= MAX_ALTERNATIVES; ) {
    const options = firstBraces(readings[at] ?? "");
    if (options === null) at++;
    else readings = [...readings.slice(0, at), ...options, ...readings.slice(at + 1)];
  }
  return readings;
}

/** A glob with its first pair of braces replaced by each of the alternatives; null without such a pair. */
function firstBraces(glob: string): string[] | null {
  for (let open = glob.indexOf("{"); open !== -1; open = glob.indexOf("{", open + 1)) {
    if (glob[open - 1] === "\\") continue;
    const cuts = [open];
    let depth = 0;
    for (let at = open; at < glob.length; at++) {
      const sign = glob[at];
      if (sign === "\\") at++;
      else if (sign === "{") depth++;
      else if (sign === "}") depth--;
      if (depth === 1 && sign === ",") cuts.push(at);
      if (depth > 0) continue;
      if (cuts.length === 1) break;
      const ends = [...cuts.slice(1), at];
      return cuts.map(
        (cut, nth) => glob.slice(0, open) + glob.slice(cut + 1, ends[nth]) + glob.slice(at + 1),
      );
    }
  }
  return null;
}
