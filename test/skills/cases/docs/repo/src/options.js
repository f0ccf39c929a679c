export const DEFAULTS = { retries: 5, timeout: 8000, out: "out", quiet: false };

/** Reads the words of a command line. */
export function parseOptions(words) {
  const options = { ...DEFAULTS, list: null };
  for (const word of words) {
    const [, name, value] = /^--([a-z]+)(?:=(.*))?$/.exec(word) ?? [];
    if (name === undefined) options.list = word;
    else if (name === "quiet") options.quiet = true;
    else if (name === "out") options.out = value;
    else if (name === "retries" || name === "timeout") options[name] = Number(value);
    else throw new Error(`unknown option --${name}`);
  }
  return options;
}
