import { z } from "zod";
import { repoBudgetSchema } from "./budgets.ts";
import { BRANCH_PATTERN, isBranchName } from "./command-flags.ts";
import { issueProblems } from "./config-problems.ts";
import { domainProblem, isBounded, plainDomain } from "./domains.ts";
import { GLOB_PATTERN, globProblem } from "./glob.ts";
import { editorSchema } from "./json-schema.ts";
import { codeSpan } from "./markdown.ts";
import { effortName, modelName } from "./model-choice.ts";
import { routeRules } from "./route-rules.ts";
import { schemaKeys } from "./schema-keys.ts";
import { parseYaml } from "./yaml.ts";

const command = z
  .string()
  .trim()
  .min(1)
  .max(4000)
  .refine((text) => !text.includes("\0"), "must not hold a NUL character; remove it")
  .meta({ pattern: "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$" });
const domain = z
  .string()
  .max(254)
  .overwrite(plainDomain)
  .superRefine((text, context) => {
    const message = domainProblem(text);
    if (message) context.addIssue({ code: "custom", message });
  })
  .meta({ pattern: "^(\\*\\.)?([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\\.)+[A-Za-z0-9-]{2,}\\.?$" });
const glob = z
  .string()
  .trim()
  .min(1)
  .max(300)
  .superRefine((text, context) => {
    const message = globProblem(text);
    if (message) context.addIssue({ code: "custom", message });
  })
  .meta({ pattern: GLOB_PATTERN });

/** Schema of `.github/codex.yml`. Every key is optional; unknown keys are refused. */
export const repoConfigSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe("Whether Draftsmith works here; false stops it, work under way included."),
    context: z
      .strictObject({
        outsiders: z
          .boolean()
          .default(false)
          .describe(
            "Whether the model is shown, marked as untrusted, what people without write access and bots wrote on the issue or pull request.",
          ),
      })
      .prefault({})
      .describe("What the model is told besides its task."),
    on: z
      .strictObject({
        label: z
          .union([z.literal(false), z.string().trim().min(1).max(50)])
          .default("codex")
          .describe(
            "Label that makes an issue a task when somebody with write access sets it; false for none.",
          ),
        assigned: z
          .boolean()
          .default(true)
          .describe("Whether an issue becomes a task by being assigned to the App."),
      })
      .prefault({})
      .describe("What starts work besides words."),
    setup: z
      .array(command)
      .max(20)
      .default([])
      .describe("Commands that prepare a fresh checkout, such as npm ci."),
    checks: z
      .array(command)
      .max(20)
      .default([])
      .describe("Commands that must exit 0 on a clean checkout of the change."),
    network: z
      .array(domain)
      .max(50)
      .default([])
      .describe(
        "Domains the sandbox may reach, such as packages.example.org or *.example.com; none by default.",
      ),
    model: modelName.optional().describe("Model for this repository, where no rule chooses one."),
    effort: effortName.optional(),
    routes: routeRules,
    budget: repoBudgetSchema,
    base: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .refine(isBranchName, "must be the name of a branch")
      .meta({ pattern: BRANCH_PATTERN })
      .optional()
      .describe("Branch that work starts from; the default branch by default."),
    limits: z
      .strictObject({
        tasks: z.int().min(1).max(20).default(8).describe("Tasks in one command."),
        steps: z.int().min(1).max(500).default(60).describe("Model replies in one job."),
        minutes: z
          .number()
          .positive()
          .max(240)
          .default(30)
          .describe(
            "Wall time of the agent in one job, in minutes; it goes on counting after a restart.",
          ),
        tokens: z
          .int()
          .min(1000)
          .max(100_000_000)
          .default(2_000_000)
          .describe("Input and output tokens of one job."),
        check_minutes: z
          .number()
          .positive()
          .max(120)
          .default(10)
          .describe("Wall time of one setup or check command."),
        files: z.int().min(1).max(5000).default(200).describe("Files in one change."),
        lines: z
          .int()
          .min(1)
          .max(500_000)
          .default(20_000)
          .describe("Lines that one change adds and removes."),
        kilobytes: z
          .int()
          .min(1)
          .max(8192)
          .default(4096)
          .describe("Size of one change as a patch, without binary files."),
        binary_kilobytes: z
          .int()
          .min(0)
          .max(8192)
          .default(1024)
          .describe("Size of the new and changed binary files of one change, together."),
      })
      .prefault({})
      .describe("Limits of one command and its jobs."),
    paths: z
      .strictObject({
        allowed: z.array(glob).min(1).max(100).default(["**"]).describe("Paths a job may change."),
        protected: z
          .array(glob)
          .max(100)
          .default([])
          .describe(
            "Paths no job may change unless an admin allows it, besides workflows, CODEOWNERS, git hooks, submodules and this file.",
          ),
        shown_first: z
          .array(glob)
          .max(100)
          .default([])
          .describe(
            "Paths whose changes a pull request opens with, besides manifests, lock files, scripts that run by themselves and instructions to agents.",
          ),
        free: z
          .array(glob)
          .max(100)
          .default([])
          .describe("Paths that a pull request need not open with, though it would by itself."),
      })
      .prefault({})
      .describe("What a job may and may not change."),
    skills: z
      .strictObject({
        scripts: z
          .boolean()
          .default(true)
          .describe("Whether skills may bring scripts, which run in the sandbox only."),
      })
      .prefault({})
      .describe("What skills may bring."),
  })
  .describe("Draftsmith configuration of a repository (.github/codex.yml)");

