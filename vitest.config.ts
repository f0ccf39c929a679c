import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { nightly } from "./test/faults/size.ts";

/** Tests of what may lie in either database run once on each; those that add least, only at night. */
const ON_BOTH = [
  "test/adapters/store/contract/*.test.ts",
  "test/adapters/queue/*.test.ts",
  "test/faults/{kill-points,kill-random,deliveries,steps}.test.ts",
  ...(nightly ? ["test/e2e/{restart,steps}.test.ts", "test/faults/{comeback,poison}.test.ts"] : []),
];

/** Compiled code of processes that tests start: a quarter of what those compute is compiling the same files again. */
const COMPILED = fileURLToPath(new URL("node_modules/.cache/draftsmith-tests", import.meta.url));

export default defineConfig({
  test: {
    env: { NODE_COMPILE_CACHE: COMPILED },
    globalSetup: ["test/support/remove-groups.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    restoreMocks: true,
    // Most of a test is waiting for processes.
    maxWorkers: 4,
    projects: [
      { extends: true, test: { name: "SQLite", include: ["test/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "PostgreSQL",
          include: ON_BOTH,
          env: { DRAFTSMITH_TEST_STORE: "postgres" },
        },
      },
    ],
  },
});
