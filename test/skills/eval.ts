// What the built-in skills are worth with a real model: plays the cases of test/skills/cases through the whole product,
// with the skill and without any, and prints which criteria were met at what cost. The model is the operator's own:
// the settings of docs/models.md, from the environment, .env and draftsmith.yml.
//   npm run eval -- [skill…] [--model name] [--without] [--times n]
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { loadEnvironment } from "../../src/config.ts";
import { UserError } from "../../src/core/errors.ts";
import { withWorld } from "../support/world.ts";
import { type LoadedCase, loadCases } from "./case.ts";
import { operatorsModel } from "./operators-model.ts";
import { type Bench, judge, openBench, type Verdict } from "./outcome.ts";
import { type Played, play, repositoryOf } from "./play.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const HOUR_MS = 3_600_000;

/** How one case went once. */
interface Result {
  skill: string;
  mode: "with" | "without";
  /** Why there is no result; null when there is one. */
  broken: string | null;
  played: Played | null;
  verdicts: Verdict[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string" },
    without: { type: "boolean", default: false },
    times: { type: "string", default: "1" },
  },
});
const operators = readOperators();
const { model } = operators;
const times = Number(values.times);
const all = await loadCases();
const unknown = positionals.find((name) => !all.some(({ skill }) => skill === name));
if (unknown !== undefined || !Number.isInteger(times) || times < 1) {
  const why =
    unknown === undefined ? "--times takes a whole number" : `there is no case ${unknown}`;
  console.error(`${why}; the cases are ${all.map(({ skill }) => skill).join(", ")}`);
  process.exit(2);
}
const chosen = all.filter(({ skill }) => positionals.length === 0 || positionals.includes(skill));
const modes = values.without ? (["with", "without"] as const) : (["with"] as const);

const bench = await openBench();
try {
  for (const mode of modes) {
    const results = await runAll(mode, bench);
    for (const result of results) console.log(told(result));
    console.log(`${total(mode, results)}\n`);
  }
} finally {
  await bench.close();
}

/** What the operator has set; without it nothing can be played, and what is missing is said. */
function readOperators() {
  try {
    return operatorsModel(loadEnvironment(), process.cwd(), values.model);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

/** Plays all chosen cases in one world, as many at once as the server takes. */
async function runAll(mode: Result["mode"], judges: Bench): Promise<Result[]> {
  const runs = chosen.flatMap((each) =>
    Array.from({ length: times }, (_, at) => ({ each, name: `${each.skill}-${at + 1}` })),
  );
  const product = mode === "without" ? productWithoutSkills() : null;
  const results: Result[] = [];
  const options = {
    repositories: Object.fromEntries(runs.map(({ each, name }) => [name, repositoryOf(each)])),
    // Nobody asks it: the product is given the operator's.
    model: () => ({ status: 500 }),
    env: { ...operators.env, DRAFTSMITH_CONCURRENCY: String(operators.concurrency) },
    ...(product ? { main: product.main } : {}),
  };
  try {
    await withWorld(options, async (world) => {
      const playing = runs.map(async ({ each, name }) => {
        const flags = [
          ...(mode === "with" ? [`--skill=${each.skill}`] : []),
          ...(values.model === undefined ? [] : [`--model=${values.model}`]),
        ].join(" ");
        const played = await play(world, name, each, { flags, withinMs: HOUR_MS });
        results.push(await judged(each, mode, played, judges));
      });
      for (const [at, end] of (await Promise.allSettled(playing)).entries()) {
        if (end.status === "fulfilled") continue;
        const skill = runs[at]?.each.skill ?? "";
        results.push({ skill, mode, broken: String(end.reason), played: null, verdicts: [] });
      }
    });
  } finally {
    product?.remove();
  }
  return results.sort((a, b) => a.skill.localeCompare(b.skill));
}

async function judged(
  each: LoadedCase,
  mode: Result["mode"],
  played: Played,
  judges: Bench,
): Promise<Result> {
  const verdicts = await judge(each, played, judges);
  return { skill: each.skill, mode, broken: null, played, verdicts };
}

/** The same product in a place of its own, with no built-in skill in it. */
function productWithoutSkills(): { main: string; remove(): void } {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-eval-"));
  const skills = path.join(ROOT, "src/skills") + path.sep;
  cpSync(path.join(ROOT, "src"), path.join(dir, "src"), {
    recursive: true,
    filter: (from) => !(from.startsWith(skills) && from.endsWith("SKILL.md")),
  });
  cpSync(path.join(ROOT, "package.json"), path.join(dir, "package.json"));
  symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
  return {
    main: path.join(dir, "src/main.ts"),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function tokensOf({ played }: Result): number {
  return played ? played.spend.inputTokens + played.spend.outputTokens : 0;
}

function isPassed({ broken, verdicts }: Result): boolean {
  return broken === null && verdicts.every(({ problem }) => problem === null);
}

function price(microDollars: number | null): string {
  return microDollars === null ? "price unknown" : `$${(microDollars / 1e6).toFixed(4)}`;
}

/** A line of figures, then one for each criterion that was not met. */
function told(result: Result): string {
  const { skill, mode, broken, played, verdicts } = result;
  if (broken !== null || played === null)
    return `✗ ${skill.padEnd(22)} ${mode.padEnd(8)} ${broken}`;
  const met = verdicts.filter(({ problem }) => problem === null).length;
  const head = [
    isPassed(result) ? "✓" : "✗",
    skill.padEnd(22),
    mode.padEnd(8),
    `${met}/${verdicts.length}`.padStart(6),
    `${played.spend.steps} steps`.padStart(10),
    `${tokensOf(result).toLocaleString("en")} tokens`.padStart(18),
    price(played.spend.microDollars).padStart(14),
  ].join(" ");
  const lines = verdicts.flatMap(({ criterion, problem }) =>
    problem === null ? [] : [`    ${criterion}: ${problem.replace(/\s+/g, " ").slice(0, 200)}`],
  );
  return [head, ...lines].join("\n");
}

function total(mode: string, results: Result[]): string {
  const verdicts = results.flatMap((result) => result.verdicts);
  const costs = results.map(({ played }) => (played ? played.spend.microDollars : 0));
  const cost = costs.reduce<number | null>(
    (sum, each) => (sum === null || each === null ? null : sum + each),
    0,
  );
  return [
    `${model}, ${mode} skill: ${results.filter(isPassed).length} of ${results.length} cases passed`,
    `${verdicts.filter(({ problem }) => problem === null).length} of ${verdicts.length} criteria met`,
    `${results.reduce((sum, { played }) => sum + (played?.spend.steps ?? 0), 0)} steps`,
    `${results.reduce((sum, each) => sum + tokensOf(each), 0).toLocaleString("en")} tokens`,
    price(cost),
  ].join(", ");
}