type Read = z.output<typeof repoConfigSchema>;

/** Configuration of one repository, complete with defaults, and narrowed by the skills of a job. */
export type RepoConfig = Omit<Read, "paths"> & {
  /** `within`: globs that each skill names; what may change must match one of every list besides. */
  paths: Read["paths"] & { within?: readonly (readonly string[])[] };
};

/** One thing wrong with a configuration file: 1-based line, what, and what to do. */
export interface ConfigProblem {
  line: number;
  message: string;
}

/**
 * Reads `.github/codex.yml`. An empty file, or a key without a value, means the defaults. Each problem says
 * on which line, what, and what to do; its message is Markdown. `network` are the operator's domains, of
 * which it may name some; null: any.
 */
export function parseRepoConfig(
  text: string,
  network: readonly string[] | null,
): { ok: true; config: RepoConfig } | { ok: false; problems: ConfigProblem[] } {
  const read = parseYaml(text);
  if (!read.ok) return { ok: false, problems: read.problems };
  const parsed = repoConfigSchema.safeParse(read.value);
  const issues = parsed.error?.issues ?? outsideBound(parsed.data?.network ?? [], network);
  if (parsed.success && issues.length === 0) return { ok: true, config: parsed.data };
  return {
    ok: false,
    problems: issueProblems(issues, read, (path) => schemaKeys(repoConfigSchema, path)),
  };
}

/** Domains that the operator of the server does not let repositories choose. */
function outsideBound(
  domains: string[],
  bound: readonly string[] | null,
): { code: "custom"; path: PropertyKey[]; message: string; input: string }[] {
  const within =
    bound === null || bound.length === 0 ? "none" : bound.slice(0, 20).map(codeSpan).join(", ");
  return domains.flatMap((domain, at) =>
    isBounded(domain, bound)
      ? []
      : [
          {
            code: "custom",
            path: ["network", at],
            input: domain,
            message: `is ${codeSpan(domain)}, which this server does not let repositories reach (it lets them reach: ${within}); remove it, or ask the server's operator to add it to \`DRAFTSMITH_NETWORK\``,
          },
        ],
  );
}

/** A configuration as an earlier version stored it, with the defaults of what came since. */
export function completeRepoConfig(stored: RepoConfig): RepoConfig {
  const defaults = repoConfigSchema.parse({});
  return {
    ...defaults,
    ...stored,
    context: { ...defaults.context, ...stored.context },
    on: { ...defaults.on, ...stored.on },
    limits: { ...defaults.limits, ...stored.limits },
    paths: { ...defaults.paths, ...stored.paths },
    budget: { ...defaults.budget, ...stored.budget },
    skills: { ...defaults.skills, ...stored.skills },
  };
}

/** The JSON Schema that editors use to check and complete the file, as the text of docs/codex.schema.json. */
export function repoConfigJsonSchema(): string {
  return editorSchema(repoConfigSchema);
}
