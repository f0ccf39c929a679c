import { createProgress } from "./progress.ts";
import { prove } from "./proof.ts";
import { printOutcome, printProofs } from "./report.ts";
import { REPOSITORY, type Scene, setScene } from "./scene.ts";
import { watchCommand } from "./watch.ts";

const COMMAND = `/codex
- refactor auth to use JWT instead of sessions
- write unit tests for the payment function
- document the public API`;

const SCRIPTED_LIMIT_MS = 80_000;
const REAL_LIMIT_MS = 20 * 60_000;
const LOG_LINES = 60;

/** Plays the demo; the exit code says whether everything stood at the end. */
async function main(): Promise<number> {
  const keep = process.argv.includes("--keep");
  const realModel = Boolean(process.env.OPENAI_API_KEY);
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => interrupt.abort(new Error(`stopped by ${name}`)));
  }
  // A reader that goes away (`| head`) ends the demo as an interrupt would, with everything cleaned up.
  process.stdout.on("error", (error) => interrupt.abort(error));
  const limitMs = realModel ? REAL_LIMIT_MS : SCRIPTED_LIMIT_MS;
  const limit = setTimeout(() => {
    interrupt.abort(new Error(`not done within ${limitMs / 1000} s`));
  }, limitMs);
  const scene = await setScene({ realModel, keep });
  try {
    await play(scene, interrupt.signal);
    return 0;
  } catch (error) {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : error}`);
    console.error(`\nThe end of the server's log:\n${await scene.product.logTail(LOG_LINES)}`);
    return 1;
  } finally {
    clearTimeout(limit);
    await scene.close();
    if (keep) say(`Kept: ${scene.directory}`);
  }
}

async function play(scene: Scene, signal: AbortSignal): Promise<void> {
  const { github, product, scriptedModel } = scene;
  say(
    `GitHub's stand-in: ${github.url}. Model: ${scriptedModel?.url ?? "the one of OPENAI_API_KEY"}.`,
  );
  await product.ready(signal);
  github.hook.url = `${product.url}/api/github/webhooks`;
  say(`npm start serves at ${product.url}.\n`);
  say(`On issue #1 of harbour/${REPOSITORY}, maintainer writes:\n`);
  say(`${COMMAND.replace(/^/gm, "    ")}\n`);

  const startedAt = Date.now();
  const show = createProgress(process.stdout, startedAt);
  const [seen, said] = await Promise.all([
    watchCommand(github, 1, startedAt, show, signal),
    github.comment({ repository: REPOSITORY, issue: 1, login: "maintainer", body: COMMAND }),
  ]);
  await printOutcome(github, seen.board);
  const proofs = await prove(scene, said);
  printProofs(proofs);
  const seconds = (ms: number | null) => (ms === null ? "never" : `${(ms / 1000).toFixed(1)} s`);
  say(
    `\nFrom the comment to 👀 ${seconds(seen.eyesMs)}, to the board ${seconds(seen.boardMs)}, to the end ${seconds(seen.endMs)}.`,
  );
  const missing = proofs.filter((proof) => !proof.holds).length;
  if (missing > 0) throw new Error(`${missing} of ${proofs.length} do not hold`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await main();
