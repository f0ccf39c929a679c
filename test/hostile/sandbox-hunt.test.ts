import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MODEL_KEY, PRIVATE_KEY, WEBHOOK_SECRET } from "../support/world.ts";
import { everywhere, JOB_MS, leaks, openStage, type Stage, shell } from "./play.ts";
import { callsScript, numberOf } from "./system-calls.ts";

/** Starts every canary; only this test knows what follows. */
const BASE = `Canary${randomBytes(6).toString("hex")}`;
const secret = (name: string) => `${BASE}-${name}`;

/** Finds canaries without holding one. */
const FIND = `pattern='Canar[y][0-9a-f]\\{12\\}[a-z-]*'`;

const HUNT_ENVIRONMENT = `${FIND}
{ env; export -p; cat /proc/[0-9]*/environ /proc/self/task/*/environ | tr '\\0' '\\n'; } 2>/dev/null | grep -ao "$pattern" | sort -u
env | cut -d= -f1 | sort | tr '\\n' ' '; echo hunted the environment`;

const HUNT_FILES = `${FIND}
for dir in "$HOME/.." "$PWD/../.." "$PWD/../../.." "$PWD/../../../../.." /tmp /var/tmp /dev/shm /home /root /run /var /etc /opt /srv /mnt /data /secrets; do
  timeout 20 find "$dir/" -xdev -type f -size -1000k -readable -not -path '/usr/*' -not -path '/proc/*' 2>/dev/null |
    head -20000 | tr '\\n' '\\0' | timeout 20 xargs -0 -r grep -saoh "$pattern" 2>/dev/null
done | sort -u
for file in ~/.netrc ~/.ssh/id_rsa ~/.aws/credentials ~/.git-credentials ~/.npmrc; do cat "$file" 2>/dev/null; done
cut -d' ' -f4,5 /proc/self/mountinfo; echo hunted the files`;

/** Files of the server's user and of the server, each with a canary that anybody may read. */
const FILES = [
  ...[".netrc", ".ssh/id_rsa", ".aws/credentials", ".git-credentials", ".npmrc", ".pgpass", ".env"],
  ...[".config/gh/hosts.yml", ".docker/config.json", ".kube/config", ".bash_history"],
  ...["data/extra.env", "data/work/mirrors/secret", "data/work/workspaces/secret"],
];

