import path from "node:path";

/** Variables that carry the script and its start into the sandbox, past every shell on the way. */
export const SCRIPT = "DRAFTSMITH_SCRIPT";
export const START = "DRAFTSMITH_START";

/** What srt runs: the same few bytes for every command, so that no text of a job passes through its quoting. */
export const ENTRY = `eval "$${START}"`;

/** Proxy settings that a command with network keeps of what srt prepares. */
const PROXY = [
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "GRPC_PROXY"],
  ...["http_proxy", "https_proxy", "all_proxy", "no_proxy", "grpc_proxy"],
  ...["GIT_CONFIG_PARAMETERS", "JAVA_TOOL_OPTIONS"],
];

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
  network: boolean;
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
  const proxy = start.network
    ? [...PROXY.map((name) => `\${${name}+"${name}=$${name}"}`), "NODE_USE_ENV_PROXY=1"]
    : [];
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
    `exec ${quote(start.env)} -i ${[...environment, ...proxy].join(" ")} \\`,
    `  ${quote(start.bash)} -c "$${SCRIPT}" bash ${start.args.map(quote).join(" ")}`,
  ].join("\n");
}

/** One shell word that means exactly `text`. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
