import type { DeclaredModel, ModelOffer, ProviderSettings } from "../core/model-offer.ts";
import type { Price } from "../core/model-profile.ts";
import type { OperatorConfig } from "../core/operator-config.ts";
import { OPERATOR_FILE as NAME, type OperatorFile } from "./operator-file.ts";

/** A variable that holds a key or the value of a header. */
interface Secret {
  variable: string;
  value: string;
}

/** What stands in the environment about models, when the file does not say otherwise. */
export interface ModelEnvironment {
  /** Of any variable. */
  valueOf: (variable: string) => string | undefined;
  /** Variables that hold other things than keys of models. */
  reserved: readonly string[];
  key: string | undefined;
  baseUrl: string | undefined;
  api: ProviderSettings["api"] | undefined;
  model: string | undefined;
  price: ModelOffer["price"];
  usualModel: string;
  /** Whether this process asks models, and so needs their keys. */
  asks: boolean;
}

/** Joins the file and the environment to what is offered; what does not fit together is told, line by line. */
export function offerOf(
  file: OperatorFile | null,
  env: ModelEnvironment,
): { offer: ModelOffer; secrets: Secret[]; problems: string[]; warnings: string[] } {
  const config = file?.config;
  const placeOf = file?.placeOf ?? (() => NAME);
  const problems: string[] = [];
  const secrets: Secret[] = [];
  const wrong = (place: PropertyKey[], text: string) => problems.push(`${placeOf(place)}: ${text}`);

  const secretOf = (variable: string, place: PropertyKey[]): string | null => {
    if (env.reserved.includes(variable)) {
      wrong(
        place,
        `names ${variable}, which is another secret of this server; use a variable of its own`,
      );
      return null;
    }
    const value = env.valueOf(variable);
    if (value === undefined || value === "") {
      if (env.asks)
        wrong(
          place,
          `names the variable ${variable}, which is not set; set it, or leave this line out`,
        );
      return null;
    }
    if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) {
      wrong(
        place,
        `names the variable ${variable}, whose value cannot be sent in a header; it must be one line of plain ASCII`,
      );
      return null;
    }
    secrets.push({ variable, value });
    return value;
  };

  const providers = (config?.providers ?? []).map((each, at): ProviderSettings => {
    const place = ["providers", at];
    if (config?.providers?.findIndex(({ id }) => id === each.id) !== at) {
      wrong([...place, "id"], `there is another provider \`${each.id}\`; give it another id`);
    }
    const headers = Object.entries(each.headers).flatMap(([name, value]) => {
      if (typeof value === "string") return [[name, value] as const];
      const told = secretOf(value.env, [...place, "headers", name]);
      return told === null ? [] : [[name, told] as const];
    });
    const baseUrl = each.base_url ?? null;
    return {
      id: each.id,
      baseUrl,
      key: each.key === undefined ? null : secretOf(each.key, [...place, "key"]),
      api: each.api ?? usualApi(baseUrl),
      headers: Object.fromEntries(headers),
      concurrency: each.concurrency ?? null,
      requestsPerMinute: each.requests_per_minute ?? null,
      tokensPerMinute: each.tokens_per_minute ?? null,
      settings: {
        key: each.key ?? `\`key\` of ${each.id} in ${NAME}`,
        baseURL: `\`base_url\` of ${each.id} in ${NAME}`,
        model: `\`models\` in ${NAME}`,
      },
    };
  });
  const warnings: string[] = [];
  if (config?.providers) {
    const idle = [
      ...(env.baseUrl === undefined ? [] : ["OPENAI_BASE_URL"]),
      ...(env.api === undefined ? [] : ["OPENAI_API"]),
    ];
    if (idle.length > 0) warnings.push(withoutEffect(idle, "the providers"));
  } else {
    const baseUrl = env.baseUrl ?? null;
    providers.push({
      id: "default",
      baseUrl,
      key: env.key ?? null,
      api: env.api ?? usualApi(baseUrl),
      headers: {},
      concurrency: null,
      requestsPerMinute: null,
      tokensPerMinute: null,
      settings: { key: "OPENAI_API_KEY", baseURL: "OPENAI_BASE_URL", model: "DRAFTSMITH_MODEL" },
    });
    if (env.key !== undefined) secrets.push({ variable: "OPENAI_API_KEY", value: env.key });
  }
  const models = declaredModels(config, providers, wrong);
  if (models === null && providers.length > 1) {
    wrong(
      ["providers"],
      "there are several providers, so `models` has to list which model is whose; add it",
    );
  }
  const usual = config?.default
    ? { model: config.default.model, effort: config.default.effort ?? null }
    : { model: env.usualModel, effort: null };
  if (config?.default && env.model !== undefined && env.model !== config.default.model) {
    warnings.push(withoutEffect(["DRAFTSMITH_MODEL"], "the default model"));
  }
  if (config?.models && env.price !== null) {
    warnings.push(withoutEffect(["DRAFTSMITH_PRICES"], "the models, and may name their prices"));
  }
  const offer: ModelOffer = {
    providers,
    models,
    price: env.price,
    usual,
    usualIn: config?.default ? "file" : env.model === undefined ? "nowhere" : "environment",
    routes: config?.routes ?? [],
    budgets: config?.budgets ?? {},
    placeOf,
  };
  return { offer, secrets, problems, warnings };
}

