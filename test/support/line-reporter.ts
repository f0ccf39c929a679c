import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

const NAMED = /^([a-z]+-\d+) (.*)$/s;

/** Characters of one failure that are printed. */
const MAX_TOLD = 3000;

/** Prints one line per test whose title begins with an id, and the count at the end; others only when they fail. */
export class LineReporter implements Reporter {
  /** What is counted, as it is called in the last line. */
  readonly #what: string;
  #held = 0;
  #broken = 0;
  /** What failed and has no id: hooks, files that do not load. */
  #failed = 0;
  #started = performance.now();

  constructor(what: string) {
    this.#what = what;
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state === "skipped" || state === "pending") return;
    const held = state === "passed";
    const [, id = "", what = ""] = NAMED.exec(test.name) ?? [];
    if (id !== "") {
      if (held) this.#held += 1;
      else this.#broken += 1;
      const ms = Math.round(test.diagnostic()?.duration ?? 0);
      const word = held ? "held  " : "BROKEN";
      const store = test.project.name === "PostgreSQL" ? " (PostgreSQL)" : "";
      process.stdout.write(`${word}  ${id.padEnd(13)} ${what}${store}  ${ms} ms\n`);
    } else if (!held) {
      this.#failed += 1;
      process.stdout.write(`FAILED  ${test.fullName}\n`);
    }
    for (const error of errors ?? []) tell(error);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    for (const module of modules) {
      for (const error of suiteErrors(module)) {
        this.#failed += 1;
        process.stdout.write(`FAILED  ${module.relativeModuleId}\n`);
        tell(error);
      }
    }
    for (const error of unhandled) tell(error);
    this.#failed += unhandled.length;
    const count = this.#held + this.#broken;
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    const outcome = [
      this.#broken === 0 ? "all held" : `${this.#broken} BROKEN`,
      ...(this.#failed === 0 ? [] : [`${this.#failed} failures besides`]),
    ].join(", ");
    process.stdout.write(`\n${count} ${this.#what}, ${outcome}, ${seconds} s\n`);
  }
}

/** What failed outside a test: a file that does not load, a hook. */
function suiteErrors(module: TestModule): SerializedError[] {
  const suites = [...module.children.allSuites()];
  return [module, ...suites].flatMap((each) => [...each.errors()]);
}

function tell(error: { message: string; stack?: string; diff?: string }): void {
  const whole = [error.stack ?? error.message, error.diff ?? ""].join("\n").trim();
  // Some hold the whole log of a server.
  const text = whole.length > MAX_TOLD ? `${whole.slice(0, MAX_TOLD)}\n[…]` : whole;
  process.stdout.write(`${text.replace(/^/gm, "        ")}\n`);
}
