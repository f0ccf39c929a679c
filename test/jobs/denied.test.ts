import { expect, it } from "vitest";
import type { JobEvent } from "../../src/core/event.ts";
import { deniedDuring } from "../../src/jobs/denied.ts";

const ran = (command: string, ...deniedHosts: string[]): JobEvent => ({
  type: "evidence",
  evidence: { command, exitCode: 0, stopped: null, durationMs: 1, output: "", deniedHosts },
});
const called = (...deniedHosts: string[]): JobEvent => ({
  type: "tool_finished",
  step: 1,
  callId: "c",
  message: { role: "tool", callId: "c", content: "" },
  ...(deniedHosts.length > 0 && { deniedHosts }),
});

it("gathers what setup and agent were refused since the workspace was opened; checks speak for themselves", () => {
  const events: JobEvent[] = [
    called("old.example.org:443"),
    { type: "opened", sha: "a".repeat(40) },
    ran("npm ci", "b.example.org:443"),
    called("c.example.org:443", "a.example.org:80"),
    called(),
    ran("npm test", "check.example.org:443"),
    called("a.example.org:80"),
  ];
  expect(deniedDuring(events, ["npm ci"])).toEqual([
    "a.example.org:80",
    "b.example.org:443",
    "c.example.org:443",
  ]);
});

it("reads events of a time when nothing was named", () => {
  const old = ran("npm ci");
  const { evidence } = old as Extract<JobEvent, { type: "evidence" }>;
  Reflect.deleteProperty(evidence, "deniedHosts");
  expect(deniedDuring([old], ["npm ci"])).toEqual([]);
});
