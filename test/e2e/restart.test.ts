import { expect, test } from "vitest";
import type { Fault, RecordedRequest } from "../../demo/github/serve.ts";
import { plays, startWorld, type World } from "../support/world.ts";

const write = (path: string, content: string) => ({ name: "write", arguments: { path, content } });
const script = {
  "do it": {
    calls: [write("a.txt", "a\n"), write("b.txt", "b\n"), write("c.txt", "c\n")],
    report: "Write three files\n\nAs asked.",
  },
};

test("after kill -9 in the middle of a reply the job goes on there, and pays for no finished reply twice", {
  timeout: 60_000,
}, async () => {
  const play = plays(script);
  let world: World | null = null;
  let killed = false;
  world = await startWorld({
    model: async (request, number) => {
      if (number === 3 && !killed) {
        killed = true;
        await world?.stop("SIGKILL");
        await world?.start();
      }
      return play(request);
    },
  });
  await world.say("/codex do it");
  await world.ended();
  expect(killed).toBe(true);
  expect(world.answers()).toHaveLength(1);
  expect(world.pulls()).toHaveLength(1);
  const [pull] = world.pulls();
  expect(await world.show(`${pull?.head}:c.txt`)).toBe("c");
  // Four replies; the one that was under way is asked for once more, with the very same words.
  const asked = world.model.requests.map((request) => JSON.stringify(request.body.messages));
  expect(asked).toHaveLength(5);
  expect(asked[3]).toBe(asked[2]);
});

test.each(["git/commits", "git/refs", "pulls"])(
  "after kill -9 when GitHub had done POST %s and nobody had heard of it, nothing stands twice",
  { timeout: 60_000 },
  async (path) => {
    let world: World | null = null;
    let killed = false;
    const fault = async (request: RecordedRequest): Promise<Fault | undefined> => {
      if (killed || request.method !== "POST" || !request.path.endsWith(`/shop/${path}`)) return;
      killed = true;
      // The request takes effect while the process that sent it is gone.
      await world?.stop("SIGKILL");
      setImmediate(() => void world?.start());
      return { when: "after", answer: "drop" };
    };
    world = await startWorld({ model: plays(script), fault });
    await world.say("/codex do it");
    await world.ended();
    expect(killed).toBe(true);
    expect(world.answers()).toHaveLength(1);
    expect(world.pulls()).toHaveLength(1);
    expect(world.model.requests).toHaveLength(4);
  },
);

test("a second server on the same data directory is refused with the remedy", {
  timeout: 60_000,
}, async () => {
  const world = await startWorld({ model: plays(script) });
  await expect(world.start()).rejects.toThrow(/another Draftsmith server is using.*DATA_DIR/);
});
