import { describe, expect, it } from "vitest";
import { lookUpModel } from "../../src/adapters/prices.ts";

const LOCAL = "http://127.0.0.1:8080/v1";
const OPENROUTER = "https://openrouter.ai/api/v1";
const ANTHROPIC = "https://api.anthropic.com/v1/";

describe("what the catalogue knows of a model", () => {
  it("is what its maker lists", () => {
    expect(lookUpModel(null, "gpt-5.1")).toEqual({
      price: { input: 1.25, cached: 0.125, output: 10 },
      contextWindow: 400_000,
      maxOutput: 128_000,
      editTool: "apply_patch",
      efforts: ["none", "low", "medium", "high"],
    });
  });

  it("has a dearer tier for long prompts, where the maker has", () => {
    expect(lookUpModel(ANTHROPIC, "claude-sonnet-4-5-20250929")).toMatchObject({
      price: {
        input: 3,
        cached: 0.3,
        output: 15,
        cacheWrite: 3.75,
        tiers: [{ above: 200_000, input: 6, cached: 0.6, output: 22.5, cacheWrite: 7.5 }],
      },
      contextWindow: 200_000,
      maxOutput: 64_000,
      editTool: "edit",
      efforts: [],
    });
  });

  it("has the dearest of prices that change with the hour", () => {
    expect(lookUpModel("https://api.deepseek.com", "deepseek-chat")?.price).toEqual({
      input: 0.27,
      cached: 0.07,
      output: 1.1,
    });
  });

  it("charges cached tokens in full where no price of theirs is known", () => {
    const price = lookUpModel(OPENROUTER, "qwen/qwen3-coder")?.price;
    expect(price?.cached).toBe(price?.input);
  });

  it.each<[string, string | null, string, string | null]>([
    ["a dated snapshot", null, "gpt-5-mini-2025-08-07", "apply_patch"],
    ["a model of OpenAI at Azure", "https://x.openai.azure.com/openai/v1/", "gpt-5", "apply_patch"],
    ["a model by the name of a gateway", OPENROUTER, "openai/gpt-5.1-codex", "apply_patch"],
    ["capitals", null, "GPT-4.1", "apply_patch"],
    ["a maker's name at a server of one's own", LOCAL, "gpt-5-mini", "apply_patch"],
    ["another maker's model at Anthropic", ANTHROPIC, "gpt-5", null],
    ["a gateway's free variant", OPENROUTER, "openai/gpt-5:free", null],
    ["a name that only begins like one", null, "gpt-5-foo", null],
    ["one that only begins like one, elsewhere", LOCAL, "gpt-5-foo", null],
    ["one that the catalogue finds by its beginning", null, "gpt-5-nano-foo", null],
    ["one of Anthropic's that only begins so", ANTHROPIC, "claude-sonnet-4-5-foo", null],
    ["a fine-tuned model", LOCAL, "ft:gpt-4o-mini-2024-07-18:acme", null],
    ["a model with a provider before it", LOCAL, "openai/gpt-5", null],
    ["a model of nobody", LOCAL, "my-model", null],
    ["an open model", LOCAL, "qwen3:8b", null],
    ["an empty name", LOCAL, "", null],
  ])("%s", (_what, url, name, tool) => {
    expect(lookUpModel(url, name)?.editTool ?? null).toBe(tool);
  });

  it.each<[string, string[]]>([
    ["gpt-5", ["minimal", "low", "medium", "high"]],
    ["gpt-5-codex", ["low", "medium", "high"]],
    ["gpt-5-pro", ["high"]],
    ["gpt-5.1-codex", ["low", "medium", "high"]],
    ["gpt-5.2", ["none", "low", "medium", "high", "xhigh"]],
    ["gpt-5.3-codex", ["low", "medium", "high", "xhigh"]],
    ["o3", ["low", "medium", "high"]],
    ["gpt-4.1", []],
    ["gpt-4o", []],
  ])("the efforts of %s", (name, efforts) => {
    expect(lookUpModel(null, name)?.efforts).toEqual(efforts);
  });
});
