import { existsSync, readFileSync } from "node:fs";

/**
 * Loaded before a server (`--import`): its wall clock is off by as many ms as the file SHIFTED_CLOCK
 * holds, from the moment the file changes. The monotonic clock goes on as it is.
 */
const file = process.env.SHIFTED_CLOCK ?? "";
const real = Date.now;
let shift = 0;
let lookedAt = Number.NEGATIVE_INFINITY;

function now(): number {
  if (performance.now() - lookedAt > 20) {
    lookedAt = performance.now();
    shift = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  }
  return real() + shift;
}

class ShiftedDate extends Date {
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) super(now());
    else super(given[0]);
  }
  static override now(): number {
    return now();
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
