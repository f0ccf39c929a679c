import { LineReporter } from "../support/line-reporter.ts";

/** One line per fault. */
export default class FaultReporter extends LineReporter {
  constructor() {
    super("faults");
  }
}
