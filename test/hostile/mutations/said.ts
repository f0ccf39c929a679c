import type { Mutation } from "./mutation.ts";

const AUTHORS = "src/jobs/authors.ts";
const CONVERSATION = "src/adapters/github/conversation.ts";
const FENCE = "src/agents/fence.ts";
const GUIDANCE = "src/jobs/guidance.ts";
const HTML = "src/core/visible/html.ts";
const INLINE = "src/core/visible/inline.ts";
const PARSER = "src/core/visible/parser.ts";
const SAID = "src/jobs/said.ts";
const AS_OF = "src/core/as-of.ts";

/** Tells the model what the API says of the issue by now, as if its author had said it long ago. */
const readAgain = (field: "title" | "body") => ({
  file: CONVERSATION,
  find: "const known = new Map([...first.data, ...behind].map((each) => [each.id, each]));",
  replace: `const { data } = await octokit.rest.issues.get(at);
  const long = "2000-01-01T00:00:00Z";
  const again = { ...data, id: 0, body: data.${field} ?? "", created_at: long, updated_at: long };
  const known = new Map([...first.data, ...behind, again].map((each) => [each.id, each]));`,
});

const mutations: Mutation[] = [
  { attack: "said-01", defence: "the body comes from the webhook only", ...readAgain("body") },
  { attack: "said-02", defence: "the title comes from the webhook only", ...readAgain("title") },
  {
    attack: "said-03",
    defence: "what was edited after the command is left out",
    file: AS_OF,
    find: 'return updated < given || (updated === given && sameSecond) ? "before" : "edited";',
    replace: 'return "before";',
  },
  {
    attack: "said-04",
    defence: "an edit in the command's second counts as later",
    file: AS_OF,
    find: 'return updated < given || (updated === given && sameSecond) ? "before" : "edited";',
    replace: 'return updated <= given ? "before" : "edited";',
  },
  {
    attack: "said-05",
    defence: "what was written after the command is left out",
    file: AS_OF,
    find: 'if (created > given || (sameSecond && !first)) return "later";',
    replace: "",
  },
  {
    attack: "said-06",
    defence: "pages are read back to the command",
    file: CONVERSATION,
    find: "if (behind.filter(isBefore).length >= MAX_COMMENTS) break;",
    replace: "if (behind.length >= MAX_COMMENTS) break;",
  },
  { attack: "said-07", defence: "what was not told is not asked for", ...readAgain("body") },
  {
    attack: "said-08",
    defence: "the role decides who is heard",
    file: AUTHORS,
    find: 'trusted: includesRole(role, "write"),',
    replace: "trusted: true,",
  },
  {
    attack: "said-09",
    defence: "the text of an outsider's issue is left out",
    file: SAID,
    find: "else if (subjectAuthor.trusted || outsiders || isGivenWhole(command.way)) {",
    replace: "else if (subjectAuthor.name) {",
  },
  {
    attack: "said-10",
    defence: "review comments of outsiders are left out",
    file: SAID,
    find: "const heard = written.filter(({ author }) => author.trusted || outsiders);",
    replace: "const heard = written;",
  },
  {
    attack: "said-11",
    defence: "nobody is not trusted",
    file: AUTHORS,
    find: 'if (account === null) return { name: "somebody", role: "deleted account", trusted: false };',
    replace:
      'if (account === null) return { name: "somebody", role: "deleted account", trusted: true };',
  },
  {
    attack: "said-12",
    defence: "only people are trusted",
    file: AUTHORS,
    find: 'if (bot || account.type !== "User") {',
    replace: 'if (account.type === "") {',
  },
  {
    attack: "said-13",
    defence: "an unknown role is none",
    file: AUTHORS,
    find: 'return "unknown" as const;',
    replace: 'return "admin" as const;',
  },
  {
    attack: "said-14",
    defence: "the role is that of the number, not of the login",
    file: "src/adapters/github/read-role.ts",
    find: 'return isAbout(data, actor) ? roleOf(data) : "none";',
    replace: "return roleOf(data);",
  },
  {
    attack: "said-15",
    defence: "roles of 30 people are asked at most",
    file: AUTHORS,
    find: "if (roles.size >= MAX_ASKED || !LOGIN.test(account.login))",
    replace: "if (!LOGIN.test(account.login))",
  },
  {
    attack: "said-16",
    defence: "what outsiders say is labelled",
    file: "src/agents/prompt.ts",
    find: '...(author.trusted ? [] : ["untrusted text:"]),',
    replace: "",
  },
  {
    attack: "said-17",
    defence: "a login that is none is not written",
    file: AUTHORS,
    find: "const name = LOGIN.test(account.login) ? account.login : `account ${account.id}`;",
    replace: "const name = account.login;",
  },
  {
    attack: "said-18",
    defence: "lines that look like fences are quoted",
    file: FENCE,
    find: "looksLikeFence(line) ? `| ${line}` : line",
    replace: "line",
  },
  {
    attack: "said-19",
    defence: "marks of speakers are taken apart",
    file: FENCE,
    find: "inAngles === undefined ? `[ ${inBrackets} ]` : `< ${inAngles} >`,",
    replace: "_mark,",
  },
  {
    attack: "said-20",
    defence: "comments are told from other markup",
    file: HTML,
    find: 'if (source.startsWith("<!--", at)) {',
    replace: 'if (source.startsWith("<!---->", at)) {',
  },
  {
    attack: "said-21",
    defence: "tags do not show",
    file: HTML,
    find: "return { shown: slash ? close(name, attributes) : element(name, attributes), end };",
    replace: "return { shown: show(source.slice(at, end)), end };",
  },
  {
    attack: "said-22",
    defence: "elements that are not shown go with what is in them",
    file: HTML,
    find: "if (!VOID.has(name) && unseen) {",
    replace: 'if (name === "") {',
  },
  {
    attack: "said-23",
    defence: "images show without words",
    file: INLINE,
    find: 'words(page.text("[image]"));',
    replace: "words(page.text(`![${token.content}]`));",
  },
  {
    attack: "said-24",
    defence: "characters without a look go, by class",
    file: "src/core/visible/characters.ts",
    find: "for (const [noun, pattern] of KINDS) {",
    replace: "for (const [noun, pattern] of KINDS.slice(0, 0)) {",
  },
  {
    attack: "said-25",
    defence: "entities are followed to their end",
    file: INLINE,
    find: "return withoutHiddenEntities(text, tally)",
    replace: "return text",
  },
  {
    attack: "said-26",
    defence: "formulas that can hide are taken out",
    file: PARSER,
    find: 'parser.inline.ruler.before("escape", "formula", formula);',
    replace: "",
  },
  {
    attack: "said-34",
    defence: "a page is read with and without what nobody sees on it",
    file: "src/core/visible/text.ts",
    find: "wordsOf(line).every((word) => words.has(word))",
    replace: "wordsOf(line).every((word) => words.has(word) || true)",
  },
  {
    attack: "said-34",
    defence: "only what ends a line in Markdown does",
    file: "src/core/visible/text.ts",
    find: "{ asMarkdown: true }",
    replace: "{ asMarkdown: false }",
  },
  {
    attack: "said-34",
    defence: "no table begins in a line that only follows",
    file: PARSER,
    find: "token.meta?.lazy instanceof Set ? token.meta.lazy : new Set();",
    replace: "new Set();",
  },
  {
    attack: "said-27",
    defence: "the task is read as its page shows it, too",
    file: "src/jobs/briefing.ts",
    find: 'const task = asked("task", job.task);',
    replace: "const task = job.task;",
  },
  {
    attack: "said-28",
    defence: "nesting has a bound",
    file: PARSER,
    find: "const MAX_NESTING = 20;",
    replace: "const MAX_NESTING = 1_000_000;",
  },
  {
    attack: "said-29",
    defence: "files are cleaned of what nobody sees",
    file: GUIDANCE,
    find: "const { text, what } = visibleSource(source);",
    replace: "const { text, what } = { ...visibleSource(source), text: source };",
  },
  {
    attack: "said-30",
    defence: "on a pull request the rules are those of its base",
    file: GUIDANCE,
    find: "return command.pull ? github.branchSha(job.repo, branch) : job.baseSha;",
    replace: "return job.baseSha;",
  },
  {
    attack: "said-31",
    defence: "a branch of ours gives no rules",
    file: GUIDANCE,
    find: "if (!isAgentBranch(branch)) {",
    replace: 'if (branch !== "") {',
  },
  {
    attack: "said-32",
    defence: "on a pull request the rules are those of its base",
    file: GUIDANCE,
    find: "return command.pull ? github.branchSha(job.repo, branch) : job.baseSha;",
    replace: "return job.baseSha;",
  },
  {
    attack: "said-33",
    defence: "ids of the two kinds of comments are not compared",
    file: AS_OF,
    find: "const first = way.kind === alike && remark.id < way.id;",
    replace: 'const first = "id" in way && remark.id < way.id;',
  },
];

export default mutations;
