import { count } from "../messages/words.ts";

/** What was taken out of a text, counted by kind; never the text itself. */
export interface Tally {
  /** `noun` in the singular, such as "HTML comment". */
  add(noun: string, times?: number): void;
  /** The kinds with their numbers, in the order they were met: "2 HTML comments". */
  what(): string[];
}

/** A tally of nothing. */
export function createTally(): Tally {
  const counts = new Map<string, number>();
  return {
    add(noun, times = 1) {
      if (times > 0) counts.set(noun, (counts.get(noun) ?? 0) + times);
    },
    what: () => [...counts].map(([noun, times]) => count(times, noun)),
  };
}
