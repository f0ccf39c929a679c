import type { GitHubStandIn } from "./github/start.ts";
import { botLogin, type Change } from "./github/state.ts";
import { boardRows, hasEnded } from "./progress.ts";

/** After the last job has ended, the board and the pull requests are still told of their neighbours (ms). */
const QUIET_MS = 1500;

/** What was seen from the comment to the end; times in ms since `startedAt`. */
export interface Seen {
  board: string;
  eyesMs: number | null;
  boardMs: number;
  endMs: number;
}

/**
 * Waits until every row of the board has ended and all is quiet. Throws the signal's reason, or what the
 * App answered when it answered something other than a board.
 */
export function watchCommand(
  github: GitHubStandIn,
  issue: number,
  startedAt: number,
  show: (board: string) => void,
  signal: AbortSignal,
): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const seen: Seen = { board: "", eyesMs: null, boardMs: 0, endMs: 0 };
    let quiet: NodeJS.Timeout | undefined;
    const stopListening = github.onChange(see);
    signal.addEventListener("abort", aborted);

    function end(settle: () => void): void {
      clearTimeout(quiet);
      stopListening();
      signal.removeEventListener("abort", aborted);
      settle();
    }

    function aborted(): void {
      end(() => reject(signal.reason));
    }

    function see(change: Change): void {
      const now = Date.now() - startedAt;
      if (change.kind === "reaction") seen.eyesMs ??= now;
      if (change.kind === "comment_created" || change.kind === "comment_edited") {
        const { author, body, issue: where } = change.comment;
        if (author !== botLogin(github.state) || where !== issue) return;
        if (boardRows(body).length === 0) {
          end(() => reject(new Error(`the App answered: ${body}`)));
          return;
        }
        seen.board = body;
        seen.boardMs ||= now;
        show(body);
      }
      const rows = boardRows(seen.board);
      if (rows.length === 0 || !rows.every(hasEnded)) return;
      seen.endMs ||= now;
      clearTimeout(quiet);
      quiet = setTimeout(() => end(() => resolve(seen)), QUIET_MS);
    }
  });
}
