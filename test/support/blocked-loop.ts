/**
 * Loaded before a server (`--import`): on SIGUSR2 its event loop stands still for as many ms as
 * BLOCKED_MS says, as it does on a machine that gives it no time.
 */
const ms = Number(process.env.BLOCKED_MS);

process.on("SIGUSR2", () => {
  process.stdout.write("the loop stands still\n");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
});
