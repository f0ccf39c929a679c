import type { ModelProfile } from "./model-profile.ts";

/** What the makers document of a family of models, besides prices. */
interface Family {
  maxOutput?: number;
  contextWindow?: number;
  editTool: ModelProfile["editTool"];
  efforts: string[];
}

const LOW_TO_HIGH = ["low", "medium", "high"];
const PLAIN: Family = { editTool: "edit", efforts: [] };

/**
 * Families by the names of their models, the more special ones first. Sources: the pages of each model and the
 * guides to reasoning of platform.openai.com, docs.claude.com and ai.google.dev. GPT-4.1 and all after it were trained
 * on the apply_patch tool. An effort that is not sure for a family is left out: the operator can add it.
 */
const FAMILIES: [RegExp, Family][] = [
  [/^gpt-4\.1\b/, { maxOutput: 32_768, editTool: "apply_patch", efforts: [] }],
  [/^gpt-5[\d.]*-chat\b/, { maxOutput: 16_384, editTool: "apply_patch", efforts: [] }],
  [/^gpt-5-pro\b/, { maxOutput: 272_000, editTool: "apply_patch", efforts: ["high"] }],
  [/^gpt-5\.\d+-pro\b/, gpt5(["medium", "high", "xhigh"])],
  [/^gpt-5(?:\.1)?-codex(?!-max)/, gpt5(LOW_TO_HIGH)],
  [/^gpt-5[\d.]*-codex/, gpt5([...LOW_TO_HIGH, "xhigh"])],
  [/^gpt-5\.1\b/, gpt5(["none", ...LOW_TO_HIGH])],
  [/^gpt-5\.\d/, gpt5(["none", ...LOW_TO_HIGH, "xhigh"])],
  [/^gpt-5\b/, gpt5(["minimal", ...LOW_TO_HIGH])],
  [/^codex-mini/, { maxOutput: 100_000, editTool: "apply_patch", efforts: LOW_TO_HIGH }],
  [/^gpt-oss-/, { maxOutput: 131_072, editTool: "edit", efforts: LOW_TO_HIGH }],
  [/^o[134](?:-mini)?(?:-\d|$)/, { maxOutput: 100_000, editTool: "edit", efforts: LOW_TO_HIGH }],
  [/^gpt-4o/, { ...PLAIN, maxOutput: 16_384 }],
  [/^claude-(?:opus|sonnet)-4[-.](?:[6-9]|\d\d)(?!\d)/, { ...PLAIN, maxOutput: 64_000 }],
  [/^claude-opus-4(?:[-.][01])?(?:-\d{8})?$/, { ...PLAIN, maxOutput: 32_000 }],
  [/^claude-(?:opus|sonnet|haiku)-4/, { ...PLAIN, maxOutput: 64_000 }],
  [
    /^gemini-(?:2\.5|3)/,
    { contextWindow: 1_048_576, maxOutput: 65_536, editTool: "edit", efforts: ["low", "high"] },
  ],
  [/^deepseek-chat/, { ...PLAIN, maxOutput: 8_192 }],
];

function gpt5(efforts: string[]): Family {
  return { maxOutput: 128_000, editTool: "apply_patch", efforts };
}

/** The family of a model that a catalogue knows, by the last part of its name: `openai/gpt-5` is `gpt-5`. */
export function familyOf(id: string): Family {
  const name = id.toLowerCase().split("/").at(-1) ?? id;
  return FAMILIES.find(([pattern]) => pattern.test(name))?.[1] ?? PLAIN;
}
