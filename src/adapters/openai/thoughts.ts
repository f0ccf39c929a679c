/** How models open and close what they think, where their server does not take it out (vLLM without a parser, llama.cpp, LM Studio). */
const TAGS = [
  // Qwen, DeepSeek, GLM, MiniMax: https://docs.vllm.ai/en/latest/features/reasoning_outputs.html
  ["<think>", "</think>"],
  ["<thinking>", "</thinking>"],
  ["<seed:think>", "</seed:think>"],
  // Magistral
  ["[THINK]", "[/THINK]"],
] as const;

/**
 * What a model says after it has thought: the thoughts at the head of a text are cut off. They may begin
 * without their mark, which then stood in the prompt; without an end all of it is thoughts.
 */
export function withoutThoughts(content: string): string {
  for (const [open, close] of TAGS) {
    const rest = content.trimStart();
    if (rest.startsWith(open)) {
      const end = rest.indexOf(close, open.length);
      return end < 0 ? "" : withoutThoughts(rest.slice(end + close.length).trimStart());
    }
    const end = content.indexOf(close);
    if (end >= 0 && isEnd(content.slice(0, end), content.slice(end + close.length), open)) {
      return content.slice(end + close.length).trimStart();
    }
  }
  return content;
}

/** Whether a closing mark ends thoughts that began before the text, and is not one that the text speaks of. */
function isEnd(before: string, after: string, open: string): boolean {
  const fences = before.split("```").length - 1;
  return (
    !before.includes(open) &&
    fences % 2 === 0 &&
    !/[`'"]$/.test(before) &&
    /^[ \t]*(\r?\n|$)/.test(after)
  );
}
