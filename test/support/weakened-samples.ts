import { expect, it } from "vitest";
import { weakenedTests } from "../../src/core/weakened.ts";
import { type Files, realDiff } from "./real-diff.ts";

/** A test file with cases of one check each. */
export const jsTest = (...names: string[]) =>
  [
    'import { expect, it } from "vitest";',
    'import { price } from "../src/price.ts";',
    "",
    ...names.flatMap((name, at) => [
      `it("${name}", () => {`,
      `  const total = price([${at}, 2, 3]);`,
      `  expect(total).toBe(${at + 5});`,
      "});",
      "",
    ]),
  ].join("\n");

export const pyTest = (...names: string[]) =>
  [
    "import pytest",
    "from shop import price",
    "",
    ...names.flatMap((name, at) => [
      `def test_${name}():`,
      `    total = price([${at}, 2, 3])`,
      `    assert total == ${at + 5}`,
      "",
    ]),
  ].join("\n");

export const THREE = jsTest("adds", "rounds", "taxes");
export const TS = "test/price.test.ts";
export const PY = "tests/test_price.py";

/** [what happens, before, after, what the one caution says (and on which line)] */
export type Row = [string, Files, Files, RegExp, number?];

export const one = (path: string, before: string, after: string | null): [Files, Files] => [
  { [path]: before },
  { [path]: after },
];

export const swap = (path: string, content: string, from: string, to: string): [Files, Files] => {
  if (!content.includes(from)) throw new Error(`no ${from}`);
  return one(path, content, content.replace(from, to));
};

export const body = (check: string) =>
  `import { expect, it } from "vitest";\n\nit("adds", () => {\n  ${check}\n});\n`;
export const check = (from: string, to: string): [Files, Files] => one(TS, body(from), body(to));
export const py = (from: string, to: string): [Files, Files] =>
  one(PY, `def test_a(self):\n    ${from}\n`, `def test_a(self):\n    ${to}\n`);

export const PACKAGE = `{
  "name": "shop",
  "scripts": {
    "build": "tsc",
    "lint": "eslint .",
    "test": "vitest run"
  }
}
`;

export const VITEST = `import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["node_modules/**"],
    coverage: {
      thresholds: { lines: 90, branches: 85 },
    },
  },
});
`;

export const TSCONFIG = `{
  "compilerOptions": {
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "target": "es2024"
  }
}
`;

/** Each of `rows` leads to the caution it names, at its line, and to hardly any other. */
export function tellsEach(rows: Row[]): void {
  it.each(rows)("%s", (_name, before, after, why, line) => {
    const cautions = weakenedTests(realDiff(before, after));
    const found = cautions.find((caution) => why.test(caution.why));
    expect(cautions.map((caution) => caution.why).join("\n")).toMatch(why);
    expect(Object.keys({ ...before, ...after })).toContain(found?.path);
    expect(found?.kind).toBe("weakened_test");
    if (line !== undefined) expect(found?.line).toBe(line);
    expect(cautions.length, JSON.stringify(cautions, null, 1)).toBeLessThanOrEqual(3);
  });
}
