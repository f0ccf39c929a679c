/** An expected failure whose message may be shown to the person who asked. */
export class UserError extends Error {
  override name = "UserError";
}

/** A failure that may pass: the same act can be tried again at `retryAt` (ms since the epoch) or later. */
export class TransientError extends Error {
  override name = "TransientError";
  readonly retryAt: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAt?: number } = {}) {
    super(message, { cause: options.cause });
    this.retryAt = options.retryAt;
  }
}

/** Anything that was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
