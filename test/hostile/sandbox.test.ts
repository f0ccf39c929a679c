import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandResult, Sandbox, SandboxCommand, Workspace } from "../../src/core/ports.ts";
import { makeRoot, makeSandbox, makeWorkspace } from "../support/workspace.ts";
import { callsScript } from "./system-calls.ts";

let root: string;
let remove: () => Promise<void>;
let sandbox: Sandbox & { stop(): Promise<void> };
let job: Workspace;
let neighbour: Workspace;

beforeAll(async () => {
  ({ root, remove } = await makeRoot());
  sandbox = makeSandbox(root);
  job = await makeWorkspace(root, "job");
  neighbour = await makeWorkspace(root, "neighbour");
  // Its own programs are in place from then on.
  await sandbox.check();
});

afterAll(async () => {
  await sandbox.stop();
  await remove();
});

/** Runs a command of the attacker; a controller that fails instead of answering is an outcome, too. */
async function attempt(
  script: string,
  more: Partial<SandboxCommand> = {},
): Promise<CommandResult & { failed?: string }> {
  const command = {
    workspace: job,
    script,
    timeoutMs: 60_000,
    maxOutputBytes: 10_000_000,
    ...more,
  };
  return sandbox.run(command).catch((error: unknown) => ({
    exitCode: null,
    stopped: null,
    output: "",
    durationMs: 0,
    deniedHosts: [],
    failed: String(error),
  }));
}

const lines = (result: CommandResult) => result.output.trim().split("\n");

