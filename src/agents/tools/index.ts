import type { PlanItem } from "../../core/job.ts";
import type { ModelProfile } from "../../core/model-profile.ts";
import { applyPatch } from "./apply-patch.ts";
import { edit } from "./edit.ts";
import { createPlan } from "./plan.ts";
import { read } from "./read.ts";
import { shell } from "./shell.ts";
import { createSkill, type SkillAnswer } from "./skill.ts";
import type { Tool } from "./tool.ts";
import { write } from "./write.ts";

/** The agent's tools, in the order the model sees them; `onSkill` only where there are skills to choose from. */
export function createTools(
  editTool: ModelProfile["editTool"],
  {
    onPlan,
    onSkill,
  }: {
    onPlan: (items: PlanItem[]) => Promise<void>;
    onSkill?: (name: string) => Promise<SkillAnswer>;
  },
): Tool[] {
  const change = editTool === "edit" ? edit : applyPatch;
  const tools = [shell, read, change, write, createPlan(onPlan)];
  return onSkill === undefined ? tools : [...tools, createSkill(onSkill)];
}
