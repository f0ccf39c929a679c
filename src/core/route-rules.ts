import { z } from "zod";
import { GLOB_PATTERN, globProblem } from "./glob.ts";
import { codeSpan } from "./markdown.ts";
import { effortName, modelChoice, modelName } from "./model-choice.ts";

/** What a job is asked for: anew, on a pull request of ours, or to go on after it stopped. */
const VERBS = ["task", "follow_up", "continue", "ask", "plan"] as const;
export type Verb = (typeof VERBS)[number];

const MAX_VALUES = 50;

/** A text of blanks is none; a schema of zod trims it first, and an editor cannot. */
const NOT_BLANK = { pattern: "\\S" };
const text = z.string().trim().min(1).max(300).meta(NOT_BLANK);

/** One text or several, read as a list. */
const texts = (what: string, one = text) =>
  z
    .union([one, z.array(one).min(1).max(MAX_VALUES)], {
      error: `must be text, or a list of 1 to ${MAX_VALUES} texts`,
    })
    .transform((given) => (typeof given === "string" ? [given] : given))
    .describe(what);

const globs = texts(
  "Globs, as in `paths` of .github/codex.yml: a path that the task names, or that its pull request changes, matches one.",
  text.meta({ pattern: GLOB_PATTERN }),
).superRefine((given, context) => {
  for (const glob of given) {
    const problem = globProblem(glob);
    if (problem) context.addIssue({ code: "custom", message: `${codeSpan(glob)} ${problem}` });
  }
});

const verbs = z
  .union([z.enum(VERBS), z.array(z.enum(VERBS)).min(1)], {
    error: `must be ${VERBS.map(codeSpan).join(", ")} or a list of them`,
  })
  .transform((given) => (typeof given === "string" ? [given] : given))
  .describe(
    "A new task, one on a pull request of Draftsmith, the word to go on, a question, or a plan.",
  );

const characters = z.int().min(1).max(1_000_000);

const anyChoice = z
  .union([modelName, modelChoice], {
    error: "must be the name of a model, or `model:` with `effort:`",
  })
  .transform((given) => (typeof given === "string" ? { model: given } : given));

const routeRule = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(60)
      .meta(NOT_BLANK)
      .optional()
      .describe("What boards and pull requests call it; by default its number."),
    match: z
      .strictObject({
        skill: texts("Name of the skill; `none` for a task without one.").optional(),
        verb: verbs.optional(),
        labels: texts("Label of the issue or pull request.").optional(),
        paths: globs.optional(),
        longer_than: characters.optional().describe("The task has more characters."),
        shorter_than: characters.optional().describe("The task has fewer characters."),
        author: texts("Login of the person who asks.").optional(),
      })
      .prefault({})
      .describe("All of these must hold, each by one of its values; without any, it always holds."),
    use: z
      .strictObject({
        model: modelName,
        effort: effortName.optional(),
        fallback: z
          .array(anyChoice)
          .max(5)
          .default([])
          .describe("Models that take over, in order, when the one before does not answer."),
      })
      .describe("The model of the job."),
    escalate: z
      .strictObject({
        after_failed_checks: z
          .int()
          .min(1)
          .max(2)
          .default(2)
          .describe("How often the checks must have failed."),
        model: modelName,
        effort: effortName.optional(),
      })
      .optional()
      .describe("A stronger model that mends a change whose checks fail."),
  })
  .describe("One rule: for which jobs, and which model they use.");

/** Schema of a list of rules, of which the first that matches chooses. */
export const routeRules = z
  .array(routeRule)
  .max(50)
  .default([])
  .describe("Rules that choose the model of a job; the first that matches does.");

/** One rule that chooses models. */
export type RouteRule = z.output<typeof routeRule>;
