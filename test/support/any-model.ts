import type { ModelOffer } from "../../src/core/model-offer.ts";
import type { Resolved } from "../../src/core/resolve-model.ts";

/** A server that has every model, at no price. */
export function anyModel(usual = "gpt-5-mini"): {
  offer: ModelOffer;
  resolve: (name: string) => Resolved;
} {
  const offer: ModelOffer = {
    providers: [
      {
        id: "default",
        baseUrl: "http://127.0.0.1:1/v1",
        key: null,
        api: "chat",
        headers: {},
        concurrency: null,
        requestsPerMinute: null,
        tokensPerMinute: null,
        settings: { key: "OPENAI_API_KEY", baseURL: "OPENAI_BASE_URL", model: "DRAFTSMITH_MODEL" },
      },
    ],
    models: null,
    price: "unpriced",
    usual: { model: usual, effort: null },
    usualIn: "environment",
    routes: [],
    budgets: {},
    placeOf: () => "draftsmith.yml:1",
  };
  const resolve = (name: string): Resolved => ({
    ok: true,
    profile: {
      name,
      provider: "default",
      id: name,
      contextWindow: 128_000,
      maxOutput: 16_384,
      price: "unpriced",
      editTool: "edit",
      efforts: ["low", "medium", "high"],
    },
  });
  return { offer, resolve };
}
