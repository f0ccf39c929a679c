/**
 * What GitHub acts on when it stands in text: mentions notify people, references leave traces in other
 * issues (and close them behind "fixes"), directives skip checks, URLs become links.
 * None of it works inside code in Markdown; in commit messages nothing protects it.
 */
export type TextPart = {
  kind: "plain" | "mention" | "reference" | "directive" | "url";
  text: string;
};

/** Each alternative starts where no part of it can have started before, so that long words cost linear time. */
const ACTIVE = new RegExp(
  [
    '(?<url>(?:https?:\\/\\/|(?<![A-Za-z0-9.@])www\\.)[^\\s<>"`|\\\\]+)',
    "(?<mention>(?<![A-Za-z0-9])@[A-Za-z0-9][\\w-]*(?:\\/[\\w-]+(?:\\.[\\w-]+)*)*)",
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
    const before = match === null ? rest : rest.slice(0, match.index);
    if (before !== "") parts.push({ kind: "plain", text: before });
    if (match === null) break;
    const { url, mention, reference } = match.groups ?? {};
    const kind = url ? "url" : mention ? "mention" : reference ? "reference" : "directive";
    const found = kind === "url" ? withoutTail(match[0]) : match[0];
    parts.push({ kind, text: found });
    rest = rest.slice(match.index + found.length);
  }
  return parts;
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
