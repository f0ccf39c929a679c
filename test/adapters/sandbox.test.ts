import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { chmod, chown, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import path from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import type { CommandResult, Sandbox, SandboxCommand, Workspace } from "../../src/core/ports.ts";
import { makeRoot, makeSandbox, makeWorkspace, TEST_USER } from "../support/workspace.ts";

const CANARY = `canary-${randomBytes(8).toString("hex")}`;

let root: string;
let sandbox: Sandbox & { stop(): Promise<void> };
let job: Workspace;
let removeRoot: () => Promise<void>;
let host: Server;
let hostPort: number;
let reached = 0;

beforeAll(async () => {
  for (const name of [
    "OPENAI_API_KEY",
    "JAVA_TOOL_OPTIONS",
    "BASH_ENV",
    "LD_LIBRARY_PATH",
    "GIT_DIR",
  ]) {
    process.env[name] = CANARY;
  }
  ({ root, remove: removeRoot } = await makeRoot());
  sandbox = makeSandbox(root);
  job = await makeWorkspace(root);
  host = createServer((socket) => {
    reached += 1;
    socket.end("hello\n");
  });
  await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
  hostPort = (host.address() as AddressInfo).port;
});

afterAll(async () => {
  await sandbox.stop();
  host.close();
  await removeRoot();
});

function run(script: string, more: Partial<SandboxCommand> = {}): Promise<CommandResult> {
  return sandbox.run({
    workspace: job,
    script,
    timeoutMs: 20_000,
    maxOutputBytes: 10_000_000,
    ...more,
  });
}

async function output(script: string, more: Partial<SandboxCommand> = {}): Promise<string> {
  return (await run(script, more)).output;
}

/** Ids of host processes whose command line holds `text`. */
function processesWith(text: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, "utf8").includes(text);
    } catch {
      // It ended while we looked.
      return false;
    }
  });
}

it("holds here", async () => {
  expect(await sandbox.check()).toEqual({ ok: true });
});

