/** A model and how hard it is to think; null: as the provider does by itself. */
export interface ModelChoice {
  model: string;
  effort: string | null;
}

/** Which models a job works with, and why. Settled when the job is made. */
export interface Route {
  /** The rule that chose: "rule 2", "--model", "default". */
  rule: string;
  /** Why that rule, as a clause: "skill is docs and the task has at most 400 characters". */
  why: string;
  /** The effort that `--effort` asked for; absent where nobody did, and in rows of earlier versions. */
  effort?: string;
  /** The model, then those that take over when it does not answer. */
  choices: [ModelChoice, ...ModelChoice[]];
  /** Who mends a change whose checks failed so many times; null: the same model. */
  escalation: { afterFailedChecks: number; to: ModelChoice } | null;
}
