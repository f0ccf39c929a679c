import type { PlanItem } from "../../core/job.ts";
import type { ModelProfile } from "../../core/model-profile.ts";
import { applyPatch } from "./apply-patch.ts";
import { edit } from "./edit.ts";
import { createPlan } from "./plan.ts";
import { read } from "./read.ts";
import { shell } from "./shell.ts";
import type { Tool } from "./tool.ts";
import { write } from "./write.ts";

/** The agent's tools, in the order the model sees them. */
export function createTools(
  onPlan: (items: PlanItem[]) => Promise<void>,
  editTool: ModelProfile["editTool"],
): Tool[] {
  const changing = editTool === "edit" ? [edit, write] : [applyPatch];
  return [shell, read, ...changing, createPlan(onPlan)];
}
