// What it costs to keep the files of a step, beside an empty command in the same sandbox, side by side in
// one run. `node bench/steps.ts [rounds] [files]`
import { makeGitWorld } from "../test/support/git-world.ts";

const rounds = Number(process.argv[2] ?? 20);
const files = Number(process.argv[3] ?? 30);
const world = await makeGitWorld();
try {
  const { git } = world;
  const { repo, remote } = world.repository();
  const names = Array.from({ length: files }, (_, at) => [
    `src/${at}.ts`,
    `export const a = ${at};\n`,
  ]);
  const parent = remote.commit(Object.fromEntries(names));
  const workspace = await world.open(repo, parent, "bench");
  const request = { workspace, repo, parent, known: null, maxBytes: 1024 * 1024 };
  const took = new Map<string, number[]>();

  async function measure<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const value = await work();
    took.set(name, [...(took.get(name) ?? []), performance.now() - startedAt]);
    return value;
  }

  for (let round = 0; round < rounds; round += 1) {
    await world.agent(workspace, `echo ${round} >> src/0.ts`);
    await measure("an empty command", () => world.agent(workspace, ":"));
    const taken = await measure("files that changed", () => git.pack(request));
    if (taken.status !== "packed") throw new Error(`they were not taken: ${taken.status}`);
    const known = taken.tree;
    await measure("files that did not", () => git.pack({ ...request, known }));
  }
  for (const [name, times] of took) {
    const sorted = times.toSorted((one, other) => one - other);
    const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
    console.log(`${name}: ${at(0)} ms at best, ${at(0.5)} ms (median), ${at(0.9)} ms (9 of 10)`);
  }
} finally {
  await world.close();
}
