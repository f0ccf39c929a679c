import type { Octokit } from "@octokit/rest";
import { toError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { failedWith } from "./http-failure.ts";
import { send, type Timing } from "./send.ts";

/**
 * Ends a token before its time (docs.github.com/rest/apps/installations#revoke-an-installation-access-token).
 * Never throws: a token that GitHub did not take back ends by itself within the hour.
 */
export function createRevoke(
  octokit: Octokit,
  deps: { timing: Timing; now: () => number; log: Log },
): (token: string) => Promise<void> {
  const { timing, log } = deps;
  // A pause is no reason to leave a token alive: what ends one creates nothing.
  const sending = { ...deps, timing: { ...timing, readMs: timing.revokeMs }, gate: null };
  let told = false;

  octokit.hook.wrap("request", (request, sent) => send(request, sent, sending));
  return async (token) => {
    try {
      const headers = { authorization: `token ${token}` };
      await octokit.request("DELETE /installation/token", { headers });
    } catch (thrown) {
      // 401: it has ended already.
      if (failedWith(thrown, 401)) return;
      if (!failedWith(thrown, 404, 405, 501)) {
        log.warn({ reason: toError(thrown).message }, "a token was not revoked; it ends by itself");
      } else if (!told) {
        told = true;
        log.warn({}, "this GitHub host does not revoke tokens; they end by themselves");
      }
    }
  };
}
