import { afterEach, expect, it, vi } from "vitest";
import { keepLease } from "../../src/jobs/lease.ts";
import { silentLog } from "../support/log.ts";

afterEach(() => void vi.useRealTimers());

it.each([
  { ended: false, told: ["a job is given up here: it was taken over"] },
  { ended: true, told: [] },
])(
  "a renewal that is refused is told unless the attempt came to its end meanwhile ($ended)",
  async ({ ended, told }) => {
    vi.useFakeTimers();
    const renewed = Promise.withResolvers<boolean>();
    const warn = vi.fn();
    const renew = vi.fn(() => renewed.promise);
    const claims = { renew } as unknown as Parameters<typeof keepLease>[2]["claims"];
    const lease = keepLease({ id: "j1", fence: 1 }, performance.now(), {
      claims,
      log: { ...silentLog, warn },
    });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(renew).toHaveBeenCalledOnce();
    if (ended) lease.end();
    renewed.resolve(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(warn.mock.calls.map((call) => call[1])).toEqual(told);
    lease.end();
  },
);
