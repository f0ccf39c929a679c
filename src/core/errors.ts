/** An expected failure whose message may be shown to the person who asked. */
export class UserError extends Error {
  override name = "UserError";
}

/** The App may do nothing in a repository: its installation is suspended, or is not there (any more). */
export class NoInstallation extends UserError {
  override name = "NoInstallation";
  readonly state: "suspended" | "absent";

  constructor(state: "suspended" | "absent", message: string) {
    super(message);
    this.state = state;
  }
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

/** No model of a job's route answered. */
export class NoReply extends TransientError {
  override name = "NoReply";
  /** Why, as their servers told it last; null where none was asked. */
  readonly said: string | null;

  constructor(message: string, said: string | null, options: { retryAt?: number } = {}) {
    super(message, options);
    this.said = said;
  }
}

/** The database cannot be used now: nothing is wrong with whatever wanted to. */
export class StoreFailure extends TransientError {
  override name = "StoreFailure";
}

/** GitHub wants the installation to make no call before `retryAt`. */
export class RateLimited extends TransientError {
  override name = "RateLimited";
  /** Whether GitHub itself named the time. */
  readonly stated: boolean;
  /** Whether too many calls came at once, rather than in the hour. */
  readonly secondary: boolean;

  constructor(message: string, limit: { retryAt: number; stated: boolean; secondary: boolean }) {
    super(message, { retryAt: limit.retryAt });
    this.stated = limit.stated;
    this.secondary = limit.secondary;
  }
}

/** Another attempt holds the job: whatever this one still does must not count. */
export class LostLease extends Error {
  override name = "LostLease";
}

/** Somebody stopped the job. */
export class StoppedByPerson extends Error {
  override name = "StoppedByPerson";

  /** `reason` is for the board. */
  constructor(reason: string) {
    super(reason);
  }
}

/** Anything that was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
