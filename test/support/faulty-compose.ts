// Stands where src/main.ts expects compose: the same, with failpoints between ports and adapters.
import { compose as composeReal } from "../../src/compose/compose.ts";
import { createFailpoints, type Fault } from "./failpoints.ts";

const failpoints = createFailpoints(process.env.FAULTS_RECORD ?? null);
failpoints.arm(JSON.parse(process.env.FAULTS ?? "[]") as Fault[]);
process.on("message", (faults) => {
  failpoints.arm(faults as Fault[]);
  process.send?.("armed");
});
process.channel?.unref();
// Nothing of a test outlives it.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

export const compose: typeof composeReal = (config) => composeReal(config, failpoints.wrap);
