import { setTimeout as sleep } from "node:timers/promises";
import { createProvider } from "../adapters/openai/provider.ts";
import { lookUpModel } from "../adapters/prices.ts";
import { createProviderLine } from "../adapters/provider-line.ts";
import { checkOffer } from "../core/check-offer.ts";
import type { Clock } from "../core/clock.ts";
import { UserError } from "../core/errors.ts";
import type { PacedProvider, Provider } from "../core/model.ts";
import { type ModelOffer, OPENAI_URL } from "../core/model-offer.ts";
import type { Log } from "../core/ports.ts";
import { redactedProvider } from "../core/redacted-provider.ts";
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

/** Of this process, whatever the machine's clock is set to. */
export const MONOTONIC: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** The providers that are offered, by their ids; none of them is told our own secrets. */
export function openProviders(
  { providers }: ModelOffer,
  deps: {
    redact: (text: string) => string;
    log: Log;
    /** Comes between us and a provider. */
    wrap: (provider: Provider) => Provider;
  },
): Map<string, PacedProvider> {
  return new Map(
    providers.map((each) => {
      const { id, api, headers, settings } = each;
      const apiKey = each.key ?? undefined;
      const baseURL = each.baseUrl ?? OPENAI_URL;
      const provider = createProvider({
        ...{ id, api, headers, settings, apiKey, baseURL, log: deps.log },
      });
      const guarded = deps.wrap(redactedProvider(provider, deps.redact));
      return [id, createProviderLine(guarded, each, MONOTONIC)];
    }),
  );
}
