import { expect, it } from "vitest";
import { createOutlet } from "../../../../src/adapters/sandbox/network/outlet.ts";

/** An outlet whose look-ups wait for a word, with the names that were looked up. */
function held() {
  const looked: string[] = [];
  const word = Promise.withResolvers<void>();
  const outlet = createOutlet(["*.example.org"], {
    lookup: async (name) => {
      looked.push(name);
      await word.promise;
      return [];
    },
    connect: () => Promise.reject(new Error("nothing is connected to here")),
  });
  return { outlet, looked, answer: word.resolve };
}

const names = (count: number) => Array.from({ length: count }, (_, at) => `n${at}.example.org`);

it("looks nothing up any more for a command that has ended", async () => {
  const { outlet, looked, answer } = held();
  const dialled = names(50).map((name) => outlet.dial(name, 443));
  outlet.end();
  answer();
  for (const each of await Promise.all(dialled)) expect(each.status).toBe("failed");
  expect(looked.length).toBeLessThanOrEqual(1);
});

it("keeps no more names waiting than a command can hold connections", async () => {
  const { outlet, looked, answer } = held();
  const dialled = names(1000).map((name) => outlet.dial(name, 443));
  answer();
  await Promise.all(dialled);
  expect(looked).toHaveLength(256);
});
