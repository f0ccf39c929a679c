import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

const ATTACK = /^([a-z]+-\d+) (.*)$/s;

/** Characters of one failure that are printed. */
const MAX_TOLD = 3000;

/** Prints one line per attack, and the count at the end; tests that are no attacks only when they fail. */
export default class HostileReporter implements Reporter {
  #held = 0;
  #broken = 0;
  /** What failed and is no attack: hooks, files that do not load. */
  #failed = 0;
  #started = performance.now();

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state === "skipped" || state === "pending") return;
    const held = state === "passed";
    const [, id = "", what = ""] = ATTACK.exec(test.name) ?? [];
    if (id !== "") {
      if (held) this.#held += 1;
      else this.#broken += 1;
      const ms = Math.round(test.diagnostic()?.duration ?? 0);
      const word = held ? "held  " : "BROKEN";
      process.stdout.write(`${word}  ${id.padEnd(13)} ${what}  ${ms} ms\n`);
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
    process.stdout.write(`\n${count} attacks, ${outcome}, ${seconds} s\n`);
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
