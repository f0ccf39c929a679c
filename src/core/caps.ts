import type { Caps } from "./ledger.ts";

/** Caps from the narrowest to the widest. */
export const CAP_NAMES = [
  "call",
  "job",
  "command",
  "personDay",
  "repositoryDay",
  "repositoryMonth",
  "installationMonth",
  "operatorMonth",
] as const satisfies (keyof Caps)[];

/** What is used of a cap, in micro-dollars. */
export interface CapUse {
  cap: keyof Caps;
  spent: number;
  limit: number;
}

const DAY_MS = 24 * 60 * 60_000;

/** When the UTC day and the UTC month of a time began, all in ms since the epoch. */
export function periodsOf(at: number): { day: number; month: number } {
  const date = new Date(at);
  return {
    day: Math.floor(at / DAY_MS) * DAY_MS,
    month: Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1),
  };
}

/** The cap with the least room, of several the narrowest; null when there is none. */
export function tightest(uses: CapUse[]): CapUse | null {
  const room = ({ limit, spent }: CapUse) => limit - spent;
  return uses.reduce<CapUse | null>(
    (least, use) => (least === null || room(use) < room(least) ? use : least),
    null,
  );
}
