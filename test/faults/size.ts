/** Whether the suite runs at its nightly size (`npm run test:faults:nightly`). */
export const nightly = process.env.DRAFTSMITH_TEST_NIGHTLY === "1";
