import { lookUpModel } from "../adapters/prices.ts";
import { checkOffer } from "../core/check-offer.ts";
import { UserError } from "../core/errors.ts";
import type { ModelOffer } from "../core/model-offer.ts";
import { type Resolved, resolveModel } from "../core/resolve-model.ts";

/** What is offered, with the catalogue behind it. */
export interface Models {
  offer: ModelOffer;
  resolve: (name: string) => Resolved;
}

/** What is wrong with what is offered, line by line. */
export function examineModels(offer: ModelOffer): string[] {
  return checkOffer(offer, (name) => resolveModel(name, offer, lookUpModel));
}

/** Joins what is offered to the catalogue. Throws UserError when a model could not be used as it is set up. */
export function openModels(offer: ModelOffer): Models {
  const problems = examineModels(offer);
  if (problems.length > 0) {
    throw new UserError(
      `Draftsmith cannot start:\n${problems.map((line) => `  ${line}`).join("\n")}`,
    );
  }
  return { offer, resolve: (name) => resolveModel(name, offer, lookUpModel) };
}
