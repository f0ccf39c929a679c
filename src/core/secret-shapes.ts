import type { Span } from "./known-secrets.ts";

/** A stretch that looks like a secret, and what it looks like. */
export interface Shaped extends Span {
  what: string;
}

const ESC = String.fromCodePoint(0x1b);

/**
 * Where a short prefix starts a token: not inside a word ("task-1…" holds "sk-"), but right behind an
 * escape such as a literal \n, %3D or a colour code.
 */
const START = `(?:(?<![A-Za-z0-9_])|(?<=\\\\[nrt]|%[0-9A-Fa-f]{2}|${ESC}\\[[0-9;]{0,20}m))`;

const starting = (pattern: string) => new RegExp(START + pattern, "g");

/**
 * Tokens of known makers. Every repetition is bounded or cannot be entered twice at one place, so that
 * 1 MB takes milliseconds. Where there are groups, the first is kept and the second is the secret.
 */
const SHAPES: [RegExp, string][] = [
  // Installation tokens of 2026 carry a JWT: ghs_<app id>_<header>.<payload>.<signature>.
  [/gh[pousr]_(?:[A-Za-z0-9]{20}|\d{1,20}_[A-Za-z0-9._-]{20})[A-Za-z0-9._-]*/g, "a GitHub token"],
  [/github_pat_[A-Za-z0-9_]{20,}/g, "a GitHub token"],
  [/npm_[A-Za-z0-9]{36}/g, "an npm token"],
  [/pypi-AgE[A-Za-z0-9_-]{40,}/g, "a PyPI token"],
  [/gl(?:pat|ptt|dt|rt|cbt|agent|oas)-[A-Za-z0-9_-]{20,}/g, "a GitLab token"],
  [/AIza[A-Za-z0-9_-]{35}/g, "a Google API key"],
  [starting("GOCSPX-[A-Za-z0-9_-]{28}"), "a Google client secret"],
  [starting("ya29\\.[A-Za-z0-9_-]{20,}"), "a Google access token"],
  [/(?:AKIA|ASIA)[0-9A-Z]{16}/g, "an AWS access key id"],
  [starting("sk-ant-[A-Za-z0-9_-]{20,}"), "an Anthropic key"],
  [starting("sk-(?!ant-)(?=[A-Za-z_-]{0,80}\\d)[A-Za-z0-9_-]{20,}"), "an OpenAI key"],
  [starting("[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"), "a Stripe key"],
  [starting("whsec_[A-Za-z0-9+/=]{24,}"), "a webhook signing secret"],
  [starting("xox[a-z]-[A-Za-z0-9-]{10,}"), "a Slack token"],
  [starting("xapp-\\d-[A-Za-z0-9-]{10,}"), "a Slack token"],
  [/hooks\.slack\.com\/services\/T\w{6,40}\/B\w{6,40}\/\w{16,60}/g, "a Slack webhook"],
  [starting("SG\\.[\\w-]{16,32}\\.[\\w-]{32,64}"), "a SendGrid key"],
  [starting("hf_[A-Za-z]{34}"), "a Hugging Face token"],
  [starting("do[opr]_v1_[a-f0-9]{64}"), "a DigitalOcean token"],
  [starting("hv[sb]\\.[A-Za-z0-9_-]{24,}"), "a Vault token"],
  [starting("AGE-SECRET-KEY-1[A-Z0-9]{50,}"), "an age key"],
  [/(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{33}/g, "a Telegram token"],
  [/discord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/[\w-]{60,80}/g, "a Discord webhook"],
  [starting("[MNO][A-Za-z0-9_-]{23,25}\\.[\\w-]{6}\\.[\\w-]{27,38}(?![\\w-])"), "a Discord token"],
  [
    starting(
      "(?:xai-[A-Za-z0-9]{60,}|sbp_[a-f0-9]{40}|pscale_tkn_[\\w-]{32,}|rubygems_[a-f0-9]{48}|ATATT3[\\w=-]{50,}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|dp\\.(?:pt|st|sa)\\.[A-Za-z0-9]{40,}|pplx-[A-Za-z0-9]{40,}|pul-[a-f0-9]{40}|dt0c01\\.[A-Z0-9]{24}\\.[A-Z0-9]{64}|NRAK-[A-Z0-9]{27}|r8_[A-Za-z0-9]{37}|key-[a-f0-9]{32}|[A-Za-z0-9]{14}\\.atlasv1\\.[\\w-]{60,})",
    ),
    "a token",
  ],
  [/(AccountKey=)([A-Za-z0-9+/]{86}==)/g, "an Azure storage key"],
  [starting("eyJ[\\w-]{8,4000}\\.eyJ[\\w-]{8,8000}\\.[\\w-]{8,}"), "a JSON web token"],
  [/(:\/\/[^\s/:@"'\\]{0,200}:)([^\s/@"'\\]{1,2000})@/g, "a password in a URL"],
  [
    /(authorization["']?[:=]\s?["']?(?:bearer|basic|token) )([\w.~+/=-]{8,})/gi,
    "an authorization header",
  ],
];

/** Where a text holds something in the shape of a token, password or private key. */
export function shapesIn(text: string): Shaped[] {
  const found = privateKeys(text);
  for (const [shape, what] of SHAPES) {
    for (const { 0: whole, 1: kept = "", 2: secret = whole, index } of text.matchAll(shape)) {
      const from = index + kept.length;
      found.push({ from, to: from + secret.length, what });
    }
  }
  return found;
}

const PEM_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----/g;
const PEM_END = /-----END [A-Z0-9 ]{0,50}-----/g;
/** Lines of a key whose end was cut off, with whatever stands between lines when it was quoted or escaped. */
const PEM_LINES = /(?:[\s\\"'|>,-]{0,20}[A-Za-z0-9+/=]{16,})*/y;
const MAX_PEM = 32_768;

function privateKeys(text: string): Shaped[] {
  const ends = [...text.matchAll(PEM_END)].map((end) => ({
    at: end.index,
    past: end.index + end[0].length,
  }));
  const found: Shaped[] = [];
  let done = 0;
  let next = 0;
  for (const begin of text.matchAll(PEM_BEGIN)) {
    if (begin.index < done) continue;
    const body = begin.index + begin[0].length;
    while (next < ends.length && (ends[next]?.at ?? 0) < body) next++;
    const end = ends[next];
    PEM_LINES.lastIndex = body;
    PEM_LINES.exec(text);
    done = end && end.at - body < MAX_PEM ? end.past : PEM_LINES.lastIndex;
    found.push({ from: begin.index, to: done, what: "a private key" });
  }
  return found;
}
