import type { Shaped } from "./secret-shapes.ts";
import { isOrdinary } from "./secret-strength.ts";

/** Values that documentation shows; they open nothing. */
const EXAMPLES = new Set([
  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
  "sk_test_BQokikJOvBiI2HlWgH4olfQ2",
  "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
  "TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ",
]);

const PLACEHOLDER =
  /example|placeholder|change-?_?me|redacted|dummy|x{4,}|\*{3}|\.{3}|your[-_ ]|insert[-_]|replace[-_]|(?<![a-z0-9])(?:fake|test|sample|mock|todo|none|null|undefined|foo|bar)(?![a-z0-9])/i;

/** Where a value comes from elsewhere, or is put together by code. */
const EXPRESSION = /[${}<>()[\]|\\]|%[sdv(]|process\.env|environ|^https?:|::|^@|^\.{0,2}\//i;

const MAKER_PREFIX =
  /^(?:gh[a-z]_|github_pat_|npm_|pypi-AgE|gl[a-z]{2,5}-|AIza|AKIA|ASIA|sk-(?:proj-|ant-\w+-)?|[rs]k_(?:live|test)_|whsec_|xox[a-z]-|xapp-|SG\.|hf_|do[opr]_v1_|hv[sb]\.)/;

/** Whether something in the shape of a secret is only there to be looked at. */
export function isPlaceholder(value: string): boolean {
  const body = value.replace(MAKER_PREFIX, "");
  const signature = value.split(".").at(-1) ?? "";
  return (
    EXAMPLES.has(value) ||
    EXAMPLES.has(signature) ||
    /EXAMPLE$/.test(value) ||
    PLACEHOLDER.test(body) ||
    isOrdinary(body)
  );
}

/** Whether a path holds what is made up on purpose: tests, fixtures, examples, documentation, lock files. */
export function isMadeUp(path: string): boolean {
  return /(?:^|\/)(?:__\w+__|tests?|specs?|e2e|fixtures?|mocks?|stubs?|examples?|samples?|testdata|docs?)\/|[._-](?:tests?|specs?|fixtures?|mocks?|examples?|samples?|snap|lock)(?:\.|$)|-lock\.|(?:^|\/)test_|\.(?:md|mdx|rst|sum|lockb)$/i.test(
    path,
  );
}

const NAME =
  "secret|token|passw(?:or)?d|passwd|passphrase|pwd|credentials?|(?:api|access|private|signing|encryption|auth|account|storage|master|secret)[_-]?key";

/** A name that promises a secret, and the value given to it: quoted, or the rest of a line. */
const CLAIM = new RegExp(
  `(?<name>(?:${NAME})s?(?:[_-]?(?:key|value|base|[0-9]{1,3}))?)["'\\]]{0,2}[ \\t]{0,8}(?::=|=>|[=:])[ \\t]{0,8}(?:["'\`](?<quoted>[^"'\`\\s]{8,400})["'\`]|(?<bare>[A-Za-z0-9+/_.~!@#%^&*-]{16,400}={0,2})[ \\t]*(?:$|[#;,]))`,
  "gim",
);

/** Values of which everybody may know that they are hashes, ids or versions. */
const IDENTIFIER =
  /^(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|sha\d+-.*|[0-9]+|v?\d+\.\d+.*|[a-z][\w.-]*@[\w.-]+)$/i;

/** Random values given to names such as `API_TOKEN` or `password`, which nothing but a secret is. */
export function claimedSecrets(text: string): Shaped[] {
  const found: Shaped[] = [];
  for (const claim of text.matchAll(CLAIM)) {
    const { name = "", quoted, bare } = claim.groups ?? {};
    const value = quoted ?? bare ?? "";
    if (EXPRESSION.test(value) || IDENTIFIER.test(value) || isPlaceholder(value)) continue;
    const isPassword = /pass|pwd/i.test(name);
    const random = /\d/.test(value) && /[A-Za-z]/.test(value);
    if (value.length < (isPassword ? 10 : 16) || !random) continue;
    const from = claim.index + claim[0].indexOf(value, name.length);
    found.push({
      from,
      to: from + value.length,
      what: isPassword ? "a password" : "a random value with the name of a secret",
    });
  }
  return found;
}

const LOCAL =
  /^(?:localhost|127\.|0\.0\.0\.0|\[?::1|[a-z][\w-]*(?::|\/|$)|[\w.-]*\b(?:example|test|invalid|local|internal)\b)/i;
const COMMON_PASSWORD =
  /^(?:pass|password|passwd|pw|pwd|secret|postgres|root|admin|user|username|guest|test|demo|dev|changeme|mysql|redis|rabbitmq|minio|letmein|token|key|p|x+|\d{1,6})\d{0,4}$/i;

/** Whether a password in a URL guards nothing: a common word, a variable, or a host that is nobody's. */
export function isOpenPassword(password: string, host: string): boolean {
  return (
    COMMON_PASSWORD.test(password) ||
    EXPRESSION.test(password) ||
    PLACEHOLDER.test(password) ||
    LOCAL.test(host)
  );
}
