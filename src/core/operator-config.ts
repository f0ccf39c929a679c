import { z } from "zod";
import { budgetsSchema } from "./budgets.ts";
import { issueProblems } from "./config-problems.ts";
import { END_EARLIER, ENDPOINT, isEndpoint } from "./endpoint.ts";
import { anyCase, editorSchema } from "./json-schema.ts";
import { modelChoice, modelName } from "./model-choice.ts";
import type { ConfigProblem } from "./repo-config.ts";
import { routeRules } from "./route-rules.ts";
import { schemaKeys } from "./schema-keys.ts";
import { parseYaml } from "./yaml.ts";

const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const id = z
  .string()
  .regex(ID, "must be a short name: lower-case letters, digits, `.`, `_`, `-`, at most 64");

/** Keys are told by the name of a variable: a file is copied, shown and committed. */
const variable = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9_]{0,99}$/,
    "must be the name of an environment variable that holds the key, such as `ACME_KEY`; a key itself may not stand in this file",
  );

/** Headers whose values are keys. */
const SECRET_HEADER = "(?:authorization|proxy-authorization|cookie|.*(?:key|token|secret).*)$";
const isSecretHeader = new RegExp(`^${SECRET_HEADER}`, "i");

const fromVariable = z.strictObject({ env: variable.describe("Variable that holds the value.") });

const HEADER_VALUE =
  "must be plain ASCII text of at most 2,000 characters, or `{env: NAME}` with the name of a variable";

const headerValue = z.union(
  [z.string().regex(/^[\x20-\x7e]{0,2000}$/, HEADER_VALUE), fromVariable],
  { error: HEADER_VALUE },
);

/** A check that looks at what has other mistakes as well, so that all are told at once. */
const EVEN_IF_WRONG = { when: () => true };

