import MarkdownIt, { type Token } from "markdown-it";

/** Reads Markdown as GitHub does, with what GitHub adds to it. */
function reader() {
  const parser = new MarkdownIt({ html: true, linkify: true });
  parser.linkify.set({ fuzzyLink: false, fuzzyEmail: true });
  parser.validateLink = () => true;
  // Footnotes and formulas: an opening that no backslash takes its meaning from.
  parser.inline.ruler.before("link", "footnote", (state, silent) => {
    const found = /^\[\^[^\]\s]+\]/.exec(state.src.slice(state.pos));
    if (!found) return false;
    if (!silent) state.push("footnote", "", 0).content = found[0];
    state.pos += found[0].length;
    return true;
  });
  parser.inline.ruler.before("escape", "formula", (state, silent) => {
    const found = /^\$[^$]+\$/.exec(state.src.slice(state.pos));
    if (!found) return false;
    if (!silent) state.push("formula", "", 0).content = found[0];
    state.pos += found[0].length;
    return true;
  });
  return parser;
}

const RENDERED = /^(?:mermaid|geojson|topojson|stl|math|suggestion)(?:\s|$)/i;

const ALERT = /^\[!(?:note|tip|important|warning|caution)\]/i;

const CLOSES =
  /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:(?:[\w.-]+\/[\w.-]+)?#\d|GH-\d|https?:\/\/\S+\/(?:issues|pull)\/\d)/i;

const UNSEEN = /[[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]--[\n\t\u{FE0E}\u{FE0F}]]/v;

/** Everything in Markdown of a model that would act on GitHub, or show something else than it says. */
export function whatActs(markdown: string): string[] {
  const found: string[] = [];
  const add = (what: string, text: string) => found.push(`${what}: ${text}`);
  let code = false;
  const visit = (tokens: Token[]) => {
    for (const [at, token] of tokens.entries()) {
      const { type, content } = token;
      if (type.startsWith("html")) {
        if (/^<\/?code>$/.test(content)) code = content === "<code>";
        else if (!code || content !== "<!-- -->") add("html", content);
      }
      if (type === "image" || type === "footnote" || type === "formula") add(type, content);
      const href = type === "link_open" ? String(token.attrGet("href")) : "";
      // Markdown-it takes more signs into an address than GitHub does.
      if (href !== "" && !/^mailto:(?![\w.+-]+@[\w-]+(?:\.[\w-]+)+$)/.test(href)) add("link", href);
      if (type === "fence" && RENDERED.test(token.info.trim())) add("rendered fence", token.info);
      if (/^h[123]$/.test(token.tag)) add("heading", token.tag);
      if (type === "inline") {
        const item = tokens[at - 2]?.type === "list_item_open";
        if (item && /^\[[ xX]\]\s/.test(content)) add("checkbox", "");
        if (tokens[at - 2]?.type === "blockquote_open" && ALERT.test(content))
          add("alert", content);
      }
      if (type === "text" && !code) {
        if (/(?:^|[^A-Za-z0-9])@\w/.test(content)) add("mention", content);
        if (/(?:^|\W)#\d+\b|(?:^|[^A-Za-z0-9])GH-\d/i.test(content)) add("reference", content);
        if (/[\w.-]+@[0-9a-f]{7,40}\b/.test(content)) add("commit", content);
        if (/\[(?:skip|no) ci\]|\[ci skip\]|\*\*\*NO_CI/i.test(content)) add("directive", content);
      }
      if (token.children) visit(token.children);
    }
  };
  const blocks = reader().parse(markdown, {});
  visit(blocks);
  const fences = blocks.flatMap(({ type, map }) =>
    /^fence|code_block/.test(type) && map ? [map] : [],
  );
  for (const [at, line] of markdown.split("\n").entries()) {
    if (fences.some(([from, to]) => at >= from && at < to)) continue;
    if (/^\s*(?:(?:[>*+-]|\d+[.)])\s+)*\/[a-z]/i.test(line)) add("command", line);
  }
  // These are looked for in the text itself, by us, by whoever merges, by terminals.
  for (const mark of markdown.match(/<!--\s*draftsmith.{0,20}/gi) ?? []) add("our marker", mark);
  if (CLOSES.test(markdown)) add("closes", CLOSES.exec(markdown)?.[0] ?? "");
  if (UNSEEN.test(markdown)) add("unseen character", JSON.stringify(UNSEEN.exec(markdown)?.[0]));
  return found;
}

/** Whether what is written below a text still stands by itself there. */
export function staysOpenBelow(markdown: string): boolean {
  const last = reader().parse(`${markdown}\n\nEND`, {}).at(-2);
  return last?.content === "END" && last.level === 1;
}
