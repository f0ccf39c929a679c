import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { removeAll } from "../../src/adapters/git/layout.ts";
import type { Limits } from "../../src/core/limits.ts";
import type { CommandResult, SandboxCommand, Workspace } from "../../src/core/ports.ts";
import { makeRoot, makeSandbox, makeWorkspace } from "../support/workspace.ts";
import { PATIENCE } from "../support/world-repository.ts";

export const MB = 1024 * 1024;

/** Small enough that an attack is over in a second or two. */
export const LOW: Partial<Limits> = {
  memory: 300 * MB,
  disk: 100 * MB,
  files: 5000,
  processes: 200,
  cpuMs: 60_000,
};

/** The result of an attack, with how it went for everybody else meanwhile. */
interface Borne extends CommandResult {
  /** What a command of another job said that began with the attack. */
  neighbour: string;
  /** Longest time the server's process took to answer a request, in ms. */
  slowestMs: number;
}

/** A sandbox with low limits, in a process that also answers requests, as the server does. */
export async function press(options: { limits?: Partial<Limits>; controlGroups?: boolean } = {}) {
  // Not below /tmp, so that the job's own directory stands there and at /dev/shm.
  const { root } = await makeRoot("/var/tmp");
  const sandbox = makeSandbox(root, { ...options, limits: { ...LOW, ...options.limits } });
  const server = createServer((_, answer) => answer.end("ok"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  let made = 0;
  const workspace = () => {
    made += 1;
    return makeWorkspace(root, `job-${made}`);
  };

  async function run(at: Workspace, script: string, more: Partial<SandboxCommand> = {}) {
    const bounds = { timeoutMs: 20_000, maxOutputBytes: 20 * MB };
    return sandbox.run({ workspace: at, script, ...bounds, ...more });
  }

  /** Asks the server again and again until `end` is called; the longest wait, in ms. */
  function ask(): () => Promise<number> {
    let slowest = 0;
    let ended = false;
    const asking = (async () => {
      while (!ended) {
        const began = performance.now();
        await (await fetch(`http://127.0.0.1:${port}/`)).text();
        slowest = Math.max(slowest, performance.now() - began);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    return async () => {
      ended = true;
      await asking;
      return slowest;
    };
  }

  return {
    sandbox,
    root,
    workspace,
    run,
    /** Plays an attack in a workspace, a fresh one unless given, while another job works. */
    async attack(script: string, more: Partial<SandboxCommand> & { at?: Workspace } = {}) {
      const { at = await workspace(), ...rest } = more;
      const beside = await workspace();
      const stopAsking = ask();
      const work = "for i in 1 2 3 4 5; do echo $i >file; cat file; sleep 0.1; done; echo done";
      const [result, neighbour] = await Promise.all([run(at, script, rest), run(beside, work)]);
      const slowestMs = await stopAsking();
      return { ...result, neighbour: neighbour.output, slowestMs } satisfies Borne;
    },
    async end() {
      await sandbox.stop();
      server.close();
      // Node cannot remove what some attacks leave.
      await removeAll(root);
    },
  };
}

/** A machine with low limits. */
export type Pressed = Awaited<ReturnType<typeof press>>;

/** Whatever an attack does, the server answers and another job comes to its end. */
export function expectOthersUnhurt({ neighbour, slowestMs }: Borne): void {
  expect(neighbour).toBe("1\n2\n3\n4\n5\ndone\n");
  expect(slowestMs).toBeLessThan(3000 * PATIENCE);
}

export const perl = (script: string) => `exec perl -e '${script}'`;
/** Starts processes until it is refused, at most 3,000, and says how many there are. */
export const BOMB = perl(
  `for (1..3000) { my $p = fork; if (!defined $p) { last } if (!$p) { sleep 4; exit } $n++ } print "$n processes\\n"; sleep 1`,
);
export const countOf = (text: string) => Number(/(\d+) /.exec(text)?.[1] ?? Number.NaN);
/** An anonymous file in memory, by its number on this machine. */
const MEMFD = process.arch === "arm64" ? 279 : 319;
export const HOG = perl(`$x .= "a" x (64 * 1024 * 1024) for 1..32; print "survived\\n"`);
export const HERD = perl(
  `for (1..20) { fork or do { $x = "a" x (40 * 1024 * 1024); sleep 5; exit } } wait for 1..20; print "survived\\n"`,
);
export const FILES_IN_MEMORY = perl(
  `for (1..12) { my $fd = syscall(${MEMFD}, my $n = "m$_", 0); open my $h, ">&=", $fd; push @f, $h; syswrite $h, "z" x 1048576 for 1..80 } print "filled\\n"; sleep 5; print "survived\\n"`,
);
/** Fills files of 20 MB until one cannot be written, at most 60. */
export const FILL =
  "for i in $(seq 60); do head -c 20M /dev/zero >big.$i || break; done; echo filled";
