/** Time that only goes forward, in ms, and a way to let some of it pass; rejects when `signal` aborts. */
export interface Clock {
  now(): number;
  wait(ms: number, signal: AbortSignal): Promise<void>;
}
