import type { Edit, Mutation } from "./mutation.ts";

const INLINE = "src/core/markdown-inline.ts";
const BLOCKS = "src/core/markdown-blocks.ts";
const PLAIN = "src/core/markdown.ts";
const WEAKENED = "src/core/weakened.ts";
const CASES = "src/core/weakened/cases.ts";

const edit = (file: string, find: string, replace = ""): Edit => ({ file, find, replace });

const mutations: Mutation[] = [
  {
    attack: "text-01",
    defence: "mentions become code",
    ...edit(INLINE, "        return codeSpan(part.text);", "        return part.text;"),
  },
  {
    attack: "text-02",
    defence: "code holds no closing words either",
    ...edit(INLINE, "withoutClosing(withoutMarkers(code))", "withoutMarkers(code)"),
  },
  {
    attack: "text-22",
    defence: "entities are cleaned of what nobody sees",
    ...edit(INLINE, 'text: stripInvisible(content).replace(/\\n/g, " "),', "text: content,"),
  },
  {
    attack: "text-22",
    defence: "addresses hold no orders to skip checks",
    ...edit(PLAIN, 'withoutDirectives(parts.join(""))', 'parts.join("")'),
  },
  {
    attack: "text-22",
    defence: "code holds none either",
    ...edit(INLINE, "return withoutDirectives(withoutClosing", "return (withoutClosing"),
  },
  {
    attack: "text-03",
    defence: "links are words and an address, not links",
    ...edit(
      INLINE,
      'return [...label, text(" "), markup(`(${codeSpan(target)})`)];',
      'return [markup("["), ...label, markup(`](${href})`)];',
    ),
  },
  {
    attack: "text-04",
    defence: "images become words",
    ...edit(
      INLINE,
      '      case "image":\n',
      '      case "image":\n        out.push(markup(`![x](${token.attrGet("src")})`));\n        break;\n      case "none":\n',
    ),
  },
  {
    attack: "text-05",
    defence: "HTML becomes text",
    ...edit(
      BLOCKS,
      "return inertText(withoutComments(token.content).trim());",
      "return token.content;",
    ),
  },
  {
    attack: "text-06",
    defence: "nobody else writes our marks",
    ...edit(
      INLINE,
      "text.replace(/<!--(?=\\s*draftsmith)/gi",
      "text.replace(/<!--(?=\\s*nobody)/gi",
    ),
  },
  {
    attack: "text-07",
    defence: "what people do not see goes",
    ...edit(
      "src/core/redact.ts",
      "\\p{Cs}\\p{Default_Ignorable_Code_Point}\\u{FFF9}",
      "\\p{Cs}\\u{FFF9}",
    ),
  },
  {
    attack: "text-08",
    defence: "fences that GitHub draws lose their language",
    ...edit(INLINE, "!/^(?:mermaid|geojson|topojson|", "!/^(?:"),
  },
  {
    attack: "text-09",
    defence: "commands at the start of a line become code",
    ...edit(
      INLINE,
      "const command = startsLine ?",
      'const command = startsLine && content === "" ?',
    ),
  },
  {
    attack: "text-10",
    defence: "trailers are none",
    ...edit(PLAIN, '.replace(/^(\\s*(?=[A-Za-z0-9]*-)[A-Za-z0-9-]+)\\s*:/, "$1 –")'),
  },
  {
    attack: "text-11",
    defence: "tables are written again",
    ...edit(BLOCKS, "      return table(inside);", '      return "";'),
  },
  {
    attack: "text-12",
    defence: "names show every sign",
    ...edit("src/core/messages/evidence.ts", "codeSpan(nameText(file.path))", "file.path"),
  },
  {
    attack: "text-13",
    defence: "output stands in a fence that it cannot close",
    ...edit(
      "src/core/messages/evidence.ts",
      "fenced(check.output.length > room ?",
      "String(check.output.length > room ?",
    ),
  },
  {
    attack: "text-14",
    defence: "words on the board are shown and do nothing",
    ...edit("src/core/messages/board.ts", "[tableCell(shorten(words, MAX_WORDS))]", "[words]"),
  },
  {
    attack: "text-15",
    defence: "a line of the log is one line",
    ...edit(
      "src/log.ts",
      "hooks: { streamWrite: redact },",
      'hooks: { streamWrite: (line) => redact(line).replaceAll("\\\\n", "\\n").replaceAll(\'\\\\"\', \'"\') },',
    ),
  },
  {
    attack: "text-16",
    defence: "cases that went are told",
    ...edit(WEAKENED, "    ...removedCases(files),\n"),
  },
  {
    attack: "text-17",
    defence: "checks are compared with those they replace",
    ...edit(WEAKENED, "    ...weakerChecks(files),\n"),
  },
  {
    attack: "text-18",
    defence: "what leaves a test file for another file is gone",
    ...edit(
      CASES,
      "(holdsTests(file.path) ? inTests : elsewhere)",
      "(holdsTests(file.path) ? inTests : inTests)",
    ),
  },
  {
    attack: "text-19",
    defence: "settings are read",
    ...edit(WEAKENED, "    ...loosenedSettings(files),\n"),
  },
  {
    attack: "text-20",
    defence: "names of tests are shown and do nothing",
    ...edit(
      "src/core/messages/opening.ts",
      "tableCell(shorten(why, MAX_WHY))",
      "shorten(why, MAX_WHY)",
    ),
  },
  {
    attack: "text-21",
    defence: "what was moved is found again",
    ...edit(CASES, "!inTests.take(name) && "),
  },
];

export default mutations;