describe("a hostile command", () => {
  it("sandbox-11 makes itself root by setuid programs and looks for capabilities", async () => {
    const result = await attempt(`
      id -u; grep -E '^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs):' /proc/self/status
      cp /bin/bash ./own && chmod 6755 own && ./own -p -c 'echo own=$EUID'
      for program in su sudo pkexec newgrp mount newuidmap; do
        timeout 5 "$program" -c 'id -u' root </dev/null 2>/dev/null; timeout 5 "$program" id -u </dev/null 2>/dev/null
      done
      ${callsScript([{ name: "setuid", args: "0" }])}`);
    const said = lines(result);
    expect(Number(said[0])).toBeGreaterThan(0);
    expect(result.output).not.toMatch(/^(own=)?0$/m);
    expect(result.output).toMatch(/^setuid: E(PERM|INVAL)$/m);
    expect(said).toContain("NoNewPrivs:\t1");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) {
      expect(said).toContain(`${set}:\t0000000000000000`);
    }
    expect(result.output).not.toMatch(/^(Uid|Gid|Groups):.*\b0\b/m);
  });

  it("sandbox-12 makes namespaces of its own, where it would be root", async () => {
    const kinds = { user: "0x10000000", mount: "0x20000", pid: "0x20000000", net: "0x40000000" };
    const calls = Object.entries(kinds).flatMap(([label, flag]) => [
      { name: "unshare" as const, args: flag, label: `unshare ${label}` },
      { name: "clone" as const, args: `${flag} | 17, 0, 0, 0, 0`, label: `clone ${label}` },
    ]);
    const result = await attempt(`
      ${callsScript([...calls, { name: "clone3", args: "0, 0" }])}
      unshare -Ur id -u; unshare -Urm true && echo made
      for kind in user mnt pid net; do nsenter --$kind=/proc/1/ns/$kind true 2>/dev/null && echo entered; done; true`);
    expect(lines(result).filter((line) => line.includes(":")).length).toBeGreaterThan(8);
    expect(result.output).not.toMatch(/worked|^0$|made|entered/m);
  });

  it("sandbox-13 mounts over what protects it, or moves the root away", async () => {
    const result = await attempt(`
      mount --bind /tmp /usr && echo mounted; mount -t tmpfs none "$HOME" && echo mounted
      mount -o remount,rw / && echo mounted; mount -t proc proc "$HOME" && echo mounted
      umount /etc && echo unmounted; umount -l /proc && echo unmounted
      unshare -Urm sh -c 'mount --rbind /tmp /usr && echo mounted; mount -t tmpfs none /mnt && echo mounted; umount /etc && echo unmounted'
      ${callsScript([
        { name: "pivot_root", args: `my $a = ".", my $b = "."` },
        { name: "chroot", args: `my $c = "."` },
        { name: "open_tree", args: `-100, my $d = "/", 1` },
        { name: "fsopen", args: `my $e = "tmpfs", 0` },
        { name: "move_mount", args: `-100, my $f = "/tmp", -100, my $g = "/usr", 0` },
        { name: "mount_setattr", args: `-100, my $h = "/", 0, my $i = "0" x 32, 32` },
      ])}`);
    expect(result.output).toContain("pivot_root: EPERM");
    expect(result.output).not.toMatch(/worked|^(un)?mounted/m);
  });

  it("sandbox-14 calls into corners of the kernel that no build needs", async () => {
    const result = await attempt(
      callsScript([
        { name: "keyctl", args: "11, -3, 0, 0, 0" },
        { name: "add_key", args: `my $a = "user", my $b = "x", my $c = "x", 1, -4` },
        { name: "request_key", args: `my $d = "user", my $e = "x", 0, 0` },
        { name: "bpf", args: "0, 0, 0" },
        { name: "perf_event_open", args: "0, 0, -1, -1, 0" },
        { name: "userfaultfd", args: "1" },
        { name: "io_uring_setup", args: "1, 0" },
        { name: "open_by_handle_at", args: "-100, 0, 0" },
        { name: "fanotify_init", args: "0, 0" },
        { name: "syslog", args: "3, 0, 0" },
        { name: "kexec_load", args: "0, 0, 0, 0" },
        { name: "init_module", args: "0, 0, 0" },
        { name: "swapon", args: "0, 0" },
        { name: "acct", args: "0" },
        { name: "reboot", args: "0, 0, 0, 0" },
      ]),
    );
    expect(lines(result)).toHaveLength(15);
    for (const line of lines(result)) expect(line).toMatch(/: EPERM$/);
  });

  it("sandbox-15 opens sockets that leave a network namespace, or reach odd drivers", async () => {
    const families = {
      unix: 1,
      alg: 38,
      vsock: 40,
      packet: 17,
      bluetooth: 31,
      can: 29,
      xdp: 44,
      tipc: 30,
    };
    const result = await attempt(
      callsScript(
        Object.entries(families).flatMap(([label, family]) =>
          [1, 2, 3, 5].map((type) => ({
            name: "socket" as const,
            args: `${family}, ${type}, 0`,
            label,
          })),
        ),
      ),
    );
    expect(lines(result)).toHaveLength(32);
    expect(result.output).not.toContain("worked");
  });

  it("sandbox-16 types commands into a terminal that somebody may be sitting at", async () => {
    const result = await attempt(`perl -MPOSIX -MErrno -e '
      open(my $tty, "+<", "/dev/tty") and print "has a terminal\\n";
      sysopen(my $main, "/dev/ptmx", O_RDWR | O_NOCTTY) or die "no ptmx: $!";
      my $off = pack("i", 0); ioctl($main, 0x40045431, $off); my $number = pack("I", 0); ioctl($main, 0x80045430, $number);
      if (my $pid = fork) { waitpid $pid, 0; exit } setsid();
      sysopen(my $own, "/dev/pts/" . unpack("I", $number), O_RDWR) or die "no pts: $!"; my $none = 0; ioctl($own, 0x540E, $none);
      for my $request (0x5412, 0x541C, 0x541D) {
        my $char = "x"; my $r = ioctl($own, $request, $char);
        printf "%x %s\\n", $request, $r ? "worked" : $!{EPERM} ? "EPERM" : "$!";
      }'`);
    expect(lines(result)).toEqual(["5412 EPERM", "541c EPERM", "541d EPERM"]);
  });

  it("sandbox-17 crashes, so that the host's handler of core dumps runs on its memory", async () => {
    const result =
      await attempt(`ulimit -c unlimited 2>/dev/null; prlimit --core=unlimited --pid $$ 2>/dev/null
      grep '^Max core' /proc/self/limits | tr -s ' '; bash -c 'kill -SEGV $$'; bash -c 'kill -ABRT $$'
      ls core* "$HOME"/core* /tmp/core* 2>/dev/null; true`);
    // One byte: of 0 the kernel says that it holds for files only, and a handler on a pipe runs all the same.
    expect(lines(result)[0]?.trim()).toBe("Max core file size 1 1 bytes");
    expect(result.output).not.toMatch(/^\S*core\S*$/m);
  });

  it("sandbox-18 writes where it may only read", async () => {
    const objects = path.join(root, "objects");
    await mkdir(objects, { recursive: true });
    await writeFile(path.join(objects, "pack"), "pack\n");
    const pointer = path.join(job.tree, ".git");
    await writeFile(pointer, "gitdir: /somewhere\n", { mode: 0o666 });
    const helper = path.join(root, "runtime", "apply-seccomp");
    const before = await readFile(helper);
    const result = await attempt(
      `for file in "$1/pack" "$1/new" "$2" /usr/bin/x /etc/passwd /etc/x /x /bin/sh /var/x /run/x /root/x /sys/x; do
        (echo evil >"$file") 2>/dev/null && echo "wrote $file"; rm -f "$file" 2>/dev/null && [ ! -e "$file" ] && [ -e "\${file%/*}/." ] && case "$file" in */pack|*/apply-seccomp|/bin/sh|/etc/passwd) echo "removed $file" ;; esac
      done
      echo 'gitdir: ./evil' >.git && echo "wrote .git"; rm -f .git && echo "removed .git"; mv .git x && echo "moved .git"
      ln -f .git other && echo "linked .git"; chmod 777 "$1/pack" && echo "changed $1"; true`,
      { workspace: { ...job, readable: [objects] }, args: [objects, helper] },
    );
    expect(result.exitCode).toBe(0);
    expect(result.output).not.toMatch(/^(wrote|removed|moved|linked|changed)/m);
    expect(await readFile(path.join(objects, "pack"), "utf8")).toBe("pack\n");
    expect(await readFile(pointer, "utf8")).toBe("gitdir: /somewhere\n");
    expect((await readFile(helper)).equals(before)).toBe(true);
    await rm(pointer);
  });

  it("sandbox-19 is started in a directory that leads out of the tree", async () => {
    await symlink("/usr", path.join(job.tree, "away"));
    await symlink("..", path.join(job.tree, "up"));
    for (const cwd of ["..", "/", "/etc", "a/../..", "away", "up", "up/home", "away/lib"]) {
      const result = await attempt("pwd; echo ran", { cwd });
      expect(result, cwd).toMatchObject({
        exitCode: 126,
        output: `outside the worktree: ${cwd}\n`,
      });
    }
  });

  it("sandbox-20 smuggles NUL, line ends and names into arguments and variables", async () => {
    const nul = await attempt("echo ran", { args: ["a\0b"] });
    expect(nul).toMatchObject({ exitCode: 126, output: expect.stringContaining("NUL") });
    const odd = await attempt("echo ran", { env: { "X=1; echo broken; Y": "1" } });
    expect(odd).toMatchObject({ exitCode: 126, output: expect.stringContaining("not a name") });
    const args = ["'; echo broken; '", "$(echo broken)", "`echo broken`", "a\nb", "-c", "--"];
    const kept = await attempt(`printf '<%s>' "$@"`, { args, env: { X: "'; echo broken; '" } });
    expect(kept.output).toBe(args.map((each) => `<${each}>`).join(""));
  });

  it("sandbox-21 has its workspace swapped for a link before it is mounted", async () => {
    const secret = path.join(root, "secret");
    await mkdir(secret, { recursive: true });
    await writeFile(path.join(secret, "key"), "the key\n", { mode: 0o644 });
    const swapped = await makeWorkspace(root, "swapped");
    await rename(swapped.home, `${swapped.home}.gone`);
    await symlink(secret, swapped.home);
    const linked = await attempt("cat ~/key; echo x >~/planted", { workspace: swapped });
    expect(linked.output).not.toContain("the key");
    expect(linked.failed).toContain("goes through a link");
    const opened = await attempt("echo ran", { workspace: { ...job, readable: [root] } });
    expect(opened.output).not.toContain("ran");
    const inside = { ...job, readable: [path.join(job.tree, "inner")] };
    await mkdir(path.join(job.tree, "inner"), { recursive: true });
    expect((await attempt("echo ran", { workspace: inside })).output).not.toContain("ran");
  });

  it("sandbox-22 learns who the host is, who works on it and what lies at its root", async () => {
    const result = await attempt("hostname; cat /etc/passwd /etc/group /etc/hosts; ls -1A /");
    expect(result.output).not.toContain(hostname());
    const [name, ...rest] = lines(result);
    expect(name).toBe("sandbox");
    const allowed =
      "bin dev etc home lib lib32 lib64 libx32 media mnt nix gnu opt proc root run sbin srv sys tmp usr var";
    const roots = rest.slice(rest.indexOf("::1 localhost ip6-localhost ip6-loopback") + 1);
    const way = root.split("/")[1] ?? "";
    expect(roots.filter((each) => !`${allowed} ${way}`.split(" ").includes(each))).toEqual([]);
    expect(rest.filter((line) => line.includes(":x:"))).toHaveLength(6);
  });

  it("sandbox-23 shares memory, queues and locks with the job beside it", async () => {
    const mark = randomBytes(6).toString("hex");
    const script = `ipcmk -M 64 >/dev/null; ipcmk -Q >/dev/null; echo ${mark} >/dev/shm/left; echo ready; sleep 2`;
    const sharing = attempt(script);
    const looking = await attempt(
      "sleep 0.7; ipcs -m -q; ls -A /dev/shm /dev/mqueue 2>/dev/null; cat /dev/shm/left",
      {
        workspace: neighbour,
      },
    );
    expect((await sharing).output).toBe("ready\n");
    expect(looking.output).not.toMatch(/0x[0-9a-f]{6,}|left$/m);
    expect(looking.output).not.toContain(mark);
  });

  it("sandbox-24 reaches for devices and knobs of the kernel", async () => {
    const result = await attempt(`
      (cd /dev; find . -type b -o -type c) | sort; echo --
      for file in /proc/kcore /dev/mem /dev/kmsg /proc/kmsg /dev/core /proc/kpagecount /proc/1/mem; do
        (head -c 1 "$file" >/dev/null) 2>/dev/null && echo "read $file"; done
      for file in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/overcommit_memory \\
        /proc/sys/fs/binfmt_misc/register /proc/sys/user/max_user_namespaces /proc/1/oom_score_adj /proc/mtrr; do
        (echo 1 >"$file") 2>/dev/null && echo "wrote $file"; done
      mknod ./disk b 8 0 && echo made; mknod ./mem c 1 1 && echo made; hostname evil && echo renamed; true`);
    const [devices = "", rest = ""] = result.output.split("--\n");
    const known = "full null ptmx random tty urandom zero".split(" ").map((each) => `./${each}`);
    const odd = devices
      .trim()
      .split("\n")
      .filter((each) => !known.includes(each) && !each.startsWith("./pts/"));
    expect(odd).toEqual([]);
    expect(rest).not.toMatch(/^(read|wrote|made|renamed)/m);
  });

  it("sandbox-25 kills and spies on the processes of the job beside it", async () => {
    const mark = `9${randomBytes(3).readUIntBE(0, 3)}`;
    const living = attempt(`sleep 2; echo alive ${mark}`, { workspace: neighbour });
    const hunting = await attempt(`sleep 0.5; for pid in /proc/[0-9]*; do
        tr '\\0' ' ' <"$pid/cmdline" 2>/dev/null | grep -q "[a]live" && { cat "$pid/environ" | tr '\\0' '\\n'; kill -9 "\${pid#/proc/}"; echo "found $pid"; }
      done; ls -d /proc/[0-9]* | wc -l`);
    expect(await living).toMatchObject({ exitCode: 0, output: `alive ${mark}\n` });
    expect(hunting.output).not.toMatch(/found|alive/);
    expect(Number(lines(hunting).at(-1))).toBeLessThan(12);
  });

  it("sandbox-26 leaves processes behind that write when nobody looks", async () => {
    const late = path.join(neighbour.tree, "late.txt");
    const result = await attempt(
      `(setsid bash -c 'sleep 1.5; echo late >late.txt' >/dev/null 2>&1 &)
       nohup bash -c 'sleep 1.5; echo late >>late.txt' >/dev/null 2>&1 & disown
       perl -MPOSIX -e 'exit if fork; setsid(); exit if fork; close STDOUT; close STDERR; sleep 2; open F, ">>", "late.txt"; print F "late"'
       echo done`,
      { workspace: neighbour },
    );
    expect(result).toMatchObject({ exitCode: 0, stopped: null });
    const after = await attempt("sleep 3; ls -A", { workspace: neighbour });
    expect(after.output).not.toContain("late");
    await expect(readFile(late)).rejects.toThrow("ENOENT");
  });

  it("sandbox-27 looks beside the programs of the operator's PATH for what they keep there", async () => {
    const program = path.join(root, "tomcat");
    for (const [name, text] of Object.entries({
      "bin/tool": "#!/bin/sh\necho works",
      "conf/users.xml": "password",
      ".env": "password",
      "lib/x": "library",
    })) {
      await mkdir(path.dirname(path.join(program, name)), { recursive: true });
      await writeFile(path.join(program, name), `${text}\n`, { mode: 0o755 });
    }
    const theirs = makeSandbox(root, { toolPath: `${program}/bin:/usr/local/bin:/usr/bin:/bin` });
    const look = `tool; cat "$1/conf/users.xml" "$1/.env"; ls -A "$1"`;
    const command = {
      workspace: job,
      script: look,
      args: [program],
      timeoutMs: 60_000,
      maxOutputBytes: 10_000,
    };
    const { output } = await theirs.run(command).finally(() => theirs.stop());
    expect(output).toContain("works");
    expect(output).not.toContain("password");
    expect(output.match(/^(bin|lib)$/gm)).toEqual(["bin", "lib"]);
  });

  it("sandbox-28 reads what lies below the system's own directories: the server's home, npm's and git's tokens", async () => {
    const [home] = ["/usr/share/doc", "/usr/share/perl5", "/usr/share/misc", "/usr/include"].filter(
      (each) => existsSync(each),
    );
    if (home === undefined) throw new Error("a system without any of these");
    const theirs = makeSandbox(root, { hidden: [root, home] });
    const look = `ls -A "$1" /usr/etc /usr/local/etc 2>/dev/null; find /usr/etc /usr/local/etc -type f 2>/dev/null | grep -v -e /php/ -e /ssl/ -e /fonts/ -e /openssl -e /ca-cert; npm config get globalconfig 2>/dev/null | xargs -r cat 2>/dev/null; echo looked`;
    const command = {
      workspace: job,
      script: look,
      args: [home],
      timeoutMs: 60_000,
      maxOutputBytes: 100_000,
    };
    const { output } = await theirs.run(command).finally(() => theirs.stop());
    const shown = lines({ output } as CommandResult).filter(
      (line) => line !== "" && !/^\/usr.*:$|^(php|ssl|fonts|openssl.*|ca-certificates)$/.test(line),
    );
    expect(shown).toEqual(["looked"]);
  });
});
