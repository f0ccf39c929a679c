import { readFile } from "node:fs/promises";
import path from "node:path";
import type { KillSwitch } from "../core/ports.ts";

/** Characters of the reason that people are shown. */
const MAX_REASON = 300;

/**
 * The operator's emergency stop: while a file `paused` is in the data directory nothing starts and
 * nothing is published. What it says is the reason that people are told.
 */
export function createKillSwitch(dataDir: string): KillSwitch {
  const file = path.join(dataDir, "paused");
  return {
    async paused() {
      try {
        const words = (await readFile(file, "utf8")).replace(/[\p{Cc}\s]+/gu, " ").trim();
        return words.slice(0, MAX_REASON) || "no reason is given";
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
        // Something lies there: who put it there wanted it to stop.
        return "no reason can be read";
      }
    },
  };
}
