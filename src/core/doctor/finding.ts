/** One thing the doctor looked at. */
export interface Finding {
  /** `fail`: the server does not work like this; `warn`: it does, and should be mended all the same. */
  level: "ok" | "warn" | "fail";
  about: string;
  said: string;
  /** What to do; null when there is nothing to do. */
  remedy: string | null;
}

/** A finding that is as it should be. */
export function fine(about: string, said: string): Finding {
  return { level: "ok", about, said, remedy: null };
}

/** A finding that needs somebody. */
export function amiss(
  level: "warn" | "fail",
  about: string,
  said: string,
  remedy: string | null,
): Finding {
  return { level, about, said, remedy };
}

/** Whether a version such as "2.39.5" is at least another one. */
export function isAtLeast(version: string, least: string): boolean {
  const [have, want] = [version, least].map((text) => text.split(".").map(Number));
  for (const [at, number] of (want ?? []).entries()) {
    const own = have?.[at] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}

/** The findings as lines for a terminal, with a last one that sums up. */
export function report(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ about }) => about.length));
  const lines = findings.flatMap(({ level, about, said, remedy }) => {
    const first = `${level.padEnd(4)}  ${about.padEnd(width)}  ${said}`;
    const indent = " ".repeat(width + 8);
    const text = remedy === null ? [] : remedy.split("\n").map((line) => `${indent}→ ${line}`);
    return [first.replaceAll("\n", `\n${indent}`), ...text];
  });
  const count = (level: Finding["level"]) => findings.filter((each) => each.level === level).length;
  const total = `${count("ok")} ok, ${count("warn")} to look at, ${count("fail")} failed`;
  return `${[...lines, "", total].join("\n")}\n`;
}
