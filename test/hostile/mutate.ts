import { execFileSync, spawn } from "node:child_process";
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Attack, attacks, mutations, occurrences, ROOT } from "./catalogue.ts";
import { editsOf, type Mutation } from "./mutations/mutation.ts";

/** What Vitest's JSON reporter says, as far as it is looked at. */
interface Report {
  testResults: {
    message: string;
    assertionResults: { title: string; status: string; failureMessages: string[] }[];
  }[];
}

/** A test that ends by an assertion; a harness that broke says something else. */
const ASSERTION = /^(AssertionError|Error: expect|JestAssertionError)/;

const wanted = process.argv.slice(2);
const known = attacks();
const chosen = (await mutations()).filter(
  ({ attack }) =>
    wanted.length === 0 || wanted.some((each) => attack === each || attack.startsWith(`${each}-`)),
);
if (chosen.length === 0) {
  process.stderr.write(`no mutation for ${wanted.join(" ")}\n`);
  process.exit(2);
}
const copy = copyTree();
let missed = 0;
try {
  for (const mutation of chosen) {
    const attack = known.find(({ id }) => id === mutation.attack);
    const started = performance.now();
    const outcome = attack ? await tryOut(copy, mutation, attack) : "there is no such attack";
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (outcome !== null) missed += 1;
    const word = outcome === null ? "red    " : "NOT RED";
    const why = outcome === null ? (attack?.what ?? "") : outcome;
    process.stdout.write(`${word}  ${mutation.attack.padEnd(13)} ${why}  ${seconds} s\n`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.stdout.write(
  `\n${chosen.length} mutations, ${missed === 0 ? "all red" : `${missed} NOT RED`}\n`,
);
process.exitCode = missed === 0 ? 0 : 1;

/** The tree as it stands, uncommitted files too, where the mutations may write. */
function copyTree(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-mutations-"));
  const listed = execFileSync(
    "git",
    ["ls-files", "-z", "-co", "--exclude-standard", "--deduplicate"],
    {
      cwd: ROOT,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  for (const name of listed.split("\0").filter(isKept)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    copyFileSync(path.join(ROOT, name), path.join(dir, name));
  }
  symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
  return dir;
}

/** What git lists may be gone from the disk, or be a link to packages. */
function isKept(name: string): boolean {
  return lstatSync(path.join(ROOT, name), { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Removes the defence, plays the attack, puts the defence back; null when the attack's test went red. */
async function tryOut(dir: string, mutation: Mutation, attack: Attack): Promise<string | null> {
  const before = new Map<string, string>();
  try {
    for (const { file, find, replace } of editsOf(mutation)) {
      const whole = path.join(dir, file);
      const text = readFileSync(whole, "utf8");
      if (occurrences(text, find) !== 1) return `"${find}" is not in ${file} exactly once`;
      if (!before.has(whole)) before.set(whole, text);
      writeFileSync(
        whole,
        text.replace(find, () => replace),
      );
    }
    return judge(await play(dir, attack), attack);
  } finally {
    for (const [whole, text] of before) writeFileSync(whole, text);
  }
}

function judge({ report, said }: Awaited<ReturnType<typeof play>>, attack: Attack): string | null {
  const results = report?.testResults.flatMap((each) => each.assertionResults) ?? [];
  const played = results.filter(({ title }) => title.startsWith(`${attack.id} `));
  const [result] = played;
  if (result === undefined || played.length !== 1) {
    return `the attack was not played: ${report?.testResults[0]?.message || said.slice(-600)}`;
  }
  if (result.status === "passed") return "the attack's test does not notice";
  const failures = result.failureMessages;
  if (failures.length > 0 && failures.every((each) => ASSERTION.test(each))) return null;
  const why = failures.join("\n").slice(0, 600) || said.slice(-600);
  return `it failed, but not by an assertion: ${why}`;
}

/** Runs the attack's test, and no other. */
async function play(dir: string, attack: Attack): Promise<{ report: Report | null; said: string }> {
  const output = path.join(dir, "mutation-report.json");
  rmSync(output, { force: true });
  const vitest = path.join(ROOT, "node_modules/vitest/vitest.mjs");
  const args = ["run", attack.file, "-t", `\\b${attack.id} `, "--reporter=json"];
  const child = spawn(process.execPath, [vitest, ...args, `--outputFile=${output}`], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-20_000);
    });
  }
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  try {
    return { report: JSON.parse(readFileSync(output, "utf8")), said };
  } catch (error) {
    return { report: null, said: `${said}\n${String(error)}` };
  }
}
