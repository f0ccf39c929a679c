import type { PlanItem } from "../../core/job.ts";
import type { ToolSpec } from "../../core/model.ts";
import type { ModelProfile } from "../../core/model-profile.ts";
import { applyPatch } from "./apply-patch.ts";
import { edit } from "./edit.ts";
import { createPlan } from "./plan.ts";
import { read } from "./read.ts";
import { shell } from "./shell.ts";
import { createSkill, type SkillAnswer } from "./skill.ts";
import type { Tool } from "./tool.ts";
import { write } from "./write.ts";

/**
 * The agent's tools, in the order the model sees them; `onSkill` only where there are skills to choose from. The
 * tool that changes files for other models is not offered, and works all the same: a model that took over
 * from another sees its calls.
 */
export function createTools(
  editTool: ModelProfile["editTool"],
  {
    onPlan,
    onSkill,
    readOnly = false,
  }: {
    onPlan: (items: PlanItem[]) => Promise<void>;
    onSkill?: (name: string) => Promise<SkillAnswer>;
    /** Nothing that is changed is kept: the tools that change files are not there. */
    readOnly?: boolean;
  },
): Tool[] {
  const [change, other] = editTool === "edit" ? [edit, applyPatch] : [applyPatch, edit];
  const writing = readOnly ? [] : [change, write];
  const tools: Tool[] = [shell, read, ...writing, createPlan(onPlan)];
  if (onSkill !== undefined) tools.push(createSkill(onSkill));
  if (readOnly) return tools;
  return [...tools, { ...other, unoffered: true }];
}

/** The tools that a model is offered, as it sees them. */
export function specsOf(tools: readonly Tool[]): ToolSpec[] {
  return tools.flatMap(({ spec, unoffered }) => (unoffered ? [] : [spec]));
}
