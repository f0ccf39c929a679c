import { checkChoice, choicesOf } from "./choose-route.ts";
import { codeSpan } from "./markdown.ts";
import { nameText } from "./messages/words.ts";
import type { ModelOffer } from "./model-offer.ts";
import type { Resolved } from "./resolve-model.ts";

/**
 * What is wrong with the models that an operator set up, once a catalogue told what it knows: lines with
 * their places, such as `draftsmith.yml:12: …`.
 */
export function checkOffer(offer: ModelOffer, resolve: (name: string) => Resolved): string[] {
  const problems: string[] = [];
  const check = (place: string, resolved: Resolved) => {
    if (!resolved.ok) problems.push(`${place}: ${resolved.problem}`);
  };
  const unusable = new Set<string>();
  for (const [at, model] of (offer.models ?? []).entries()) {
    const resolved = resolve(`${model.provider}/${model.name}`);
    if (!resolved.ok) unusable.add(model.name).add(`${model.provider}/${model.name}`);
    check(offer.placeOf(["models", at]), resolved);
  }
  // What is wrong with a model itself is told once, where it is listed.
  const isTold = (name: string) => unusable.has(name);
  if (!isTold(offer.usual.model)) {
    const usual = checkChoice(offer.usual, resolve);
    const [first] = offer.models ?? [];
    if (!usual.ok && offer.usualIn === "nowhere" && first !== undefined) {
      problems.push(
        `${offer.placeOf(["models"])}: \`models\` is a list without ${codeSpan(offer.usual.model)}, so \`default\` has to say which one jobs use that no rule chooses for; add \`default: {model: ${nameText(first.name)}}\``,
      );
    } else check(usualPlace(offer), usual);
  }
  for (const [at, rule] of offer.routes.entries()) {
    for (const { path, choice } of choicesOf(rule)) {
      if (isTold(choice.model)) continue;
      check(offer.placeOf(["routes", at, ...path]), checkChoice(choice, resolve));
    }
  }
  return [...new Set(problems)];
}

/** Where the default model is named. */
function usualPlace({ usualIn, placeOf }: ModelOffer): string {
  return usualIn === "file" ? placeOf(["default", "model"]) : "DRAFTSMITH_MODEL";
}
