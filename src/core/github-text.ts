/**
 * What GitHub acts on when it stands in text: mentions notify people, references leave traces in other
 * issues (and close them behind "fixes"), directives skip checks, URLs, mail addresses and commit ids
 * become links. None of it works inside code in Markdown; in commit messages nothing protects it.
 */
export type TextPart = {
  kind: "plain" | "mention" | "reference" | "commit" | "directive" | "url" | "mail";
  text: string;
};

/** Each alternative starts where no part of it can have started before, so that long words cost linear time. */
const ACTIVE = new RegExp(
  [
    '(?<url>(?:(?:https?|ftp):\\/\\/|(?<![A-Za-z0-9.@])www\\.)[^\\s<>"`|\\\\]+)',
    "(?<commit>(?<![\\w./-])[\\w./-]*@[0-9a-f]{7,40}(?!\\w)|(?<![\\w.-])(?=[0-9]{0,39}[a-f])(?=[a-f]{0,39}[0-9])[0-9a-f]{7,40}(?![\\w-]))",
    "(?<mail>(?<![\\w.+-])(?:mailto:|xmpp:)?[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)+)",
    "(?<mention>(?<![A-Za-z0-9])[@\uFF20][A-Za-z0-9][\\w-]*(?:\\/[\\w-]+(?:\\.[\\w-]+)*)*)",
    "(?<reference>(?<![\\w./-])[\\w./-]*#\\d+\\w*|(?<![A-Za-z0-9])GH-\\d+\\w*)",
    "(?<directive>\\[(?:(?:skip|no)[ _-]?[\\w-]{1,30}|[\\w-]{1,30}[ _-]skip)\\]|\\*\\*\\*NO_CI\\*\\*\\*)",
  ].join("|"),
  "i",
);

/** Cuts text into the parts GitHub would act on and the plain text between them. */
export function textParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  for (let rest = text; rest !== ""; ) {
    // Anew behind each part: once that is code, what follows stands at the start of a text.
    const match = ACTIVE.exec(rest);
    if (match === null) {
      parts.push({ kind: "plain", text: rest });
      break;
    }
    // What stands before it ends there now, which may make something of its end.
    parts.push(...textParts(rest.slice(0, match.index)));
    const kind = kindOf(match.groups ?? {});
    const found = kind === "url" ? withoutTail(match[0]) : match[0];
    parts.push({ kind, text: found });
    rest = rest.slice(match.index + found.length);
  }
  return parts;
}

const KINDS = ["url", "commit", "mail", "mention", "reference"] as const;

function kindOf(groups: Record<string, string | undefined>): TextPart["kind"] {
  return KINDS.find((kind) => groups[kind] !== undefined) ?? "directive";
}

/** A URL without the punctuation of the sentence around it. */
function withoutTail(url: string): string {
  let end = url.length;
  while (end > 0 && /[.,:;!?'*_~\])}]/.test(url[end - 1] ?? "")) {
    if (url[end - 1] === ")" && url.slice(0, end).includes("(")) break;
    end--;
  }
  return url.slice(0, end);
}

/** Whether a URL names an issue, pull request, discussion or commit: GitHub records such a link at its target. */
export function isReferenceUrl(url: string): boolean {
  return /^(?:https?:\/\/)?[^/]+\/[^/]+\/[^/]+\/(?:issues|pull|pulls|discussions|commit|commits)\/\w/i.test(
    url,
  );
}

/** What makes a link of an address that names an issue, pull request, discussion or commit. */
const REFERENCE_START =
  /(?:https?:\/\/|www\.)(?=(?:www\.)?[^\s/]{1,255}\/[^\s/]{1,100}\/[^\s/]{1,100}\/(?:issues|pulls?|discussions|commits?)\/\w)/gi;

/** Text in which no link leads to an issue, pull request, discussion or commit: GitHub records it there. */
export function withoutReferenceLinks(text: string): string {
  // What is put together by taking the first ones away is taken apart for good.
  return text.replace(REFERENCE_START, "").replace(REFERENCE_START, " ");
}

const CLOSING =
  /\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(:?\s+)((?:[\w.-]+\/[\w.-]+)?#|GH-|https?:\/\/)(?=\w)/gi;

/** Text in which no closing keyword stands before a reference: merging takes both from code as well. */
export function withoutClosing(text: string): string {
  return text.replace(CLOSING, (_, word: string, gap: string, start: string) =>
    start.endsWith("/") ? `${word}${gap}${start.slice(0, -2)} //` : `${word}${gap}${start} `,
  );
}

const SKIPS = /\[(?=(?:(?:skip|no)[ _-][\w-]{1,30}|[\w-]{1,30}[ _-]skip)\])|\*(?=\*\*NO_CI\*)/gi;

/** Text in which no order to skip checks stands: CI systems look for the very signs, in code and in addresses too. */
export function withoutDirectives(text: string): string {
  return text.replace(SKIPS, "$& ");
}
