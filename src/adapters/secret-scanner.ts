import { lintSource } from "@secretlint/core";
import { secretLintProfiler } from "@secretlint/profiler";
import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretFinding, SecretScanner } from "../core/ports.ts";
import { createRedactor } from "../core/redact.ts";

// It keeps a mark of every scan for ever.
secretLintProfiler.setEnabled(false);

/** Its rules without the one by which a scanned text could turn the others off in a comment. */
const RULES = rules
  .filter((rule) => rule.meta.id !== "@secretlint/secretlint-rule-filter-comments")
  .map((rule) => ({ id: rule.meta.id, rule }));

/** Finds secrets by their shape and, in any spelling, the values `known` gives at that moment. */
export function createSecretScanner(known: () => string[]): SecretScanner {
  const redact = createRedactor(known);
  return {
    async scan(texts) {
      const found = await Promise.all(texts.map((each) => scanOne(each, redact)));
      return found.flat();
    },
  };
}

async function scanOne(
  { where, text }: { where: string; text: string },
  redact: (text: string) => string,
): Promise<SecretFinding[]> {
  const { messages } = await lintSource({
    source: { filePath: "text", content: text, ext: "", contentType: "text" },
    options: { noPhysicFilePath: true, config: { rules: RULES } },
  });
  const own = text
    .split("\n")
    .flatMap((line, index) =>
      redact(line) === line
        ? []
        : [{ where, line: index + 1, what: "a secret of this server", own: true }],
    );
  const shapes = messages.map((message) => ({
    where,
    line: message.loc.start.line,
    what: message.ruleId.replace(/^.*secretlint-rule-/, ""),
    own: false,
  }));
  return [...own, ...shapes];
}
