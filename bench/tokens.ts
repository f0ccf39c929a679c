// How many tokens the first request of a job has, and how much of each request the provider has seen before,
// with and without a window that fills. `node bench/tokens.ts [steps]`
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import {
  chatBody,
  playJob,
  prefixShare,
  responsesBody,
  rules,
  TWENTY_SKILLS,
  toolsFor,
} from "../test/support/scripted-job.ts";

const steps = Number(process.argv[2] ?? 40);
const tokens = (text: string) => encode(text).length;

console.log("first request, without AGENTS.md and task, in tokens of o200k_base:");
for (const editTool of ["edit", "apply_patch"] as const) {
  const tools = toolsFor(editTool);
  const messages = [{ role: "system" as const, content: rules(TWENTY_SKILLS) }];
  const parts = [
    `system ${tokens(rules())}`,
    `tools ${tokens(JSON.stringify(tools))}`,
    `20 skills ${tokens(rules(TWENTY_SKILLS)) - tokens(rules())}`,
    `chat body ${tokens(chatBody(messages, tools))}`,
    `responses body ${tokens(responsesBody(messages, tools))}`,
  ];
  console.log(`  ${editTool}: ${parts.join(", ")}`);
}

console.log(`a job of ${steps} steps:`);
let whole = 0;
for (const [name, window] of [
  ["a window that never fills", 10_000_000],
  ["a window of 32,000 tokens", 32_000],
] as const) {
  const { requests, tools, events } = await playJob(steps, window, tokens);
  const compacted = events.filter(({ type }) => type === "compacted").length;
  for (const [api, toBody] of [
    ["chat", chatBody],
    ["responses", responsesBody],
  ] as const) {
    const bodies = requests.map((messages) => toBody(messages, tools));
    const share = prefixShare(bodies);
    const total = bodies.reduce((sum, body) => sum + tokens(body), 0);
    if (whole === 0) whole = total;
    const ratio = ((100 * total) / whole).toFixed(0);
    console.log(
      `  ${name}, ${api}: ${(100 * share).toFixed(2)} % of input bytes are a prefix of the request before, ` +
        `${total} input tokens (${ratio} %), ${compacted} compactions`,
    );
  }
}
