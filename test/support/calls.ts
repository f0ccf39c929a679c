import type { Caps, NewCall } from "../../src/core/ledger.ts";

/** Nothing is bounded but what is named. */
export function caps(some: Partial<Caps> = {}): Caps {
  return {
    call: null,
    job: null,
    command: null,
    personDay: null,
    repositoryDay: null,
    repositoryMonth: null,
    installationMonth: null,
    operatorMonth: null,
    ...some,
  };
}

/** A call of job `jobId` of command "c1" whose worst case is 1,000 + 10 × `wanted` micro-dollars. */
export function aCall(id: string, jobId: string, more: Partial<NewCall> = {}): NewCall {
  return {
    id,
    jobId,
    fence: 1,
    commandId: "c1",
    actorId: 5,
    repoId: 4_000_000_001,
    installationId: 7,
    skill: "refactor",
    step: 1,
    provider: "openai",
    model: "gpt-5",
    rule: "default",
    price: { input: 1, cached: 0.1, output: 10 },
    promptTokens: 1_000,
    wanted: 400,
    least: 100,
    ...more,
  };
}

/** How a call ended that cost `microDollars`. */
export function answered(microDollars: number | null) {
  return {
    kind: "answered",
    inputTokens: 900,
    cachedTokens: 500,
    outputTokens: 40,
    reasoningTokens: 10,
    microDollars,
    latencyMs: 1_200,
    requestId: "req_1",
  } as const;
}
