/** No stretch shorter than this counts as a piece of a secret. */
export const MIN_PIECE = 8;

/** Bits that a piece must tell before it is more than ordinary words, sequences or dates. */
const ENOUGH = 18;

/** Pairs of letters that make up 96 % of English words and identifiers, by their first letter. */
const PAIRS = new Set(
  [
    "a:bcdfgiklmnprstuvy b:aeilorsu c:acehiklorstuy d:adeilorsu e:abcdefgilmnpqrstvwx f:aefiloruy",
    "g:aeghilnorsu h:aeiortu i:abcdefglmnoprstvxz j:es k:eis l:adeilostuy m:abeimopsu",
    "n:acdefgiklnostuv o:abcdfgiklmnoprstuvw p:aehiloprstu q:u r:acdegiklmnoprstuvy",
    "s:acefhiklopstuy t:acehilorstuy u:abcdegilmnprst v:aeio w:aehinors x:ceipt y:nps z:e",
  ]
    .join(" ")
    .split(" ")
    .flatMap((line) => [...line.slice(2)].map((second) => line.charAt(0) + second)),
);

/** Words, numbers, and what stands between them. */
const PART = /[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^A-Za-z0-9]+/g;

/** What the first sign of a piece tells, whatever stood before it. */
const FIRST = 3.6;

/**
 * How many bits each sign of a text tells whoever knows what text looks like: much inside random
 * letters and digits, little inside words, next to nothing inside "1234", "aaaa" and "abcd".
 */
function bitsPerSign(text: string): Float32Array {
  const bits = new Float32Array(text.length);
  let before: Kind | "start" = "start";
  let size = 0;
  for (const { 0: part, index } of text.matchAll(PART)) {
    const kind = kindOf(part);
    const inside = kind === "word" ? innerBits(part) : () => 3.3;
    for (let at = 0; at < part.length; at++) {
      let told: number;
      if (inSequence(part, at)) told = 0.6;
      else if (kind === "between") told = betweenBits(part.charAt(at), size);
      else told = at === 0 ? firstBits(before, kind) : inside(at);
      bits[index + at] = told;
    }
    before = kind;
    size = part.length;
  }
  return bits;
}

type Kind = "word" | "number" | "between";

function kindOf(part: string): Kind {
  if (/[A-Za-z]$/.test(part)) return "word";
  return /[0-9]$/.test(part) ? "number" : "between";
}

/** What each letter behind the first tells: little where a run of letters is made as words are. */
function innerBits(word: string): (at: number) => number {
  const isPair = (at: number) => PAIRS.has(word.slice(at - 1, at + 1).toLowerCase());
  if (word.length === 2) return (at) => (isPair(at) ? 1.5 : FIRST);
  let odd = 0;
  for (let at = 1; at < word.length; at++) if (!isPair(at)) odd += 1;
  const isWord = word.length >= 5 && 3 * odd < word.length;
  return (at) => (isWord || isPair(at) ? 0.9 : 4.5);
}

/** A sign of "123", "cba" or "xxx" behind its first. */
function inSequence(part: string, at: number): boolean {
  const step = (to: number) =>
    to > 0 && to < part.length ? part.charCodeAt(to) - part.charCodeAt(to - 1) : Number.NaN;
  const here = step(at);
  return Math.abs(here) <= 1 && (step(at - 1) === here || step(at + 1) === here);
}

/** What stands between words is no news; between single letters and digits it is. */
function betweenBits(sign: string, before: number): number {
  if (!/[-_ .:/@\n]/.test(sign)) return 4;
  return before >= 2 ? 1 : 3;
}

function firstBits(before: string, kind: string): number {
  if (before === "between") return 2.6;
  // A digit inside letters, or a letter inside digits, is how random text looks.
  return before === "start" ? FIRST : before === kind ? 3.3 : 4.5;
}

/**
 * For each place of a text, how long a stretch from there must be to count as a piece of a secret: at
 * least 8 signs, more where they are ordinary. 0 where no stretch is enough. Places in `open`, which
 * everybody knows, tell nothing, and no piece starts with eight of them.
 */
export function pieceLengths(text: string, open: Uint8Array, min = MIN_PIECE): Uint16Array {
  const bits = bitsPerSign(text);
  const known = (at: number) => open[at] === 1;
  const lengths = new Uint16Array(text.length);
  let end = 0;
  let sum = 0;
  let hidden = 0;
  for (let start = 0; start + min <= text.length; start++) {
    const first = known(start) ? 0 : FIRST - (bits[start] ?? 0);
    while (end < text.length && (end - start < min || sum + first < ENOUGH)) {
      if (!known(end)) {
        sum += bits[end] ?? 0;
        hidden += 1;
      }
      end += 1;
    }
    const enough = end - start >= min && sum + first >= ENOUGH;
    if (enough && hidden > 0 && !allOpen(open, start)) lengths[start] = end - start;
    if (!known(start)) {
      sum -= bits[start] ?? 0;
      hidden -= 1;
    }
  }
  return lengths;
}

function allOpen(open: Uint8Array, start: number): boolean {
  for (let at = start; at < start + MIN_PIECE; at++) if (open[at] !== 1) return false;
  return true;
}

/** Whether a value tells so little for its length that it is a placeholder: "xxxxxxxx", "1234abcd", "your-token-here". */
export function isOrdinary(value: string): boolean {
  return [value, ...value.split(/[-_.:/]/).filter((part) => part.length >= 16)].every((part) => {
    const bits = bitsPerSign(part).reduce((sum, each) => sum + each, 0);
    return bits < 23 || bits / part.length < 2.2;
  });
}
