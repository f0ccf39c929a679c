import { lintSource } from "@secretlint/core";
import { secretLintProfiler } from "@secretlint/profiler";
import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import { createKnownSecrets, type Span } from "../core/known-secrets.ts";
import type { SecretFinding, SecretScanner } from "../core/ports.ts";
import { createRedactor } from "../core/redact.ts";
import { claimedSecrets, isMadeUp, isOpenPassword, isPlaceholder } from "../core/secret-claims.ts";
import { type Shaped, shapesIn } from "../core/secret-shapes.ts";

// It keeps a mark of every scan for ever.
secretLintProfiler.setEnabled(false);

/** Its rules without the one by which a scanned text could turn the others off in a comment. */
const RULES = rules
  .filter((rule) => rule.meta.id !== "@secretlint/secretlint-rule-filter-comments")
  .map((rule) => ({ id: rule.meta.id, rule }));

/** What its rules find, in our words, where the name of the rule is not enough. */
const NAMES: Record<string, string> = {
  aws: "an AWS key",
  anthropic: "an Anthropic key",
  basicauth: "a password in a URL",
  "database-connection-string": "a password in a URL",
  gcp: "a private key",
  github: "a GitHub token",
  npm: "an npm token",
  openai: "an OpenAI key",
  privatekey: "a private key",
  slack: "a Slack token",
  stripe: "a Stripe key",
};

/**
 * Finds secrets by their shape, and those `known` gives at that moment in any spelling. Values that
 * only show what a secret looks like are left alone, as are made-up values in tests and documentation.
 */
export function createSecretScanner(known: () => string[]): SecretScanner {
  const ours = createKnownSecrets(known);
  const redact = createRedactor(known);
  return {
    async scan(texts) {
      const found: SecretFinding[] = [];
      for (const { where, text } of texts) {
        const name = { where: redact(where), madeUp: isMadeUp(where) };
        if (ours(where).length > 0) {
          found.push({
            where: name.where,
            line: 1,
            what: "a secret of ours in its name",
            own: true,
          });
        }
        // Text of two bytes a sign (UTF-16) is read as if it were of one.
        found.push(...(await scanText(name, text.replaceAll("\0", ""), ours)));
      }
      return found;
    },
  };
}

async function scanText(
  { where, madeUp }: { where: string; madeUp: boolean },
  text: string,
  ours: (text: string) => Span[],
): Promise<SecretFinding[]> {
  const own = ours(text).map((span) => ({ ...span, what: "a secret of this server", own: true }));
  const inOwn = ({ from, to }: Span) => own.some((span) => from < span.to && span.from < to);
  const shaped = [
    ...shapesIn(text).filter((each) => isReal(each, text, madeUp)),
    ...(await byRules(text, madeUp)),
    ...(madeUp ? [] : claimedSecrets(text)),
  ].filter((each) => !inOwn(each));
  const lineOf = lines(text);
  const found = new Map<string, SecretFinding>();
  for (const each of [...own, ...shaped.map((each) => ({ ...each, own: false }))]) {
    const line = lineOf(each.from);
    const key = `${line} ${each.what}`;
    if (!found.has(key)) found.set(key, { where, line, what: each.what, own: each.own });
  }
  return [...found.values()].sort((a, b) => a.line - b.line);
}

/** What the maintained rules find, without placeholders. */
async function byRules(text: string, madeUp: boolean): Promise<Shaped[]> {
  const { messages } = await lintSource({
    // A name of its own: one of the rules reads files by the path it is told.
    source: { filePath: "text", content: text, ext: "", contentType: "text" },
    options: { noPhysicFilePath: true, config: { rules: RULES } },
  });
  return messages.flatMap(({ ruleId, range: [from, to] }) => {
    const rule = ruleId.replace(/^.*secretlint-rule-/, "");
    const value = text.slice(from, to);
    const url = /:\/\/[^:@/\s]*:([^@\s]*)@(.*)$/s.exec(value);
    const open = url ? madeUp || isOpenPassword(url[1] ?? "", url[2] ?? "") : isPlaceholder(value);
    return open ? [] : [{ from, to, what: NAMES[rule] ?? `a secret (${rule})` }];
  });
}

/** Whether a shape is a secret and no example of one. */
function isReal({ from, to, what }: Shaped, text: string, madeUp: boolean): boolean {
  const value = text.slice(from, to);
  switch (what) {
    case "a password in a URL": {
      const host = text.slice(to + 1, to + 100);
      return !madeUp && !isOpenPassword(value, host);
    }
    case "a private key": {
      const body = value.replace(/-----[A-Z0-9 ]*-----|\\[nr]|[^A-Za-z0-9+/]/g, "");
      return body.length >= 64 && !isPlaceholder(body);
    }
    case "a JSON web token":
    case "an authorization header":
      return !madeUp && value.length >= 20 && !isPlaceholder(value);
    default:
      return !isPlaceholder(value);
  }
}

/** A function from a place in the text to its 1-based line. */
function lines(text: string): (at: number) => number {
  const ends: number[] = [];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) ends.push(at);
  return (at) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}