/** A warning of settings that the file wins over. */
function withoutEffect(names: string[], named: string): string {
  const [have, them] = names.length === 1 ? ["has", "it"] : ["have", "them"];
  return `${names.join(" and ")} ${have} no effect, as ${NAME} names ${named}; remove ${them}`;
}

/** At OpenAI only Responses keeps a model's reasoning from step to step; other servers mostly speak Chat Completions. */
function usualApi(baseUrl: string | null): ProviderSettings["api"] {
  return baseUrl === null || URL.parse(baseUrl)?.hostname === "api.openai.com"
    ? "responses"
    : "chat";
}

function declaredModels(
  config: OperatorConfig | undefined,
  providers: ProviderSettings[],
  wrong: (place: PropertyKey[], text: string) => void,
): DeclaredModel[] | null {
  const models = config?.models;
  if (models === undefined) return null;
  return models.map((each, at) => {
    const place = ["models", at];
    if (models.findIndex(({ name }) => name === each.name) !== at) {
      wrong(
        [...place, "name"],
        `there is another model \`${each.name}\`; give it another name, and its provider's name for it as \`id\``,
      );
    }
    const ids = [...new Set(providers.map(({ id }) => id))];
    const provider = each.provider ?? (ids.length === 1 ? ids[0] : undefined);
    if (provider === undefined) {
      wrong(
        [...place, "name"],
        `the model \`${each.name}\` needs a \`provider\`: one of ${ids.join(", ")}`,
      );
    } else if (!ids.includes(provider)) {
      wrong(
        [...place, "provider"],
        `there is no provider \`${provider}\`; there are: ${ids.join(", ")}`,
      );
    }
    const { price } = each;
    return {
      name: each.name,
      provider: provider ?? "",
      id: each.id ?? each.name,
      ...(each.context_window === undefined ? {} : { contextWindow: each.context_window }),
      ...(each.max_output === undefined ? {} : { maxOutput: each.max_output }),
      ...(each.unpriced ? { price: "unpriced" as const } : {}),
      ...(price ? { price: toPrice(price) } : {}),
      ...(each.edit_tool === undefined ? {} : { editTool: each.edit_tool }),
      ...(each.efforts === undefined ? {} : { efforts: each.efforts }),
    };
  });
}

function toPrice({
  input,
  cached = input,
  output,
  cache_write: cacheWrite,
}: NonNullable<NonNullable<OperatorConfig["models"]>[number]["price"]>): Price {
  return { input, cached, output, ...(cacheWrite !== undefined && { cacheWrite }) };
}
