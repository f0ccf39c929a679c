import { hostList } from "../core/denied-hosts.ts";
import type { JobEvent } from "../core/event.ts";

/** Hosts that the setup and the agent's commands were refused since the workspace was opened. */
export function deniedDuring(events: JobEvent[], setup: string[]): string[] {
  const opened = events.findLastIndex((event) => event.type === "opened");
  return hostList(
    events.slice(opened + 1).flatMap((event) => {
      if (event.type === "tool_finished") return event.deniedHosts ?? [];
      const ofSetup = event.type === "evidence" && setup.includes(event.evidence.command);
      return ofSetup ? (event.evidence.deniedHosts ?? []) : [];
    }),
  );
}
