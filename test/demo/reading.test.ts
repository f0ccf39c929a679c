import { describe, expect, it } from "vitest";
import { boardRows, hasEnded } from "../../demo/progress.ts";
import { checkPassed } from "../../demo/proof.ts";
import { isTerminal, JOB_STATES, type VerifiedChange } from "../../src/core/job.ts";
import { renderBoard } from "../../src/core/messages/board.ts";
import { renderPull } from "../../src/core/messages/pull.ts";
import { repoConfigSchema } from "../../src/core/repo-config.ts";
import { aCommand, aJob } from "../support/store-rows.ts";

const command = aCommand("c1");
const config = repoConfigSchema.parse({ checks: ["node --test"] });

/** A pull request whose only check ended with this exit code. */
function pullBody(exitCode: number | null): string {
  const check = {
    command: "node --test",
    exitCode,
    stopped: null,
    durationMs: 900,
    deniedHosts: [],
  };
  const change: VerifiedChange = {
    commit: "c".repeat(40),
    parent: "a".repeat(40),
    tree: "d".repeat(40),
    files: [],
    evidence: [{ ...check, output: "| `node --test` said so | 0 |" }],
    deniedHosts: [],
    title: "Say it",
    summary: "It is `node --test`.",
    message: "Say it",
    limit: null,
    cautions: [],
    violations: [],
    excerpt: "",
  };
  const job = aJob("j1", command, { config, change });
  return renderPull({ command, job, change, headSha: change.commit, neighbours: [] });
}

describe("the demo reads what the server wrote", () => {
  it("rows of a board, and which of them have ended", () => {
    const jobs = JOB_STATES.map((state, at) =>
      aJob(`j${at}`, command, { number: at + 1, state, task: "a | b" }),
    );
    const rows = boardRows(renderBoard(command, jobs));
    expect(rows.map(hasEnded)).toEqual(JOB_STATES.map(isTerminal));
    expect(rows.map((row) => row.number)).toEqual(JOB_STATES.map((_, at) => String(at + 1)));
    expect(rows[0]?.task).toBe("a | b");
  });

  it("evidence that the checks passed, and none where they did not", () => {
    expect(checkPassed(pullBody(0))).toBe(true);
    expect(checkPassed(pullBody(1))).toBe(false);
    expect(checkPassed(pullBody(10))).toBe(false);
    expect(checkPassed(pullBody(null))).toBe(false);
    expect(checkPassed("All checks passed, `node --test` gave 0.")).toBe(false);
  });
});
