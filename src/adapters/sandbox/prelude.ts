import path from "node:path";

/** Variables that carry the script and its start into the sandbox, past every shell on the way. */
export const SCRIPT = "DRAFTSMITH_SCRIPT";
export const START = "DRAFTSMITH_START";

/** What srt runs: the same few bytes for every command, so that no text of a job passes through its quoting. */
export const ENTRY = `eval "$${START}"`;

/** What the first lines inside the sandbox need. */
export interface Prelude {
  /** Absolute paths of programs that exist inside. */
  bash: string;
  env: string;
  tree: string;
  /** Relative to the tree. */
  cwd: string | undefined;
  /** The whole environment of the command. */
  environment: Record<string, string>;
  args: string[];
  /** Printed on standard error before anything of the command runs. */
  marker: string;
}

/**
 * The shell lines that run first inside the sandbox: they say that the sandbox stands, enter the
 * working directory, and replace themselves by the command with an environment built from nothing.
 */
export function prelude(start: Prelude): string {
  const cwd = path.resolve(start.tree, start.cwd ?? ".");
  const environment = Object.entries(start.environment).map(([name, value]) =>
    quote(`${name}=${value}`),
  );
  return [
    `printf %s ${quote(start.marker)} >&2`,
    // A link in the tree may lead out of it: only where the shell really stands counts.
    `if ! cd -P -- ${quote(cwd)} 2>/dev/null; then`,
    `  printf '%s\\n' ${quote(`no such directory: ${start.cwd ?? "."}`)} >&2; exit 126`,
    "fi",
    `case "$PWD/" in`,
    `  ${quote(start.tree)}/*) ;;`,
    `  *) printf '%s\\n' ${quote(`outside the worktree: ${start.cwd ?? "."}`)} >&2; exit 126 ;;`,
    "esac",
    `exec ${quote(start.env)} -i ${environment.join(" ")} \\`,
    `  ${quote(start.bash)} -c "$${SCRIPT}" bash ${start.args.map(quote).join(" ")}`,
  ].join("\n");
}

/** One shell word that means exactly `text`. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
