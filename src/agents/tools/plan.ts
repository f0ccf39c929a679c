import { z } from "zod";
import type { PlanItem } from "../../core/job.ts";
import { defineTool, oneLine, type Tool } from "./tool.ts";

/** Keeps the agent's plan, which people see on the board; `onPlan` stores it. */
export function createPlan(onPlan: (items: PlanItem[]) => Promise<void>): Tool {
  return defineTool({
    name: "plan",
    description:
      "Shows your plan to the people who wait. Give the whole list each time, at most one item in progress.",
    writes: false,
    schema: z.object({
      items: z
        .array(
          z.object({
            text: z.string().min(1).max(200).describe("In a few words."),
            status: z.enum(["pending", "in_progress", "done"]),
          }),
        )
        .max(20),
    }),
    async run({ items }) {
      await onPlan(items.map(({ text, status }) => ({ text: oneLine(text, 200), status })));
      const done = items.filter((item) => item.status === "done").length;
      const current = items.find((item) => item.status === "in_progress");
      const action = current
        ? oneLine(current.text, 80)
        : `planned, ${done} of ${items.length} done`;
      return { ok: true, text: `${done} of ${items.length} done`, action };
    },
  });
}
