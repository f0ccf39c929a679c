import type { ChatRequest, ScriptedReply } from "../support/model-server.ts";
import { taskOf } from "../support/world.ts";
import { nightly } from "./size.ts";

/** A job of its own, and the failpoint at which its worker is frozen or killed. */
export interface Moment {
  name: string;
  at: string;
}

/** Where a worker may be when it is frozen or dies, between its calls to GitHub, git, sandbox and store. */
const MOMENTS: (Moment & { everyday?: "frozen" | "killed" })[] = [
  { name: "hotel", at: "git.pack:before" },
  { name: "india", at: "git.pack:after", everyday: "frozen" },
  { name: "juliett", at: "git.pushRef:before", everyday: "frozen" },
  { name: "kilo", at: "git.pushRef:after" },
  { name: "lima", at: "github.perform:branch:before" },
  { name: "mike", at: "store.claimNext:after", everyday: "frozen" },
  { name: "november", at: "store.write:to-done:before", everyday: "frozen" },
  { name: "oscar", at: "store.write:to-done:after" },
  { name: "papa", at: "git.snapshot:before" },
  { name: "quebec", at: "git.snapshot:after" },
  { name: "romeo", at: "store.write:reply:before" },
  { name: "sierra", at: "store.write:tool_started:before" },
  { name: "tango", at: "store.write:tool_finished:before", everyday: "killed" },
  { name: "uniform", at: "github.perform:commit:before" },
  { name: "victor", at: "github.perform:commit:after" },
  { name: "whiskey", at: "github.perform:branch:after", everyday: "killed" },
  { name: "xray", at: "github.perform:pull:before" },
  { name: "yankee", at: "github.perform:pull:after" },
  { name: "zulu", at: "store.putHeld:pull:after" },
  { name: "amber", at: "store.write:to-publishing:before" },
];

/** All of them, or those of everyday runs. */
export function momentsOf(suite: "frozen" | "killed"): Moment[] {
  return MOMENTS.filter(({ everyday }) => nightly || everyday === suite);
}

/** Names in the order in which they are asked for: whoever dozes in its claim cannot keep its lease, so it comes last. */
export function inOrder(names: string[], moments: Moment[]): string[][] {
  const claims = moments.filter(({ at }) => at.startsWith("store.claimNext"));
  const last = claims.map(({ name }) => name);
  return [names.filter((name) => !last.includes(name)), last].filter(({ length }) => length > 0);
}

/** What a moment costs: replies that are asked for once more, and steps more than in an undisturbed job. */
export function costOf({ at }: Moment): { asked: number; steps: number } {
  // Paid for, and not yet stored.
  if (at === "store.write:reply:before") return { asked: 1, steps: 0 };
  // Called, and nobody knows how that ended: the model is told so, and calls again.
  const interrupted = /^(git\.pack:|store\.write:tool_finished:before)/.test(at);
  return interrupted ? { asked: 1, steps: 1 } : { asked: 0, steps: 0 };
}

/** Writes the file of a task `add NAME`, again when that was interrupted, and reports. */
export function writes(request: ChatRequest): ScriptedReply {
  const name = taskOf(request).replace("add ", "");
  const answers = request.messages.filter(({ role }) => role === "tool");
  if (answers.some(({ content }) => !/interrupted/i.test(content ?? ""))) {
    return { content: `Add ${name}\n\nAs asked.` };
  }
  const call = { path: `${name}.txt`, content: `${name}\n` };
  return { toolCalls: [{ name: "write", arguments: call }] };
}
