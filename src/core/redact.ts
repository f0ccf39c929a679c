const REDACTED = "[redacted]";

/** Shorter values are too common in ordinary text to be hidden by value. */
const MIN_SECRET = 8;

/** A stretch of a secret that is recognised by itself, wherever the value was cut, wrapped or trimmed. */
const WINDOW = 16;

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
 * A function that replaces secrets in any text: the values `secrets` gives at that moment (also in
 * base64, hex, URL, JSON and HTML form, line by line, or a stretch of 31 characters), and whatever
 * has the shape of a token or private key.
 */
export function createRedactor(secrets: () => string[]): (text: string) => string {
  let known: string[] = [];
  let needles: Needles = { values: [], windows: new Set() };
  return (text) => {
    const now = secrets();
    if (now.length !== known.length || now.some((secret, index) => secret !== known[index])) {
      known = now;
      needles = needlesOf(now);
    }
    return redactStretches(redactShapes(redactValues(text, needles)), needles);
  };
}

interface Needles {
  /** Whole values in all their forms, longest first. */
  values: string[];
  windows: Set<string>;
}

function needlesOf(secrets: string[]): Needles {
  const values = new Set<string>();
  const windows = new Set<string>();
  for (const secret of secrets.map((each) => each.trim().toWellFormed())) {
    if (secret.length < MIN_SECRET) continue;
    for (const form of formsOf(secret)) {
      values.add(form);
      for (const line of withoutPemHeaders(form).match(RUN) ?? []) {
        if (line.length < 2 * WINDOW) continue;
        for (let at = 0; at + WINDOW <= line.length; at += WINDOW) {
          windows.add(line.slice(at, at + WINDOW));
        }
      }
    }
  }
  return { values: [...values].sort((a, b) => b.length - a.length), windows };
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].map((offset) => base64Within(bytes, offset));
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
  ];
  return forms.filter((form) => form.length >= MIN_SECRET);
}

/** What base64 shows of `bytes` when they start `offset` bytes into a group of three. */
function base64Within(bytes: Buffer, offset: number): string {
  const all = Buffer.concat([Buffer.alloc(offset), bytes]);
  return all
    .toString("base64")
    .slice(Math.ceil((offset * 8) / 6), Math.floor((all.length * 8) / 6));
}

function withoutPemHeaders(text: string): string {
  return text.replace(/-----[A-Z ]{5,40}-----/g, "\n");
}

/** Characters of tokens and of every encoding above, without the escapes between lines. */
const RUN = /[A-Za-z0-9+/_-]{16,}/g;

function redactValues(text: string, { values }: Needles): string {
  let out = text;
  for (const value of values) {
    if (out.includes(value)) out = out.replaceAll(value, REDACTED);
  }
  return out;
}

function redactStretches(text: string, { windows }: Needles): string {
  if (windows.size === 0) return text;
  return text.replace(RUN, (run) => {
    for (let at = 0; at + WINDOW <= run.length; at++) {
      if (windows.has(run.slice(at, at + WINDOW))) return REDACTED;
    }
    return run;
  });
}

/**
 * Where a short prefix starts a token: not inside a word ("task-1…" holds "sk-"), but right behind an
 * escape such as a literal \n, %3D or a colour code.
 */
const START = `(?:(?<![A-Za-z0-9_])|(?<=\\\\[nrt]|%[0-9A-Fa-f]{2}|${ESC}\\[[0-9;]{0,20}m))`;

/** Every repetition is bounded or cannot be entered twice at one place, so that 1 MB takes milliseconds. */
const SHAPES: [RegExp, string][] = [
  // Installation tokens of 2026 carry a JWT: ghs_<app id>_<header>.<payload>.<signature>.
  [/gh[pousr]_(?:[A-Za-z0-9]{20}|\d{1,20}_[A-Za-z0-9._-]{20})[A-Za-z0-9._-]*/g, REDACTED],
  [/github_pat_[A-Za-z0-9_]{20,}/g, REDACTED],
  [/npm_[A-Za-z0-9]{36}/g, REDACTED],
  [/glpat-[A-Za-z0-9_-]{20,}/g, REDACTED],
  [/AIza[A-Za-z0-9_-]{35}/g, REDACTED],
  [/(?:AKIA|ASIA)[0-9A-Z]{16}/g, REDACTED],
  [new RegExp(`${START}sk-(?=[A-Za-z_-]{0,80}\\d)[A-Za-z0-9_-]{20,}`, "g"), REDACTED],
  [new RegExp(`${START}xox[baprs]-[A-Za-z0-9-]{10,}`, "g"), REDACTED],
  [new RegExp(`${START}eyJ[\\w-]{8,4000}\\.eyJ[\\w-]{8,8000}\\.[\\w-]{8,}`, "g"), REDACTED],
  [/(:\/\/[^\s/:@"'\\]{0,200}:)[^\s/@"'\\]{1,2000}@/g, `$1${REDACTED}@`],
  [/(authorization["']?[:=]\s?["']?(?:bearer|basic|token) )[\w.~+/=-]{8,}/gi, `$1${REDACTED}`],
];

function redactShapes(text: string): string {
  let out = redactPem(text);
  for (const [shape, replacement] of SHAPES) out = out.replace(shape, replacement);
  return out;
}

const PEM_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----/g;
const PEM_END = /-----END [A-Z0-9 ]{0,50}-----/g;
/** Lines of a key whose end was cut off, with whatever stands between lines when it was quoted or escaped. */
const PEM_LINES = /(?:[\s\\"'|>,-]{0,20}[A-Za-z0-9+/=]{16,})*/y;
const MAX_PEM = 32_768;

function redactPem(text: string): string {
  const ends = [...text.matchAll(PEM_END)].map((end) => ({
    at: end.index,
    past: end.index + end[0].length,
  }));
  let out = "";
  let done = 0;
  let next = 0;
  for (const begin of text.matchAll(PEM_BEGIN)) {
    if (begin.index < done) continue;
    const body = begin.index + begin[0].length;
    while (next < ends.length && (ends[next]?.at ?? 0) < body) next++;
    const end = ends[next];
    PEM_LINES.lastIndex = body;
    PEM_LINES.exec(text);
    out += text.slice(done, begin.index) + REDACTED;
    done = end && end.at - body < MAX_PEM ? end.past : PEM_LINES.lastIndex;
  }
  return out + text.slice(done);
}