const headers = z
  .record(
    z
      .string()
      .regex(
        /^[\w!#$%&'*+.^`|~-]{1,100}$/,
        "is no name of a header; use letters, digits and hyphens",
      ),
    headerValue,
  )
  .superRefine((given, context) => {
    for (const [name, value] of Object.entries(given ?? {})) {
      if (typeof value === "string" && isSecretHeader.test(name)) {
        context.addIssue({
          code: "custom",
          path: [name],
          message: "seems to be a secret, which may not stand in this file; write `{env: NAME}`",
        });
      }
    }
  }, EVEN_IF_WRONG)
  .meta({
    patternProperties: {
      [anyCase(`^${SECRET_HEADER}`)]: inEditors(fromVariable),
      [anyCase(`^(?!${SECRET_HEADER})`)]: inEditors(headerValue),
    },
  });

/** As an editor is told it: a header without a value is none. */
function inEditors(value: z.ZodType) {
  const { $schema: _of, ...schema } = z.toJSONSchema(value, { io: "input" });
  return { anyOf: [schema, { type: "null" }] };
}

const url = z
  .string()
  .refine((text) => {
    const parsed = URL.parse(text);
    return (
      parsed !== null &&
      /^https?:$/.test(parsed.protocol) &&
      `${parsed.username}${parsed.password}${parsed.search}${parsed.hash}` === ""
    );
  }, "must be a URL such as https://models.example.com/v1, without user name, password, ? and #")
  .refine((text) => !isEndpoint(text), END_EARLIER)
  .meta({ pattern: `^(?!.*${ENDPOINT})\\s*${anyCase("https?")}:/*[^\\s?#@/]+(?:/[^?#]*)?\\s*$` })
  .describe("Where its API is; OpenAI's by default.");

const provider = z.strictObject({
  id: id.describe("What models name it by."),
  base_url: url.optional(),
  key: variable.optional().describe("Environment variable that holds its key; none by default."),
  api: z
    .enum(["chat", "responses"], { error: "must be `chat` or `responses`" })
    .optional()
    .describe("Chat Completions or Responses; `responses` by default at OpenAI, else `chat`."),
  headers: headers.default({}).describe("Sent with each request."),
  concurrency: z.int().min(1).max(1000).optional().describe("Requests at the same time."),
  requests_per_minute: z.int().min(1).max(1_000_000).optional().describe("Requests in a minute."),
  tokens_per_minute: z
    .int()
    .min(1000)
    .max(1_000_000_000)
    .optional()
    .describe("Tokens of prompts and replies in a minute."),
});

const dollars = z.number().min(0).max(100_000);
const price = z
  .strictObject({
    input: dollars,
    cached: dollars
      .optional()
      .describe("Of prompt tokens that it had cached; as input by default."),
    output: dollars,
    cache_write: dollars
      .optional()
      .describe("Of prompt tokens that it wrote to its cache; as input by default."),
  })
  .describe("US dollars per million tokens.");

const tokens = z.int().min(1000).max(100_000_000);
const model = z
  .strictObject({
    name: modelName.describe("What people, rules and boards call it."),
    provider: id.optional().describe("Who serves it; may be left out when there is one provider."),
    id: modelName.optional().describe("The name its provider knows it by; `name` by default."),
    context_window: tokens.optional().describe("Tokens of prompt and reply together."),
    max_output: tokens.optional().describe("Tokens of one reply, reasoning included."),
    price: price.optional(),
    unpriced: z.literal(true, { error: "must be `true`, or be left out" }).optional(),
    edit_tool: z
      .enum(["edit", "apply_patch"], { error: "must be `edit` or `apply_patch`" })
      .optional()
      .describe("The tool it was trained to change files with."),
    efforts: z
      .array(z.string().regex(/^[a-z]{1,20}$/, "must be a lower-case word, such as `high`"))
      .max(10)
      .optional()
      .describe("Reasoning efforts it takes, such as low, medium and high."),
  })
  .superRefine((given, context) => {
    if (given?.price && given.unpriced) {
      context.addIssue({
        code: "custom",
        path: ["unpriced"],
        message: "contradicts `price`; keep one of them",
      });
    }
    const { context_window: window, max_output: output } = given ?? {};
    if (typeof window === "number" && typeof output === "number" && output >= window) {
      context.addIssue({
        code: "custom",
        path: ["max_output"],
        message: "must be smaller than `context_window`, which prompt and reply share",
      });
    }
  }, EVEN_IF_WRONG)
  .meta({
    anyOf: ["price", "unpriced"].map((key) => ({
      type: "object",
      properties: { [key]: { type: "null" } },
    })),
  });

/** Schema of draftsmith.yml, the operator's file. Every key is optional; unknown keys are refused. */
const operatorConfigSchema = z
  .strictObject({
    providers: z
      .array(provider)
      .min(1)
      .max(50)
      .optional()
      .describe("Servers of models; by default the one of OPENAI_BASE_URL and OPENAI_API_KEY."),
    models: z
      .array(model)
      .min(1)
      .max(500)
      .optional()
      .describe("The models that may be used; by default any of the one provider."),
    default: modelChoice.optional().describe("The model of a job that no rule chooses for."),
    routes: routeRules,
    budgets: budgetsSchema,
  })
  .describe("Draftsmith's providers, models, rules and budgets (draftsmith.yml)");

/** The operator's file, checked by itself. */
export type OperatorConfig = z.output<typeof operatorConfigSchema>;

/** Reads draftsmith.yml; an empty file means the defaults. `lineOf` gives the 1-based line of a path. */
export function parseOperatorConfig(
  text: string,
):
  | { ok: true; config: OperatorConfig; lineOf: (path: PropertyKey[]) => number }
  | { ok: false; problems: ConfigProblem[] } {
  const read = parseYaml(text);
  if (!read.ok) return { ok: false, problems: read.problems };
  const parsed = operatorConfigSchema.safeParse(read.value);
  if (parsed.success) return { ok: true, config: parsed.data, lineOf: read.lineOf };
  const keysOf = (path: PropertyKey[]) => schemaKeys(operatorConfigSchema, path);
  return { ok: false, problems: issueProblems(parsed.error.issues, read, keysOf) };
}

/** The JSON Schema that editors use to check and complete the file, as the text of docs/draftsmith.schema.json. */
export function operatorConfigJsonSchema(): string {
  return editorSchema(operatorConfigSchema);
}
