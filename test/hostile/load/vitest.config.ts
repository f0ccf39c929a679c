import { defineConfig } from "vitest/config";

/** A busy machine takes several times as long. */
const PATIENCE = 6;

export default defineConfig({
  test: {
    include: ["test/hostile/*.test.ts"],
    globalSetup: ["test/support/remove-groups.ts", "test/hostile/load/busy.ts"],
    reporters: ["./test/hostile/reporter.ts"],
    env: { DRAFTSMITH_TEST_PATIENCE: String(PATIENCE) },
    testTimeout: 30_000 * PATIENCE,
    hookTimeout: 30_000 * PATIENCE,
    restoreMocks: true,
  },
});
