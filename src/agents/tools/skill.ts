import { z } from "zod";
import { defineTool, failed, type Tool } from "./tool.ts";

/** What reading a skill gave: its text, or why there is none. */
export type SkillAnswer = { ok: boolean; text: string };

/** Reads a skill from the list in the rules; `take` takes it up for the job. */
export function createSkill(take: (name: string) => Promise<SkillAnswer>): Tool {
  return defineTool({
    name: "skill",
    description: "Reads a skill of the list in the rules; its files are then in ../skills/NAME.",
    writes: false,
    schema: z.object({ name: z.string().min(1).max(100) }),
    doing: ({ name }) => `reading the skill ${name.slice(0, 64)}`,
    async run({ name }) {
      const { ok, text } = await take(name.trim());
      return ok ? { ok, text, action: `read the skill ${name}` } : failed(text, "to read a skill");
    },
  });
}
