import { z } from "zod";
import { isModelName } from "./command-flags.ts";

/** Schema of the name of a model. */
export const modelName = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .refine(isModelName, "must be the name of a model: printable ASCII without spaces")
  .meta({ pattern: "^\\s*(?!-)[!-~]+\\s*$" });

/** Schema of a reasoning effort; which ones there are depends on the model. */
export const effortName = z
  .string()
  .trim()
  .regex(/^[a-z]{1,20}$/, "must be one of the model's reasoning efforts, such as `low` or `high`")
  .meta({ pattern: "^\\s*[a-z]{1,20}\\s*$" })
  .describe("Reasoning effort, as the model knows it; by default its own.");

/** Schema of a model, with or without an effort. */
export const modelChoice = z.strictObject({ model: modelName, effort: effortName.optional() });
