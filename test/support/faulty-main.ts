// The server's own entry, with failpoints: FAULTS arms some from the start, messages from the parent
// later, FAULTS_RECORD names the file that tells which were passed.
import { registerHooks } from "node:module";

const MAIN = new URL("../../src/main.ts", import.meta.url).href;
const COMPOSE = new URL("./faulty-compose.ts", import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    next(
      specifier === "./compose/compose.ts" && context.parentURL === MAIN ? COMPOSE : specifier,
      context,
    ),
});
await import(MAIN);
