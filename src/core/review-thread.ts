import type { Remark } from "./ports.ts";
import type { Spot } from "./request.ts";

/** A thread of comments on lines of a pull request. */
export interface ReviewThread {
  /** Its first comment, by which it is answered. */
  id: number;
  /** By which it is resolved; null where the host tells none. */
  node: string | null;
  resolved: boolean;
  spot: Spot;
  /** Oldest first. */
  remarks: (Remark & { review: number | null })[];
}
