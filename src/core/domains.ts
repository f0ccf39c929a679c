import { isPublicSuffix, suffixBelow } from "./public-suffix.ts";

/** Names that stay inside a machine, a network or the software of one: never public. */
const INSIDE = [
  ...[
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
  ],
  ...["arpa", "onion", "alt"],
];

const FORM =
  "must be a domain such as packages.example.org or *.example.com, without scheme, port or path";

/** A domain as it is compared: lower case, without the root's dot. Letters beyond ASCII stay, and are refused. */
export function plainDomain(text: string): string {
  const lower = text.trim().replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return lower.replace(/\.$/, "");
}

/**
 * Why a domain, plain already, cannot be allowed, as a clause with the remedy; null when it can. It is
 * a public name, or `*.` and a name below which only its owner can have names.
 */
export function domainProblem(domain: string): string | null {
  const wild = domain.startsWith("*.");
  const name = wild ? domain.slice(2) : domain;
  if (isAddress(name)) return "is an address; only names can be allowed";
  if (/[^\0-\x7f]/.test(name)) return "must be in ASCII; write other letters in their xn-- form";
  const labels = name.split(".");
  const last = labels.at(-1) ?? "";
  if (INSIDE.includes(last)) return "is no public name; what is not public stays closed";
  if (labels.length === 1 && wild) return openTo(name);
  if (name.length > 253 || labels.length < 2 || !labels.every(isLabel)) return FORM;
  if (!/^([a-z]{2,}|xn--.*)$/.test(last)) return FORM;
  if (isPublicSuffix(name))
    return wild ? openTo(name) : "is a public suffix; name the host below it";
  const below = wild ? suffixBelow(name) : null;
  return below === null ? null : openTo(below);
}

const openTo = (suffix: string) =>
  `is too wide: anybody can get a name below ${suffix}; name the hosts that are needed`;

/** Whether all that one domain stands for is covered by another. Both are plain. */
export function isWithin(inner: string, outer: string): boolean {
  if (inner === outer) return true;
  if (!outer.startsWith("*.")) return false;
  // `*.a.b.org` and `a.b.org` lie within `*.b.org`; `b.org` itself does not.
  const name = inner.startsWith("*.") ? inner.slice(2) : inner;
  return name.endsWith(outer.slice(1));
}

/** Whether a domain lies within one of the operator's; null lets any pass. */
export function isBounded(domain: string, bound: readonly string[] | null): boolean {
  return bound === null || bound.some((outer) => isWithin(domain, outer));
}

/**
 * Reads the operator's list: domains with commas or spaces between them, or `none`. A problem names
 * each entry that cannot stand there.
 */
export function readBound(text: string): { domains: string[] } | { problem: string } {
  const entries = text
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .map(plainDomain);
  if (entries.length === 1 && entries[0] === "none") return { domains: [] };
  const problems = entries.flatMap((entry) => {
    const wrong =
      entry === "none" ? "stands for no network and goes with nothing else" : domainProblem(entry);
    return wrong === null ? [] : [`${JSON.stringify(entry.slice(0, 100))} ${wrong}`];
  });
  if (entries.length === 0) problems.push("must name domains, or be none");
  return problems.length > 0
    ? { problem: problems.join("; ") }
    : { domains: [...new Set(entries)] };
}

/** A label of a host name. Two hyphens in third place are kept for encodings, of which one exists. */
function isLabel(label: string): boolean {
  return /^(?!..--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$|^xn--[a-z0-9-]{0,58}[a-z0-9]$/.test(label);
}

/** An IP address in any spelling that programs take for one. */
function isAddress(name: string): boolean {
  const host = hostOf(/^[0-9a-f:.%]*:/.test(name) ? `[${name}]` : name);
  return name.startsWith("[") || (host !== null && /^([\d.]+|\[.*\])$/.test(host));
}

/** What the URL standard makes of a host; null when it takes it for none. */
function hostOf(host: string): string | null {
  return URL.parse(`http://${host}/`)?.hostname ?? null;
}
