import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CommandResult, Sandbox, SandboxCommand, Workspace } from "../../../src/core/ports.ts";
import { type InternetStandIn, startInternet } from "../../support/internet.ts";
import { makeRoot, makeSandbox, makeWorkspace } from "../../support/workspace.ts";

let internet: InternetStandIn;
let root: string;
let sandbox: Sandbox & { stop(): Promise<void> };
let one: Workspace;
let two: Workspace;
let removeRoot: () => Promise<void>;

beforeAll(async () => {
  internet = await startInternet();
  ({ root, remove: removeRoot } = await makeRoot());
  sandbox = makeSandbox(root, { internet });
  [one, two] = [await makeWorkspace(root, "one"), await makeWorkspace(root, "two")];
});

beforeEach(() => internet.forget());

afterAll(async () => {
  await sandbox.stop();
  await internet.close();
  await removeRoot();
});

function run(script: string, more: Partial<SandboxCommand> = {}): Promise<CommandResult> {
  return sandbox.run({
    workspace: one,
    script,
    timeoutMs: 20_000,
    maxOutputBytes: 100_000,
    ...more,
  });
}

const GET = 'for url in "$@"; do curl -sS --max-time 5 "$url" 2>&1; done';

describe("network of a command", () => {
  it("is what its list names, on web ports, and nothing else", async () => {
    const { output, deniedHosts } = await run(GET, {
      network: ["registry.example.org", "*.example.com"],
      args: [
        "http://registry.example.org/a",
        "http://deep.cdn.example.com/b",
        "http://example.com/c",
        "http://registry.example.org:8080/d",
        "http://evil-registry.example.org/e",
        "http://registry.example.org.evil.net/f",
        "http://169.254.169.254/g",
      ],
    });
    expect(internet.requests).toEqual([
      "GET registry.example.org /a",
      "GET deep.cdn.example.com /b",
    ]);
    expect(output.match(/hello/g)).toHaveLength(2);
    expect(deniedHosts).toEqual([
      "169.254.169.254:80",
      "evil-registry.example.org:80",
      "example.com:80",
      "registry.example.org.evil.net:80",
      "registry.example.org:8080",
    ]);
  });

  it("tunnels TLS to allowed names, and names the others to the client and to us", async () => {
    const { output, deniedHosts } = await run(GET, {
      network: ["a.example.org"],
      args: ["https://a.example.org/", "https://b.example.org/", "http://b.example.org/"],
    });
    expect(internet.connected).toHaveLength(1);
    expect(internet.bytes.toString("latin1")).toContain("a.example.org");
    expect(output).toMatch(/CONNECT tunnel failed, response 403/);
    expect(output).toMatch(/b\.example\.org:80 is not reachable.*`network:`/);
    expect(deniedHosts).toEqual(["b.example.org:443", "b.example.org:80"]);
  });

  it("is named when there is none at all, by each protocol a program may speak", async () => {
    const { deniedHosts } = await run(
      `curl -s http://http.example.org
       curl -s https://https.example.org
       curl -s -x "socks5h://127.0.0.1:3128" https://socks.example.org
       curl -s -x "socks5://127.0.0.1:3128" http://192.0.2.7
       curl -s -x "$http_proxy" -p http://tunnel.example.org; true`,
      { network: [] },
    );
    expect(deniedHosts).toEqual([
      "192.0.2.7:80",
      "http.example.org:80",
      "https.example.org:443",
      "socks.example.org:443",
      "tunnel.example.org:80",
    ]);
    expect(internet.looked).toEqual([]);
  });

  it("belongs to one command: neither a job beside it nor the next command has it", async () => {
    const wanted = { args: ["http://a.example.org/", "http://b.example.org/"] };
    const [ofOne, ofTwo] = await Promise.all([
      run(GET, { ...wanted, network: ["a.example.org"] }),
      run(GET, { ...wanted, network: ["b.example.org"], workspace: two }),
    ]);
    expect(ofOne.output).toMatch(/^hello\n.*not reachable/s);
    expect(ofTwo.output).toMatch(/not reachable.*\nhello\n$/s);
    expect([ofOne.deniedHosts, ofTwo.deniedHosts]).toEqual([
      ["b.example.org:80"],
      ["a.example.org:80"],
    ]);
    const later = await run(GET, { ...wanted, network: ["b.example.org"] });
    expect(later.deniedHosts).toEqual(["a.example.org:80"]);
    expect((await run("true", { network: [] })).deniedHosts).toEqual([]);
  });

  it("is bounded by the operator's list, whatever the repository's says", async () => {
    const bounded = makeSandbox(root, { internet, network: ["*.example.org"] });
    const { deniedHosts } = await bounded.run({
      workspace: one,
      script: GET,
      args: ["http://a.example.org/", "http://a.example.net/"],
      network: ["a.example.org", "a.example.net"],
      timeoutMs: 20_000,
      maxOutputBytes: 10_000,
    });
    expect(deniedHosts).toEqual(["a.example.net:80"]);
    expect(internet.requests).toEqual(["GET a.example.org /"]);
    await bounded.stop();
  });

  it("has settings that say nothing of the server, and is not even a proxy without a list", async () => {
    const none = await run("env | grep -ic proxy; ls /dev; (exec 3<>/dev/tcp/127.0.0.1/3128) 2>&1");
    expect(none.output).toMatch(/^0\n.*refused/s);
    expect(none.output).not.toContain("draftsmith");
    const { output } = await run("env", { network: ["a.example.org"] });
    expect(output).toContain("HTTPS_PROXY=http://127.0.0.1:3128\n");
    expect(output).toMatch(/JAVA_TOOL_OPTIONS=.*-Dhttps\.proxyHost=127\.0\.0\.1/);
    expect(output).not.toContain(root.slice(1).concat("/runtime"));
    // Java says on standard error that it read them, which only a command with network has to bear.
    expect((await run("env", { network: [] })).output).not.toContain("JAVA_TOOL_OPTIONS");
  });

  it("is there from the first instruction on, and leaves servers of the command's own alone", async () => {
    const { output, deniedHosts } = await run(
      `exec 3<>/dev/tcp/127.0.0.1/3128; echo connected
       node -e 'require("http").createServer((_, answer) => answer.end("own\\n")).listen(8000)' &
       for try in {1..100}; do (exec 4<>/dev/tcp/127.0.0.1/8000) 2>/dev/null && break; sleep 0.05; done
       curl -sS http://127.0.0.1:8000/; curl -sS http://localhost:8000/`,
      { network: [] },
    );
    expect(output).toBe("connected\nown\nown\n");
    expect(deniedHosts).toEqual([]);
  });

  it("cannot be given a domain that nobody may be given", async () => {
    for (const domain of ["*.com", "*.github.io", "127.0.0.1", "localhost", "*"]) {
      await expect(run("true", { network: [domain] })).rejects.toThrow(JSON.stringify(domain));
    }
  });
});