describe("what a command gets", () => {
  it("runs in the tree with an environment built from nothing", async () => {
    const { output: text, exitCode } = await run("env; pwd", { env: { EXTRA: "yes 'it' is" } });
    expect(exitCode).toBe(0);
    const lines = text
      .trim()
      .split("\n")
      .filter((line) => !/^(_|SHLVL|PWD)=/.test(line))
      .sort();
    expect(lines).toEqual(
      [
        job.tree,
        "CI=1",
        "EXTRA=yes 'it' is",
        "GIT_TERMINAL_PROMPT=0",
        `HOME=${job.home}`,
        "LANG=C.UTF-8",
        expect.stringMatching(/^PATH=\//),
        "TERM=dumb",
        `TMPDIR=${job.tmp}`,
      ].sort((a, b) => String(a).localeCompare(String(b))),
    );
  });

  it("takes arguments, whatever is in them, and never runs them", async () => {
    const args = [
      "a b",
      "it's",
      '"q"',
      "$(id)",
      "`id`",
      "two\nlines",
      "ümläut 🙂",
      "",
      "-n",
      "\\",
      "!x",
      "*",
    ];
    const { output: text } = await run(`printf '<%s>' "$@"`, { args });
    expect(text).toBe(args.map((arg) => `<${arg}>`).join(""));
  });

  it("takes a long script with many quotes", async () => {
    const text = `it's "quoted" $HOME \`x\`\n`.repeat(3000);
    const { output: got } = await run(`cat <<'END' | sha256sum\n${text}END`);
    expect(got.split(" ")[0]).toBe(createHash("sha256").update(text).digest("hex"));
  });

  it("answers like a shell when script or arguments are too long", async () => {
    const result = await run("true", { args: ["x".repeat(200_000)] });
    expect(result).toMatchObject({
      exitCode: 126,
      stopped: null,
      output: "bash: Argument list too long\n",
    });
  });

  it("reads what it is given on standard input, else nothing", async () => {
    expect(await output("cat")).toBe("");
    expect(await output("cat", { stdin: "from\nhere" })).toBe("from\nhere");
    expect(await output("cat /dev/stdin | wc -c", { stdin: new Uint8Array(3_000_000) })).toMatch(
      /^\s*3000000\n$/,
    );
    expect((await run("exit 3", { stdin: "x".repeat(3_000_000) })).exitCode).toBe(3);
  });

  it("has pipes for streams, and no other descriptor", async () => {
    expect(await output("echo a >/dev/stdout; echo b >/dev/stderr; echo /proc/self/fd/*")).toBe(
      "a\nb\n/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n",
    );
  });

  it("writes its workspace, HOME, TMPDIR and /tmp", async () => {
    const script = `echo 1 >here && echo 2 >~/x && echo 3 >"$TMPDIR/x" && mktemp -d /tmp/x.XXXX && cat <<<ok`;
    expect((await run(script)).exitCode).toBe(0);
    expect(await readFile(path.join(job.tree, "here"), "utf8")).toBe("1\n");
  });

  it("reports exit codes and order of both streams", async () => {
    expect(await run("for i in 1 2 3; do echo $i; echo e$i >&2; done; exit 7")).toMatchObject({
      exitCode: 7,
      stopped: null,
      output: "1\ne1\n2\ne2\n3\ne3\n",
    });
    expect((await run("kill -9 $$")).exitCode).toBe(137);
    expect((await run("no-such-program")).exitCode).toBe(127);
  });

  it("can listen and connect on loopback", async () => {
    const script = `
      node -e 'const s = require("net").createServer(c => c.end("pong")).listen(0, "127.0.0.1", () => {
        require("net").connect(s.address().port, "127.0.0.1").on("data", d => { console.log(String(d)); s.close(); });
      });'`;
    expect(await output(script)).toBe("pong\n");
  });

  it("finds git and node", async () => {
    expect(
      await run("git --version && git init -q . && git status --short && node --version"),
    ).toMatchObject({
      exitCode: 0,
    });
  });
});

describe("where it runs", () => {
  it.each(["..", "/", "/etc", "sub/../../x", "../tree-2"])(
    "refuses the directory %s",
    async (cwd) => {
      expect(await run("pwd; echo ran", { cwd })).toMatchObject({
        exitCode: 126,
        output: `outside the worktree: ${cwd}\n`,
      });
    },
  );

  it("refuses a link that leads out of the tree", async () => {
    await symlink("/usr", path.join(job.tree, "link-out"));
    expect(await run("pwd; echo ran", { cwd: "link-out" })).toMatchObject({
      exitCode: 126,
      output: "outside the worktree: link-out\n",
    });
  });

  it("enters a directory with any name, and says when there is none", async () => {
    const name = "a 'b' $(c) ü\nd";
    await run('mkdir -p "$1"', { args: [name] });
    expect(await output("pwd", { cwd: name })).toBe(`${job.tree}/${name}\n`);
    expect(await run("pwd", { cwd: "absent" })).toMatchObject({
      exitCode: 126,
      output: "no such directory: absent\n",
    });
  });

  it("refuses a workspace whose paths mean something else inside, or open what is closed", async () => {
    const link = path.join(root, "linked");
    await symlink(job.tree, link);
    await expect(run("true", { workspace: { ...job, writable: [link] } })).rejects.toThrow(
      "goes through a link",
    );
    await expect(run("true", { workspace: { ...job, readable: [root] } })).rejects.toThrow(
      "stays closed",
    );
    const inner = path.join(job.tree, "inner");
    await mkdir(inner);
    await expect(run("true", { workspace: { ...job, readable: [inner] } })).rejects.toThrow(
      "lies below",
    );
  });
});

describe("what a hostile command gets", () => {
  let other: Workspace;

  beforeAll(async () => {
    other = await makeWorkspace(root, "other");
    await writeFile(path.join(other.tree, "secret"), CANARY);
    await chmod(other.tree, 0o755);
    await writeFile(path.join(root, "data"), CANARY, { mode: 0o644 });
  });

  it("is never root and has no capability", async () => {
    expect(Number(await output("id -u"))).toBeGreaterThan(0);
    if (TEST_USER) expect(await output("id -u; id -g; id -G")).toBe("60801\n60801\n60801\n");
    expect(await output("grep -E 'CapEff|CapPrm|CapAmb|NoNewPrivs' /proc/self/status")).toBe(
      "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n",
    );
  });

  it.each([
    ["the password file", "/etc/shadow"],
    ["a file of the data directory", "DATA"],
    ["another job's workspace", "OTHER"],
    ["another job's workspace through /proc", "/proc/1/rootOTHER"],
    ["the server's environment", `/proc/${process.pid}/environ`],
    ["the environment of init", "/proc/1/environ"],
    ["root's home", "/root/.bashrc"],
    ["the docker socket", "/var/run/docker.sock"],
    ["the machine's id", "/etc/machine-id"],
  ])("cannot read %s", async (_, file) => {
    const target = file
      .replace("DATA", path.join(root, "data"))
      .replace("OTHER", path.join(other.tree, "secret"));
    const result = await run('cat "$1"', { args: [target] });
    expect(result.exitCode).not.toBe(0);
    expect(result.output).not.toContain(CANARY);
  });

  it("sees no other job, no home, no service and nothing of the server's environment", async () => {
    const script = `ls -A /root /home /run /var /srv /mnt /sys "$1"; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'; ps -e`;
    const text = await output(`{ ${script} ; } 2>&1`, { args: [path.join(root, "workspaces")] });
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain("other");
    expect(text).not.toContain("vitest");
    expect(text).toContain("/home:\n\n/mnt:\n\n/root:\n\n/run:\n\n/srv:\n\n/sys:\n");
  });

  it.each([
    "/x",
    "/usr/x",
    "/etc/x",
    "/home/x",
    "/root/x",
    "/var/x",
    "/run/x",
    "/sys/x",
    "/opt/x",
    "/proc/sys/kernel/hostname",
  ])("cannot write %s", async (file) => {
    expect((await run(': >"$1"', { args: [file] })).exitCode).not.toBe(0);
  });

  it("cannot make a user namespace, mount, or trace", async () => {
    const tries = [
      "unshare -Ur true",
      "unshare -Urm true",
      "unshare -m true",
      `mount --bind ${"/usr"} "$HOME"`,
      "nsenter -t 1 -m true",
    ];
    for (const attempt of tries) expect((await run(attempt)).exitCode, attempt).not.toBe(0);
  });

  it("cannot open a Unix socket of the host, by path or by abstract name", async () => {
    const socket = path.join(job.tree, "host.sock");
    const server = createServer((client) => client.end(CANARY));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    onTestFinished(() => void server.close());
    await chmod(socket, 0o777);
    const text = await output(
      `node -e 'require("net").connect("host.sock").on("data", d => console.log(String(d))).on("error", e => console.log(e.code))'`,
    );
    expect(text).toMatch(/^E(PERM|ACCES)\n$/);
  });

  it.each([
    ["bash", `exec 3<>/dev/tcp/127.0.0.1/$1 && cat <&3`],
    ["bash, by IPv6", `exec 3<>/dev/tcp/::1/$1 && cat <&3`],
    ["bash, by UDP and name", `exec 3<>/dev/udp/example.com/53`],
    ["curl", `curl -sS --max-time 5 http://127.0.0.1:$1/ http://example.com/`],
    ["curl around a proxy", `curl -sS --max-time 5 --noproxy '*' http://93.184.216.34/`],
    [
      "node",
      `node -e 'fetch("http://127.0.0.1:" + process.argv[1]).then(() => process.exit(0), () => process.exit(9))' $1`,
    ],
    ["the resolver", `getent hosts example.com`],
    ["a metadata address", `exec 3<>/dev/tcp/169.254.169.254/80`],
  ])("has no network by %s", async (_, script) => {
    const before = reached;
    const result = await run(script, { args: [String(hostPort)] });
    expect(result.exitCode).not.toBe(0);
    expect(result.output).not.toContain("hello");
    expect(reached).toBe(before);
  });

  it("shares no System V memory with the jobs beside it", async () => {
    const made = run("ipcmk -M 64 && ipcs -m | grep -c 0x && sleep 1");
    const others = await output("sleep 0.3; ipcs -m | grep -c 0x || true", { workspace: other });
    expect((await made).output).toMatch(/1\n$/);
    expect(others).toBe("0\n");
  });

  it("leaves HOME and /tmp of one job to that job", async () => {
    await run("echo evil >~/.npmrc; echo evil >~/.bashrc; echo evil >/tmp/left; true");
    expect(await output("ls -A ~ /tmp/left 2>&1", { workspace: other })).not.toMatch(
      /npmrc|bashrc|^\/tmp\/left$/m,
    );
  });

  it("does not run start-up files that a job planted", async () => {
    await run(
      "echo 'echo planted' >~/.bashrc; cp ~/.bashrc ~/.bash_profile; cp ~/.bashrc ~/.profile",
    );
    expect(await output("echo clean", { env: { ENV: `${job.home}/.bashrc` } })).toBe("clean\n");
    // Only its own environment is the command's to spoil.
    expect(await output("id -u", { env: { BASH_ENV: `${job.home}/.bashrc` } })).toMatch(
      /^planted\n[1-9]\d*\n$/,
    );
  });

  it("has a bounded number of processes and files of bounded size", async () => {
    const bomb = await output(
      "perl -e 'for (1..5000) { my $p = fork; last unless defined $p; if (!$p) { sleep 60; exit } $n++ } print $n'",
    );
    expect(Number(bomb)).toBeGreaterThan(500);
    expect(Number(bomb)).toBeLessThan(2048);
    expect((await run("truncate -s 3G big && echo grown")).output).not.toContain("grown");
    expect(await output("grep '^Max core' /proc/self/limits")).toMatch(/ [01] +[01] +bytes/);
  });
});

describe("how it ends", () => {
  it("takes children that left with it", async () => {
    const mark = `6${Math.floor(Math.random() * 1e6)}`;
    const started = performance.now();
    const result = await run(
      `(setsid sleep ${mark} &) ; nohup sleep ${mark} >/dev/null 2>&1 & (sleep ${mark} & disown) ; setsid -f sleep ${mark}; echo hi`,
    );
    expect(result).toMatchObject({ exitCode: 0, stopped: null });
    expect(result.output).toContain("hi\n");
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(processesWith(mark)).toEqual([]);
  });

  it("is stopped at its time limit, with everything it started", async () => {
    const mark = `7${Math.floor(Math.random() * 1e6)}`;
    const result = await run(`trap '' TERM INT; echo begun; setsid sleep ${mark} & sleep ${mark}`, {
      timeoutMs: 700,
    });
    expect(result).toMatchObject({ exitCode: null, stopped: "timeout", output: "begun\n" });
    expect(processesWith(mark)).toEqual([]);
  });

  it("is stopped when the caller cancels", async () => {
    const mark = `8${Math.floor(Math.random() * 1e6)}`;
    const cancel = new AbortController();
    const sink = new PassThrough();
    const running = run(`echo begun; setsid sleep ${mark} & wait`, {
      signal: cancel.signal,
      stdout: sink,
    });
    sink.once("data", () => cancel.abort());
    expect(await running).toMatchObject({ exitCode: null, stopped: "cancelled" });
    expect(processesWith(mark)).toEqual([]);
    expect(await run("echo no", { signal: cancel.signal })).toMatchObject({
      stopped: "cancelled",
      output: "",
    });
  });

  it("is stopped at its output limit and keeps head and tail", async () => {
    const before = process.memoryUsage().rss;
    const result = await run("echo first; yes", { maxOutputBytes: 50_000_000 });
    expect(result).toMatchObject({ exitCode: null, stopped: "output" });
    expect(Buffer.byteLength(result.output)).toBeLessThan(33_000);
    expect(result.output).toMatch(
      /^first\ny\ny\n[\s\S]*\n\[\.\.\. \d+ bytes \(\d+ lines\) of output left out \.\.\.\]\n(y\n)+$/,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  it("keeps what one endless line began and ended with", async () => {
    const result = await run("head -c 3000000 /dev/zero | tr '\\0' x; printf end", {
      keepBytes: 1000,
    });
    expect(result.exitCode).toBe(0);
    expect(result.output).toMatch(
      /^x{500}\n\[\.\.\. 2999003 bytes \(0 lines\) of output left out \.\.\.\]\nx{497}end$/,
    );
  });

  it("shows no escape sequence", async () => {
    expect(await output(`printf '\\033]52;c;ZXZpbA==\\007\\033[31mred\\033[0m\\000\\377\\n'`)).toBe(
      "red\uFFFD\n",
    );
  });
});

describe("raw standard output", () => {
  it("arrives intact, with standard error apart", async () => {
    const hash = createHash("sha256");
    let bytes = 0;
    const slow = new Writable({
      highWaterMark: 1024,
      write(chunk: Buffer, _, done) {
        hash.update(chunk);
        bytes += chunk.length;
        setImmediate(done);
      },
    });
    const result = await run(
      "head -c 2000000 /dev/urandom >blob; cat blob; echo note >&2; sha256sum blob >&2",
      { stdout: slow },
    );
    expect(result).toMatchObject({ exitCode: 0, stopped: null });
    expect(bytes).toBe(2_000_000);
    expect(result.output).toMatch(/^note\n/);
    expect(result.output).toContain(hash.digest("hex"));
    expect(slow.writableFinished).toBe(true);
  });

  it("counts against the output limit", async () => {
    let bytes = 0;
    const stdout = new Writable({
      write(chunk: Buffer, _, done) {
        bytes += chunk.length;
        done();
      },
    });
    expect(await run("cat /dev/zero", { stdout, maxOutputBytes: 100_000 })).toMatchObject({
      stopped: "output",
    });
    expect(bytes).toBe(100_000);
  });

  it("ends the command and tells the caller when it cannot be taken", async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(new Error("disk full")),
    });
    await expect(run("yes", { stdout })).rejects.toThrow("disk full");
  });
});

describe("the worktree", () => {
  it("keeps its .git file, lets git commit, and gets no stub", async () => {
    const workspace = await makeWorkspace(root, "git");
    const gitDir = path.join(path.dirname(workspace.tree), "git");
    await mkdir(gitDir);
    const pointer = path.join(workspace.tree, ".git");
    await writeFile(pointer, `gitdir: ${gitDir}\n`);
    for (const each of [gitDir, pointer])
      if (TEST_USER) await chown(each, TEST_USER.uid, TEST_USER.gid);
    workspace.writable.push(gitDir);
    const committed = await run(
      `export GIT_DIR="$1" GIT_WORK_TREE=$PWD; git init -q && unset GIT_DIR GIT_WORK_TREE
       git config user.email a@b.c && git config user.name n && echo 1 >file && git add -A && git commit -qm one && git stash list && git log --oneline`,
      { workspace, args: [gitDir] },
    );
    expect(committed.output).toMatch(/^[0-9a-f]+ one\n$/);
    const attack = await run(
      "echo 'gitdir: ./evil' >.git; rm -f .git; mv .git moved; ln -sf /x .git; git init -q evil && mv evil/.git .git; true",
      { workspace },
    );
    expect(attack.stopped).toBeNull();
    expect(await readFile(path.join(workspace.tree, ".git"), "utf8")).toBe(`gitdir: ${gitDir}\n`);
    expect(readdirSync(workspace.tree).sort()).toEqual([".git", "evil", "file"]);
  });
});

describe("many at once", () => {
  it("runs eight side by side, each in its own view", async () => {
    const jobs = await Promise.all(
      Array.from({ length: 8 }, (_, at) => makeWorkspace(root, `many-${at}`)),
    );
    const results = await Promise.all(
      jobs.map((workspace, at) =>
        run(`echo ${at} >mine; sleep 0.2; cat mine; ls ../..`, { workspace }),
      ),
    );
    expect(results.map((result) => result.output)).toEqual(
      jobs.map((each, at) => `${at}\n${each.jobId}\n`),
    );
  });
});

describe("network lists", () => {
  it.each([
    "localhost",
    "a.localhost",
    "127.0.0.1",
    "[::1]",
    "10.0.0.1",
    "0x7f.1",
    "*",
    "*.com:443",
    "evil\0.example.com",
    "http://x.y",
    "a",
  ])("refuses %j", async (domain) => {
    await expect(run("true", { network: [domain] })).rejects.toThrow(UserError);
  });
});

describe("a sandbox that cannot hold", () => {
  it("says what is in the way, and runs nothing", async () => {
    const closed = path.join(root, "closed");
    await mkdir(closed, { mode: TEST_USER ? 0o700 : 0o600 });
    const blocked = makeSandbox(path.join(closed, "data"));
    expect(await blocked.check()).toMatchObject({
      ok: false,
      remedy: expect.stringContaining(`may not enter ${closed}`),
    });
    const command = { workspace: job, script: "touch ran", timeoutMs: 1000, maxOutputBytes: 1000 };
    await expect(blocked.run(command)).rejects.toThrow(UserError);
    expect(readdirSync(job.tree)).not.toContain("ran");
  });

  it("never takes a command that did not start for one that failed", async () => {
    const closed = path.join(root, "closed-job");
    const workspace = await makeWorkspace(closed, "inner");
    await chmod(closed, TEST_USER ? 0o700 : 0o600);
    onTestFinished(() => chmod(closed, 0o700));
    await expect(run("true", { workspace })).rejects.toThrow(/did not start|EACCES/);
    expect((await run("true")).exitCode).toBe(0);
  });
});
