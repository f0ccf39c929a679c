import { LineReporter } from "../support/line-reporter.ts";

/** One line per fault, and the figures that tests measured. */
export default class FaultReporter extends LineReporter {
  constructor() {
    super("faults");
  }

  onUserConsoleLog({ content }: { content: string }): void {
    process.stdout.write(`        ${content.trimEnd()}\n`);
  }
}
