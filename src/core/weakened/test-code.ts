const CODE =
  /\.(?:[cm]?[jt]sx?|vue|svelte|py|go|rs|java|kts?|scala|groovy|cs|fs|vb|rb|php|exs?|swift|dart|c|cc|cpp|cxx|h|hpp|mm?|pl|t|lua|r|jl|hs|ml|clj[cs]?|erl|nim|zig|sh|bats|ps1|feature)$/i;

const TEST_NAME =
  /(?:^|[._-])(?:tests?|specs?|cy|e2e|unittest)(?:[._-]|$)|(?:Tests?|Specs?|IT|TestCase)\.\w+$|^test[A-Z_]|\.(?:bats|feature|t)$/;

const TEST_FOLDER = /(?:^|\/)(?:tests?|__tests__|specs?|e2e|integration|cypress|unittests?)\//i;

/** Data that tests read, not tests. */
const DATA =
  /(?:^|\/)(?:fixtures?|__fixtures__|testdata|data|mocks?|__mocks__|stubs?|snapshots?|__snapshots__|golden|cassettes?)\//i;

/** Whether a file holds tests, or what they are written with, by where it stands and what it is called. */
export function isTestFile(path: string): boolean {
  const name = path.split("/").at(-1) ?? "";
  // Of Go's files only those that end so are ever looked into.
  if (name.endsWith(".go")) return name.endsWith("_test.go") && !DATA.test(path);
  return isCode(path) && !DATA.test(path) && (TEST_FOLDER.test(path) || TEST_NAME.test(name));
}

/** Whether tests may stand in a file: Rust has them inside the source. */
export function holdsTests(path: string): boolean {
  return isTestFile(path) || path.endsWith(".rs");
}

/** Whether a file is a program in some language. */
export function isCode(path: string): boolean {
  return CODE.test(path);
}

/** A line of code without the comment it is or ends in; empty when nothing is left. */
export function withoutComment(line: string): string {
  const text = line.trim();
  if (/^(?:\/\/|\/\*|\*(?:[\s/]|$)|<!--|--\s|;;|%)/.test(text)) return "";
  if (/^#(?!\[|!\[|include|define|if|el|endif|pragma|region)/.test(text)) return "";
  return text
    .replace(/\s+(?:\/\/|#\s).*$/, "")
    .replace(/\s*\/\*.*?\*\/\s*/g, " ")
    .trim();
}

/** Text by which a line is known again after it was moved, indented or quoted differently. */
export function gist(line: string): string {
  return line.replace(/["'`]/g, '"').replace(/[\s;,]+/g, "");
}