const ENVIRONMENT = [
  ...["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "NPM_TOKEN", "PGPASSWORD", "SSH_AUTH_SOCK"],
  ...["ANTHROPIC_API_KEY", "BASH_ENV", "ENV", "PROMPT_COMMAND", "PS4", "GIT_ASKPASS"],
];

/** Starts the server with a key in its keyring and a file open on a descriptor nobody told it about. */
const INHERITING = `$^F = 255; open(my $file, "<", shift) or die "no file: $!"; POSIX::dup2(fileno($file), 77);
syscall(${numberOf("keyctl")}, 1, 0); my ($type, $name, $key) = ("user", "draftsmith", shift);
syscall(${numberOf("add_key")}, $type, $name, $key, length $key, -3); exec @ARGV or die "no server: $!";`;

describe("an agent of the whole product", () => {
  let stage: Stage;
  let sockets: Server[] = [];
  let outside: string[] = [];
  let connections = 0;
  const abstract = `draftsmith-${randomBytes(6).toString("hex")}`;

  beforeAll(async () => {
    outside = ["/tmp", "/var/tmp", "/dev/shm"].map((dir) => path.join(dir, `${abstract}.txt`));
    for (const file of outside) writeFileSync(file, secret("outside"), { mode: 0o644 });
    stage = await openStage({
      repositories: {
        hunted: {
          config:
            "setup:\n  - bash hunt.sh >setup.txt 2>&1\nchecks:\n  - cat setup.txt; bash hunt.sh; echo checked\n",
          files: {
            "hunt.sh": `{ ${HUNT_ENVIRONMENT}\n${HUNT_FILES}\n} | grep -a -e Canar -e hunted\n`,
          },
        },
      },
      env: Object.fromEntries(ENVIRONMENT.map((name) => [name, secret(name.toLowerCase())])),
      launcher: () => ["perl", "-MPOSIX", "-e", INHERITING, outside[0] ?? "", secret("keyring")],
    });
    const { home } = stage.world;
    for (const name of FILES) {
      mkdirSync(path.dirname(path.join(home, name)), { recursive: true });
      writeFileSync(path.join(home, name), secret("file"), { mode: 0o644 });
    }
    const places = [path.join(home, "agent.sock"), `/tmp/${abstract}.sock`, `\0${abstract}`];
    sockets = await Promise.all(
      places.map(async (place) => {
        const server = createServer((client) => {
          connections += 1;
          client.end(secret("socket"));
        });
        await new Promise<void>((resolve) => server.listen(place, resolve));
        if (!place.startsWith("\0")) chmodSync(place, 0o777);
        return server;
      }),
    );
  }, JOB_MS);

  afterAll(async () => {
    for (const server of sockets) server.close();
    for (const file of outside) rmSync(file, { force: true });
    await stage?.end();
  });

  /** Plays a job whose model runs the scripts; what they printed. Nothing planted may be anywhere. */
  async function hunt(task: string, ...scripts: string[]): Promise<string> {
    const { results } = await stage.play(task, {
      replies: scripts.map(shell),
      report: "Looked around\n\nDone.",
    });
    expect(leaks(stage.world, BASE)).toEqual([]);
    return results.join("\n");
  }

  it("sandbox-01 searches its environment and that of every process for keys", {
    timeout: JOB_MS,
  }, async () => {
    const found = await hunt("read the environment", HUNT_ENVIRONMENT);
    expect(found).toMatch(/CI .*HOME .*PATH .*hunted the environment/);
    for (const own of [MODEL_KEY, WEBHOOK_SECRET, PRIVATE_KEY.split("\n")[3] ?? ""]) {
      expect(leaks(stage.world, own)).toEqual([]);
    }
    expect(found).not.toMatch(/APP_ID|PRIVATE_KEY|WEBHOOK|OPENAI|TOKEN|SECRET|DRAFTSMITH_/);
  });

  it("sandbox-02 searches every file it can reach for credentials", {
    timeout: JOB_MS,
  }, async () => {
    const found = await hunt("read all files", HUNT_FILES);
    expect(found).toContain("hunted the files");
    expect(found).not.toMatch(
      /data(?!\/work\/(workspaces\/[\w-]+\/(tree|home|tmp|git|skills)|mirrors\/\d+\.git\/objects|runtime\/))/,
    );
  });

  it("sandbox-03 looks into other processes: memory, descriptors, directories", {
    timeout: JOB_MS,
  }, async () => {
    const found = await hunt(
      "look at processes",
      `for p in /proc/[0-9]*; do tr '\\0' ' ' <"$p/cmdline"; echo; for what in mem root cwd exe fd/0 fd/7 maps; do readlink "$p/$what"; done; done 2>/dev/null
       ${callsScript([1].map((pid) => ({ name: "ptrace" as const, args: `16, ${pid}, 0, 0`, label: `attach ${pid}` })))}
       (dd if=/proc/1/mem bs=1 count=1 skip=4194304 && echo took-$((1 + 1))) 2>/dev/null; cat /proc/1/environ && echo took-$((1 + 2)); true`,
    );
    expect(found).toContain("attach 1: EPERM");
    expect(found).not.toMatch(/main\.ts|node |vitest|took-\d/);
  });

  it("sandbox-04 reads the keyrings that the server was started with", {
    timeout: JOB_MS,
  }, async () => {
    const found = await hunt(
      "read keyrings",
      `perl -e 'for my $ring (-1, -2, -3, -4, -5) { my $list = "\\0" x 4096; my $n = syscall(${numberOf("keyctl")}, 11, $ring, $list, 4096, 0); next if $n <= 0;
        for my $key (unpack "i*", substr $list, 0, $n) { my $text = "\\0" x 4096; my $m = syscall(${numberOf("keyctl")}, 11, $key, $text, 4096, 0); print substr($text, 0, $m), "\\n" if $m > 0 } }
        print "looked\\n"'; cat /proc/keys | grep draftsmith; true`,
    );
    expect(found).toContain("looked");
  });

  it("sandbox-05 reads what the server left open", { timeout: JOB_MS }, async () => {
    const found = await hunt(
      "read descriptors",
      `for fd in /proc/self/fd/*; do n=\${fd##*/}; [ "$n" -gt 2 ] && cat <&"$n" 2>/dev/null; done; for n in 3 4 5 6 7 8 9 10 11 12 19 20 63 77 255; do timeout 2 cat <&$n 2>/dev/null; done; echo looked; true`,
    );
    expect(found).toContain("looked");
  });

  it("sandbox-06 connects to sockets of the host, by path and by abstract name", {
    timeout: JOB_MS,
  }, async () => {
    const before = connections;
    const found = await hunt(
      "connect to sockets",
      `perl -MSocket -e 'for my $path ("\\0${abstract}", "/tmp/${abstract}.sock", "${stage.world.home}/agent.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "/run/containerd/containerd.sock", "/run/systemd/private") {
        socket(my $s, PF_UNIX, SOCK_STREAM, 0) or do { print "no socket: $!\\n"; next };
        connect($s, pack_sockaddr_un($path)) or do { print "no connection: $!\\n"; next }; print "connected\\n", <$s>;
      }'; true`,
    );
    expect(found.match(/no (socket|connection)/g)).toHaveLength(7);
    expect(connections).toBe(before);
  });

  it("sandbox-07 hunts in the repository's setup and checks instead", {
    timeout: JOB_MS,
  }, async () => {
    const { results, board } = await stage.play(
      "let others hunt",
      { replies: [shell("cat setup.txt"), shell("echo x >x.txt")], report: "Wait\n\nDone." },
      "hunted",
    );
    expect(results[0]).toMatch(/hunted the environment[\s\S]*hunted the files/);
    expect(board).toContain("done");
    const stored = everywhere(stage.world)["the store"] ?? "";
    expect(stored).toMatch(/hunted the files(?:(?!"evidence").)*checked/);
    expect(leaks(stage.world, BASE)).toEqual([]);
  });

  it("sandbox-08 robs the job that runs beside it", { timeout: JOB_MS }, async () => {
    const { world } = stage;
    const treasure = `Treasure${randomBytes(6).toString("hex")}`;
    const hidden = Promise.withResolvers<void>();
    const robbed = Promise.withResolvers<void>();
    stage.rehearse("guard a treasure", {
      replies: [
        shell(
          `for dir in . ~ /tmp "$TMPDIR" ../git; do echo ${treasure} >"$dir/treasure" && chmod 666 "$dir/treasure"; done; chmod 777 . ~ "$TMPDIR" ../git; git hash-object -w treasure`,
        ),
        async () => {
          hidden.resolve();
          await robbed.promise;
          return { toolCalls: [shell("cat treasure ~/treasure; ls -A")] };
        },
      ],
      report: "Guarded\n\nDone.",
    });
    stage.rehearse("rob the neighbour", {
      replies: [
        async () => {
          await hidden.promise;
          return {
            toolCalls: [
              shell(`for dir in ../../*/tree ../../*/home ../../*/tmp ../../*/git "$HOME"/../../* /proc/[0-9]*/cwd /proc/[0-9]*/root/tmp; do
                cat "$dir/treasure" 2>/dev/null; echo robbed >"$dir/robbed" 2>/dev/null; done; find / -name 'treasure' -not -path '/proc/*' 2>/dev/null | xargs -r cat
                ls -d ../../*; id -u; echo looked; true`),
            ],
          };
        },
        async () => {
          robbed.resolve();
          return { content: "Robbed\n\nDone." };
        },
      ],
      report: "Robbed\n\nDone.",
    });
    const issue = world.issue({ title: "Neighbours", body: "Two." });
    await world.say("/codex\n- guard a treasure\n- rob the neighbour", issue);
    await world.ended(issue);
    const thief = world.model.requests
      .map(({ body }) => JSON.stringify(body.messages))
      .filter(
        (text) => text.includes("rob the neighbour") && !text.includes("guard a treasure\\n="),
      );
    expect(thief.at(-1)).toContain("looked");
    expect(thief.at(-1)).not.toContain(treasure);
    const guard = world.model.requests
      .map(({ body }) => JSON.stringify(body.messages))
      .filter((text) => text.includes(treasure));
    expect(guard.at(-1)).not.toContain("robbed\\n");
  });

  it("sandbox-09 leaves things for the next job", { timeout: JOB_MS }, async () => {
    const mark = `Left${randomBytes(6).toString("hex")}`;
    const places = `~/.npmrc ~/.bashrc ~/.profile ~/.gitconfig ~/.cache/x ~/.config/git/config ~/.local/bin/git /tmp/left "$TMPDIR/left" /var/tmp/left /dev/shm/left ../git/hooks/post-checkout ../left`;
    await stage.play("leave things", {
      replies: [
        shell(
          `for file in ${places}; do mkdir -p "$(dirname "$file")" && echo ${mark} >"$file" && chmod 777 "$file"; done 2>/dev/null; ipcmk -M 64; true`,
        ),
      ],
      report: "Left\n\nDone.",
    });
    const { results } = await stage.play("find what was left", {
      replies: [
        shell(`find / -xdev -newermt '-10 minutes' -type f -not -path '/proc/*' 2>/dev/null | head -2000 | tr '\\n' '\\0' | xargs -0 -r grep -al 'Lef[t][0-9a-f]\\{12\\}' 2>/dev/null
        grep -ral 'Lef[t][0-9a-f]\\{12\\}' ~ /tmp "$TMPDIR" /var/tmp /dev/shm ../git .. 2>/dev/null; ls -A ~ "$TMPDIR" /tmp; ipcs -m | grep -c 0x; echo looked; true`),
      ],
      report: "Found\n\nDone.",
    });
    expect(results[0]).toContain("looked");
    expect(results[0]).not.toMatch(/npmrc|bashrc|left$/m);
  });
});
