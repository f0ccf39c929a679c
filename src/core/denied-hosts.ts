import { domainProblem, isWithin } from "./domains.ts";

/** Ports of the web: the only ones a sandbox can reach. */
export const WEB_PORTS = [80, 443];

/** How many hosts are named in one place; the rest is noise, or meant to be. */
const MAX_HOSTS = 20;

/** Hosts in one order, each once, no more than can be read. */
export function hostList(hosts: Iterable<string>): string[] {
  return [...new Set(hosts)].slice(0, MAX_HOSTS).sort();
}

/**
 * What a person can do about a refused `host:port`, as a clause about it. `allowed` is the
 * repository's list.
 */
export function hostRemedy(denied: string, allowed: readonly string[]): string {
  const colon = denied.lastIndexOf(":");
  const name = denied.slice(0, colon);
  if (!WEB_PORTS.includes(Number(denied.slice(colon + 1)))) {
    return "only ports 80 and 443 can be reached";
  }
  const problem = domainProblem(name);
  if (problem !== null) return `it cannot be allowed, for it ${problem}`;
  if (allowed.some((domain) => isWithin(name, domain))) {
    return "its address is not a public one, or TLS was to another name; it stays closed";
  }
  return "to allow it, add it under `network:` in `.github/codex.yml`";
}

/** Refused hosts with what can be done about them, in words: "a:443, b:443 (to allow it, …); c:22 (…)". */
export function hostWords(denied: readonly string[], allowed: readonly string[]): string {
  const byRemedy = Map.groupBy(denied, (host) => hostRemedy(host, allowed));
  return [...byRemedy].map(([remedy, hosts]) => `${hosts.join(", ")} (${remedy})`).join("; ");
}
