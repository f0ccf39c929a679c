import { LineReporter } from "../support/line-reporter.ts";

/** One line per attack. */
export default class HostileReporter extends LineReporter {
  constructor() {
    super("attacks");
  }
}
