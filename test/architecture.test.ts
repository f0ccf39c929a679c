import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const SRC = path.resolve(import.meta.dirname, "../src");

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name, text: readFileSync(path.join(SRC, name), "utf8") }));

/** What stands at the start of a line, or is a call: not the words "from" and "import" in a text. */
const IMPORT =
  /^(?:import|export|\})[^"'`\n]* from "([^"\n]+)"|^import "([^"\n]+)"|\bimport\(\s*"([^"\n]+)"/gm;

/** Modules a file imports: packages by name, own files by their path below src. */
function importsOf(file: { name: string; text: string }): string[] {
  const found = [...file.text.matchAll(IMPORT)].map(
    ([, from, bare, call]) => from ?? bare ?? call ?? "",
  );
  return found.map((spec) =>
    spec.startsWith(".")
      ? path.relative(SRC, path.resolve(SRC, path.dirname(file.name), spec))
      : spec,
  );
}

function offenders(folder: string, allowed: (spec: string) => boolean): string[] {
  return files
    .filter((file) => file.name.startsWith(`${folder}/`))
    .flatMap((file) =>
      importsOf(file)
        .filter((spec) => !allowed(spec))
        .map((spec) => `${file.name} imports ${spec}`),
    );
}

const pure = ["zod", "diff", "yaml", "markdown-it", "tldts"];
const tldtsData = "tldts/dist/cjs/src/data/trie.js";
const isPure = (spec: string) => pure.includes(spec) || spec === tldtsData;
const own = (spec: string, ...folders: string[]) =>
  folders.some((folder) => spec.startsWith(`${folder}/`));

describe("the Never rules of ARCHITECTURE.md", () => {
  it("core imports nothing outward and has no clock, no randomness, no environment", () => {
    expect(
      offenders("core", (spec) => isPure(spec) || own(spec, "core") || spec === "node:stream"),
    ).toEqual([]);
    for (const file of files.filter((each) => each.name.startsWith("core/"))) {
      expect(file.text, file.name).not.toMatch(
        /Date\.now|new Date\(\)|Math\.random|process\.|randomUUID/,
      );
    }
  });

  it("handlers and api reach only the jobs and the core", () => {
    const allowed = (spec: string) =>
      own(spec, "core", "jobs", "handlers", "api") ||
      ["zod", "probot", "node:http", "node:net", "node:crypto"].includes(spec);
    for (const folder of ["handlers", "api"]) expect(offenders(folder, allowed)).toEqual([]);
  });

  it("agents never touch the host", () => {
    expect(offenders("agents", (spec) => isPure(spec) || own(spec, "core", "agents"))).toEqual([]);
    for (const file of files.filter((each) => each.name.startsWith("agents/"))) {
      expect(file.text, file.name).not.toMatch(/process\.|Date\.now/);
    }
  });

  it("an adapter imports its SDK and the core, never another adapter", () => {
    for (const file of files.filter((each) => each.name.startsWith("adapters/"))) {
      const family = file.name.split("/")[1]?.replace(/\.ts$/, "");
      for (const spec of importsOf(file).filter((each) => each.endsWith(".ts"))) {
        const inside = spec.split("/")[1]?.replace(/\.ts$/, "");
        expect(
          own(spec, "core") || (own(spec, "adapters") && inside === family),
          `${file.name} imports ${spec}`,
        ).toBe(true);
      }
    }
  });

  it("jobs know ports, not adapters", () => {
    const allowed = (spec: string) =>
      own(spec, "core", "jobs", "agents", "skills") ||
      ["p-queue", "uuid", "node:crypto", "node:timers/promises"].includes(spec);
    expect(offenders("jobs", allowed)).toEqual([]);
  });

  it("the environment is read in config.ts only", () => {
    const readers = files.filter((file) => /process\.env/.test(file.text)).map((file) => file.name);
    expect(readers).toEqual(["config.ts"]);
  });

  it("adapters are constructed in compose/ only", () => {
    const users = files.filter(
      (file) =>
        !file.name.startsWith("adapters/") && importsOf(file).some((spec) => own(spec, "adapters")),
    );
    expect(users.map((file) => file.name).filter((name) => !name.startsWith("compose/"))).toEqual(
      [],
    );
    expect(users.length).toBeGreaterThan(3);
  });

  it("no source file is longer than 300 lines", () => {
    const long = files
      .filter((file) => file.text.split("\n").length > 300)
      .map((file) => file.name);
    expect(long).toEqual([]);
  });
});
