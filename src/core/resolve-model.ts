import { didYouMean } from "./did-you-mean.ts";
import { codeSpan } from "./markdown.ts";
import type { Catalogue, DeclaredModel, ModelOffer, ProviderSettings } from "./model-offer.ts";
import type { ModelProfile } from "./model-profile.ts";

/** Of a model that nobody told us more about. */
const WINDOW = 128_000;
const OUTPUT = 16_384;
const MAX_NAMES = 20;

/** What we know of a model that may be used, or why it may not: a sentence without its full stop. */
export type Resolved = { ok: true; profile: ModelProfile } | { ok: false; problem: string };

/** Finds a model by its name, or by `provider/name`. One whose price nobody knows is refused. */
export function resolveModel(name: string, offer: ModelOffer, catalogue: Catalogue): Resolved {
  const found = declared(name, offer, catalogue);
  if ("problem" in found) return { ok: false, problem: found.problem };
  const { model, provider } = found;
  const profile = profileOf(model, provider, catalogue);
  if (profile.price !== null) return { ok: true, profile };
  const remedy =
    offer.models === null
      ? name === offer.usual.model
        ? "set `DRAFTSMITH_PRICES` to its dollars per million tokens as input/cached/output, such as `1.25/0.125/10`, or to `unpriced`"
        : "list it in the server's `draftsmith.yml` with its `price`, or with `unpriced: true`"
      : "give its `price` in the server's `draftsmith.yml`, or `unpriced: true`";
  return {
    ok: false,
    problem: `nobody knows what the model ${codeSpan(name)} costs, so it is not used; ${remedy}`,
  };
}

function declared(
  name: string,
  { models, providers, usual, price }: ModelOffer,
  catalogue: Catalogue,
): { model: DeclaredModel; provider: ProviderSettings } | { problem: string } {
  const [only] = providers;
  if (models === null && only !== undefined) {
    const prefix = `${only.id}/`;
    // Some servers have such prefixes in their own names.
    const own = !name.startsWith(prefix) || catalogue(only.baseUrl, name) !== null;
    const id = own ? name : name.slice(prefix.length);
    const told = price !== null && [id, name].includes(usual.model) ? { price } : {};
    return { model: { name: id, provider: only.id, id, ...told }, provider: only };
  }
  const named =
    models?.find((model) => model.name === name) ??
    models?.find((model) => `${model.provider}/${model.name}` === name);
  const provider = providers.find(({ id }) => id === named?.provider);
  if (named && provider) return { model: named, provider };
  return { problem: unknown(name, models ?? []) };
}

function unknown(name: string, models: DeclaredModel[]): string {
  const names = models.map((model) => model.name);
  const meant = didYouMean(name.split("/").at(-1) ?? name, names);
  const hint = meant ? `; did you mean ${codeSpan(meant)}?` : ".";
  const rest = names.length > MAX_NAMES ? ", …" : "";
  const list = `${names.slice(0, MAX_NAMES).map(codeSpan).join(", ")}${rest}`;
  return `there is no model ${codeSpan(name)}${hint} The models here: ${list}`;
}

/** Fills in from the catalogue what the operator did not say. */
function profileOf(
  model: DeclaredModel,
  provider: ProviderSettings,
  catalogue: Catalogue,
): ModelProfile {
  const known = catalogue(provider.baseUrl, model.id);
  const told = model.contextWindow ?? known?.contextWindow;
  const contextWindow = told ?? WINDOW;
  return {
    name: model.name,
    provider: provider.id,
    id: model.id,
    contextWindow,
    ...(told === undefined && { windowGuessed: true as const }),
    // A reply that could fill the window would leave no room for a question.
    maxOutput:
      model.maxOutput ?? Math.min(known?.maxOutput ?? OUTPUT, Math.floor(contextWindow / 2)),
    price: model.price ?? known?.price ?? null,
    editTool: model.editTool ?? known?.editTool ?? "edit",
    efforts: model.efforts ?? known?.efforts ?? [],
  };
}
