import { MIN_PIECE, pieceLengths } from "./secret-strength.ts";
import { isAlnum, readable } from "./secret-view.ts";

/** A secret in one spelling, with the length a stretch must have at each place to count (0: never). */
export interface Form {
  codes: Uint16Array;
  lengths: Uint16Array;
}

/** Changing case is the weakest of disguises, and the likeliest accident. */
const MIN_OTHER_CASE = 12;

/** Ten signs of base64 hold seven and a half bytes. */
const MIN_BASE64 = 10;

/**
 * The spellings in which a secret is looked for: `raw` with its signs, `squeezed` without all but
 * letters and digits, so that neither separators nor the two alphabets of base64 matter.
 */
export function formsOf(secret: string): { raw: Form[]; squeezed: Form[] } {
  const seen = String.fromCharCode(...readable(secret).codes);
  const raw: Form[] = [];
  const squeezed: Form[] = [];
  for (const plain of new Set([secret, seen])) {
    const open = openPlaces(plain);
    raw.push(...spellings(plain, open, plain));
    const places = Array.from(plain, (_, at) => at).filter((at) => isAlnum(plain.charCodeAt(at)));
    const letters = places.map((at) => plain.charAt(at)).join("");
    if (letters.length >= MIN_PIECE) {
      squeezed.push(
        ...spellings(
          letters,
          Uint8Array.from(places, (at) => open[at] ?? 0),
          null,
        ),
      );
    }
  }
  for (const offset of [0, 1, 2]) squeezed.push(base64Form(secret, offset));
  return { raw, squeezed };
}

function spellings(plain: string, open: Uint8Array, whole: string | null): Form[] {
  const first = form(plain, open, MIN_PIECE);
  // The whole value always counts, however ordinary it is.
  if (whole !== null && plain.length >= MIN_PIECE) {
    first.lengths[0] = Math.min(first.lengths[0] || plain.length, plain.length);
  }
  const forms = [
    first,
    form(reversed(plain), Uint8Array.from(open).reverse(), MIN_PIECE),
    form(rot13(plain), open, MIN_PIECE),
  ];
  for (const cased of [plain.toUpperCase(), plain.toLowerCase()]) {
    if (cased !== plain && cased.length === plain.length) {
      forms.push(form(cased, open, MIN_OTHER_CASE));
    }
  }
  return forms;
}

function form(text: string, open: Uint8Array, min: number): Form {
  const codes = Uint16Array.from(text, (sign) => sign.charCodeAt(0));
  return { codes, lengths: pieceLengths(text, open, min) };
}

function reversed(text: string): string {
  return text.split("").reverse().join("");
}

function rot13(text: string): string {
  return text.replace(/[a-z]/gi, (letter) => {
    const base = letter <= "Z" ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });
}

/** What base64 shows of a secret that starts `offset` bytes into a group of three, letters and digits only. */
function base64Form(secret: string, offset: number): Form {
  const bytes = Buffer.from(secret);
  const open = openPlaces(secret);
  const skipped = Math.ceil((8 * offset) / 6);
  const signs: string[] = [];
  const places: number[] = [];
  for (const [index, sign] of [...base64Within(bytes, offset)].entries()) {
    if (!isAlnum(sign.charCodeAt(0))) continue;
    const first = Math.floor((6 * (index + skipped)) / 8) - offset;
    const last = Math.floor((6 * (index + skipped) + 5) / 8) - offset;
    signs.push(sign);
    places.push(bytes.length === secret.length && open[first] && open[last] ? 1 : 0);
  }
  return form(signs.join(""), Uint8Array.from(places), MIN_BASE64);
}

/** What base64 shows of `bytes` when they start `offset` bytes into a group of three. */
function base64Within(bytes: Uint8Array, offset: number): string {
  const all = Buffer.concat([Buffer.alloc(offset), bytes]);
  return all
    .toString("base64")
    .slice(Math.ceil((offset * 8) / 6), Math.floor((all.length * 8) / 6));
}

/** What everybody knows of a key or token: the start and the exponent of RSA keys, headers, first claims. */
const OPEN = [
  "0201000282010100",
  "020100300d06092a864886f70d01010105000482",
  "02030100010282010100",
  "020301000102820100",
  "02818100",
]
  .map((hex) => Buffer.from(hex, "hex"))
  .concat(
    [
      '{"alg":"RS256","typ":"JWT"}',
      '{"typ":"JWT","alg":"RS256"}',
      '{"alg":"HS256","typ":"JWT"}',
      '{"typ":"JWT","alg":"HS256"}',
      '{"alg":"ES256","typ":"JWT"}',
      '{"typ":"JWT","alg":"ES256"}',
      '{"iss":"',
      '{"sub":"',
      '{"iat":1',
      '","exp":1',
      '","iat":1',
      "openssh-key-v1\0",
    ].map((text) => Buffer.from(text)),
  );

const OPEN_TEXTS = new Set(
  OPEN.flatMap((bytes) =>
    [0, 1, 2].map((offset) => base64Within(bytes, offset)).filter((text) => text.length >= 4),
  ),
);

const OPEN_SHAPES =
  /(?:={0,2}\s)?-{5}(?:BEGIN|END) [A-Z0-9 ]{0,40}-{5}(?:\s{0,2}MII[\w+/]{3,60}?(?:CA[Qgw]EA|oI[BCD]AQ[A-D]?))?|^gh[a-z]_(?:\d{1,20}_)?|^github_pat_|^sk-(?:proj-|svcacct-|admin-|ant-(?:api|admin)\d\d-|or-v1-)?|^glpat-|^xox[a-z]-/g;

/** 1 where a secret holds what everybody knows: headers, prefixes, the fixed parts of keys and tokens. */
function openPlaces(text: string): Uint8Array {
  const open = new Uint8Array(text.length);
  for (const { 0: shape, index } of text.matchAll(OPEN_SHAPES)) {
    open.fill(1, index, index + shape.length);
  }
  for (const known of OPEN_TEXTS) {
    for (let at = text.indexOf(known); at >= 0; at = text.indexOf(known, at + 1)) {
      open.fill(1, at, at + known.length);
    }
  }
  return open;
}
