/** What an agent reported: one line for commit and pull request, and the rest. */
export interface Report {
  /** At most 72 characters, plain; empty when nothing was reported. */
  title: string;
  summary: string;
}

const MAX_TITLE = 72;

/** Characters of a line from which its marks are taken, one pair after another; no title is that long. */
const MAX_MARKED = 300;

/** Lines that only announce what follows. */
const LABEL = /^(title|summary|report|final report|commit( message)?|pr title|pull request)$/i;
const PREFIX = /^(pr |commit )?(title|subject|summary): */i;

/** Reads a report: its first line of substance is the title, freed from Markdown. */
export function parseReport(report: string): Report {
  const lines = report.replaceAll("\r\n", "\n").trim().split("\n");
  const at = lines.findIndex((line) => {
    const plain = unmarked(line);
    return plain !== "" && !LABEL.test(plain.replace(/:$/, ""));
  });
  if (at < 0) return { title: "", summary: "" };
  const line = unmarked(unmarked(lines[at] ?? "").replace(PREFIX, ""));
  const full = line.replace(/\.$/, "").trim();
  const rest = lines.slice(at + 1);
  // A title in a fence of its own leaves the closing one behind.
  if (lines.slice(0, at).some(isFence)) {
    const closing = rest.findIndex(isFence);
    if (closing >= 0) rest.splice(closing, 1);
  }
  const summary = rest.join("\n").trim();
  if (full.length <= MAX_TITLE) return { title: full, summary };
  return { title: shortened(full), summary: [line, summary].filter(Boolean).join("\n\n") };
}

/** A line without heading, list, quote, bold and code marks around it. */
function unmarked(line: string): string {
  if (isFence(line)) return "";
  let text = line.trim().replace(/^(#{1,6}|[-*+>])\s+/, "");
  if (text.length > MAX_MARKED) return text;
  for (let before = ""; before !== text; ) {
    before = text;
    text = text
      .replace(/^(\*\*|__|`|"|“)(.*)\1$/, "$2")
      .replace(/^(\*\*|__)(.+?)\1/, "$2")
      .trim();
  }
  return text;
}

function isFence(line: string): boolean {
  return /^\s*(```|~~~|-{3,}\s*$|={3,}\s*$)/.test(line);
}

/** Cut at a word, with an ellipsis. */
function shortened(title: string): string {
  const head = title.slice(0, MAX_TITLE - 1);
  const space = head.lastIndexOf(" ");
  return `${(space > MAX_TITLE / 2 ? head.slice(0, space) : head).toWellFormed().trimEnd()}…`;
}
