import type { Budgets } from "./budgets.ts";
import type { ModelProfile, Price } from "./model-profile.ts";
import type { ModelChoice } from "./route.ts";
import type { RouteRule } from "./route-rules.ts";

/** Where OpenAI's own API is. */
export const OPENAI_URL = "https://api.openai.com/v1";

/** A server of models as the operator set it up. */
export interface ProviderSettings {
  id: string;
  /** Null: OpenAI's own. */
  baseUrl: string | null;
  /** Null: it needs none, or this process asks no models. */
  key: string | null;
  api: "chat" | "responses";
  /** Sent with each request. */
  headers: Record<string, string>;
  /** Requests at the same time; null: no bound. */
  concurrency: number | null;
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
  /** What messages call the settings that an operator may have to mend. */
  settings: { key: string; baseURL: string; model: string };
}

/** A model as the operator named it; what is absent is the catalogue's, else a cautious guess. */
export interface DeclaredModel {
  name: string;
  provider: string;
  id: string;
  contextWindow?: number;
  maxOutput?: number;
  price?: Price | "unpriced";
  editTool?: ModelProfile["editTool"];
  efforts?: string[];
}

/** What the operator offers to repositories and persons. */
export interface ModelOffer {
  providers: ProviderSettings[];
  /** Null: any model of the one provider there is. */
  models: DeclaredModel[] | null;
  /** Of the default model, where there is no list of models; null: the catalogue's. */
  price: Price | "unpriced" | null;
  /** What a job uses that no rule chooses for. */
  usual: ModelChoice;
  /** Where that is named; nowhere: it is the one that is used when nobody says another. */
  usualIn: "file" | "environment" | "nowhere";
  routes: RouteRule[];
  budgets: Budgets;
  /** Where a setting stands, such as `draftsmith.yml:12`, by its path in that file. */
  placeOf: (path: PropertyKey[]) => string;
}

/** What a catalogue of models knows of one; what it does not know is absent. */
export interface CatalogueEntry {
  price: Price | null;
  contextWindow?: number;
  maxOutput?: number;
  editTool: ModelProfile["editTool"];
  efforts: string[];
}

/** Looks a model up by its provider's URL (null: OpenAI's) and the name that provider knows it by; null: unknown. */
export type Catalogue = (baseUrl: string | null, id: string) => CatalogueEntry | null;
