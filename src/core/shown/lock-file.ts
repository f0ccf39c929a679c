import { count } from "../messages/words.ts";
import { quoted } from "./quoted.ts";

const MAX_NAMED = 6;

/** How the formats write one package and its version; each pattern takes time linear in the text. */
const ENTRIES = [
  // Cargo.lock, poetry.lock, uv.lock, pdm.lock
  /^\[\[package\]\]\r?\nname = "([^"\n]+)"\r?\n(?:version = "([^"\n]+)")?/gm,
  // package-lock.json and its kin
  /^ {4}"(?:[^"\n]*node_modules\/)([^"\n]+)": \{\r?\n(?: {6}"name": "[^"\n]*",\r?\n)? {6}"version": "([^"\n]+)"/gm,
  // yarn.lock, of both kinds
  /^"?((?:@[^/\s"]+\/)?[^@\s",#]+)@[^\n]*:\r?\n {2}version:? "?([^"\s]+)"?/gm,
  // pnpm-lock.yaml
  /^ {2}'?\/?((?:@[^/'\s]+\/)?[^@/'\s(:]+)[@/]([^:('\s]+)[^\n]*:/gm,
  // go.sum
  /^(\S+) (v[^\s/]+)(?:\/go\.mod)? h1:/gm,
  // Gemfile.lock
  /^ {4}([\w.-]+) \(([^)\s]+)\)$/gm,
  // mix.lock
  /^ {2}"([^"\n]+)": \{:hex, :\w+, "([^"\n]+)"/gm,
  // composer.lock
  /^ {12}"name": "([^"\n]+)",\r?\n {12}"version": "([^"\n]+)"/gm,
  // Pipfile.lock, packages.lock.json, Podfile.lock and others by their lines alone: see below.
];

const HOST =
  /\b(?:https?|git|ssh|svn|ftp)(?:\+\w+)?:\/\/(?:[^/@\s"'<>]{1,200}@)?([a-z0-9][a-z0-9.-]{0,252}(?::\d+)?)/gi;
/** The form of git over ssh without a scheme. */
const SSH_HOST = /\bgit@([a-z0-9][a-z0-9.-]{0,252}):/gi;

/**
 * What a change of a lock file does: how many entries come and go, and which addresses were not in it
 * before.
 */
export function lockChanges(before: string | null, after: string | null): string[] {
  const [old, young] = [entriesOf(before ?? ""), entriesOf(after ?? "")];
  const added = [...young].filter((entry) => !old.has(entry));
  const gone = [...old].filter((entry) => !young.has(entry));
  const changes: string[] = [];
  if (added.length + gone.length > 0) {
    const shown = added.slice(0, MAX_NAMED).map(quoted).join(", ");
    const rest = added.length > MAX_NAMED ? ` and ${added.length - MAX_NAMED} more` : "";
    changes.push(
      `of ${young.size} entries, ${added.length} are new${shown && `: ${shown}${rest}`}; ${gone.length} went`,
    );
  }
  const hosts = newOnes(before, after, hostsOf);
  changes.push(
    hosts.length === 0
      ? "no address that was not in it before"
      : `addresses that were not in it before: ${hosts.slice(0, MAX_NAMED).map(quoted).join(", ")}${hosts.length > MAX_NAMED ? ` and ${hosts.length - MAX_NAMED} more` : ""}`,
  );
  const scripts = occurrences(after, INSTALL_SCRIPT) - occurrences(before, INSTALL_SCRIPT);
  if (scripts > 0) changes.unshift(`${count(scripts, "more package")} with an install script`);
  return changes;
}

const INSTALL_SCRIPT = /"?(?:hasInstallScript"?: true|requiresBuild: true)/g;

function entriesOf(text: string): Set<string> {
  const found = ENTRIES.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, name = "", version = ""]) => `${name} ${version}`.trim()),
  );
  return new Set(found);
}

function hostsOf(text: string): string[] {
  return [HOST, SSH_HOST].flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, host = ""]) => host.toLowerCase()),
  );
}

function newOnes(
  before: string | null,
  after: string | null,
  find: (text: string) => string[],
): string[] {
  const known = new Set(find(before ?? ""));
  return [...new Set(find(after ?? ""))].filter((each) => !known.has(each));
}

function occurrences(text: string | null, pattern: RegExp): number {
  return (text ?? "").match(pattern)?.length ?? 0;
}
