import { openWorld } from "../../support/world.ts";

const JOBS = 8;

/** Keeps processors, memory and disk of the machine at work for two minutes, again and again. */
const WORK = `end=$((SECONDS + 110)); mkdir -p noise; n=0
while [ $SECONDS -lt $end ]; do
  n=$((n + 1)); head -c 3000000 /dev/urandom >noise/$((n % 20)); sha256sum noise/* >sums; sort -R sums >sorted
  for i in $(seq 300); do echo $i >noise/small-$i; done; rm -f noise/small-*; git status --short >/dev/null
  x=0; for i in $(seq 40000); do x=$((x + i * i % 7)); done
done; echo "$n rounds"`;

/**
 * Starts a server whose eight jobs never end, for as long as the tests run. Vitest calls it once before
 * them; what it returns is called after them.
 */
export default async function keepBusy(): Promise<() => Promise<void>> {
  let begun = 0;
  const allBegun = Promise.withResolvers<void>();
  const { world, end } = await openWorld({
    config: "limits:\n  steps: 500\n  minutes: 240\n  tokens: 100000000\n  tasks: 8\n",
    env: { DRAFTSMITH_CONCURRENCY: String(JOBS) },
    model: (request) => {
      const said = request.messages.filter((message) => message.role === "assistant").length;
      if (said === 0) begun += 1;
      if (begun === JOBS) allBegun.resolve();
      const command = `${WORK}; echo ${said}`;
      return { toolCalls: [{ name: "shell", arguments: { command } }] };
    },
  });
  const tasks = Array.from({ length: JOBS }, (_, at) => `- keep processor ${at} busy`);
  await world.say(`/codex\n${tasks.join("\n")}`);
  await allBegun.promise;
  process.stdout.write(`${JOBS} jobs keep the machine busy\n\n`);
  return async () => {
    const board = world.answers().at(-1)?.body ?? "";
    await end();
    const running = board.match(/🔧 running/g)?.length ?? 0;
    if (running < JOBS) throw new Error(`the attacks ended other jobs:\n${board}`);
    process.stdout.write(`the ${JOBS} jobs ran all the while\n`);
  };
}
