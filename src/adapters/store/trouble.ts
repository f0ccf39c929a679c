import { StoreFailure, toError } from "../../core/errors.ts";
import { storeTrouble } from "../../core/store-trouble.ts";

/** How soon to try again what the database could not take, in ms. */
const RETRY_MS = 10_000;

/**
 * The same store, whose failures say what is wrong with the database, and that they may pass. Once it
 * was found damaged nothing is read or written any more: what is there can only become worse.
 */
export function toldTrouble<T extends object>(store: T): T {
  let damaged: StoreFailure | null = null;

  function known(thrown: unknown): unknown {
    const error = toError(thrown);
    const trouble = storeTrouble(error);
    if (trouble === null) return thrown;
    const failure = new StoreFailure(
      `the server's database cannot be used: ${trouble.words}; ${trouble.remedy}`,
      { cause: error, retryAt: Date.now() + RETRY_MS },
    );
    if (trouble.kind === "damaged") damaged ??= failure;
    return failure;
  }

  return new Proxy(store, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== "function") return method;
      return async (...given: unknown[]) => {
        if (damaged !== null && name !== "close") throw damaged;
        try {
          return await Reflect.apply(method, target, given);
        } catch (thrown) {
          throw known(thrown);
        }
      };
    },
  });
}
