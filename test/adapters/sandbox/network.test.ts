import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Sandbox, SandboxCommand, Workspace } from "../../../src/core/ports.ts";
import { makeRoot, makeSandbox, makeWorkspace } from "../../support/workspace.ts";

/** Stands where a company's outgoing proxy stands, so that no name is resolved and nothing leaves this machine. */
let outside: Server;
let asked: string[];
let port: number;
let sandbox: Sandbox & { stop(): Promise<void> };
let one: Workspace;
let two: Workspace;
let removeRoot: () => Promise<void>;

beforeAll(async () => {
  outside = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end("hello\n");
  });
  outside.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.end("HTTP/1.1 200 OK\r\n\r\n");
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  port = (outside.address() as AddressInfo).port;
  process.env.HTTP_PROXY = `http://127.0.0.1:${port}`;
  process.env.JAVA_TOOL_OPTIONS = "-Dcanary=1";
  const made = await makeRoot();
  removeRoot = made.remove;
  sandbox = makeSandbox(made.root);
  [one, two] = [await makeWorkspace(made.root, "one"), await makeWorkspace(made.root, "two")];
});

beforeEach(() => {
  asked = [];
});

afterAll(async () => {
  await sandbox.stop();
  outside.closeAllConnections();
  outside.close();
  await removeRoot();
});

async function output(script: string, more: Partial<SandboxCommand> = {}): Promise<string> {
  const command = { workspace: one, script, timeoutMs: 20_000, maxOutputBytes: 100_000, ...more };
  return (await sandbox.run(command)).output;
}

const GET = 'for url in "$@"; do curl -sS --max-time 5 "$url" 2>&1; done';

describe("network of a command", () => {
  it("is what its list names, on web ports, and nothing else", async () => {
    const text = await output(GET, {
      network: ["registry.example.org", "*.example.com"],
      args: [
        "http://registry.example.org/a",
        "http://deep.cdn.example.com/b",
        "http://example.com/c",
        "http://registry.example.org:8080/d",
        "http://evil-registry.example.org/e",
        "http://registry.example.org.evil.net/f",
        `http://127.0.0.1:${port}/g`,
        "http://169.254.169.254/h",
      ],
    });
    expect(asked).toEqual([
      "GET http://registry.example.org/a",
      "GET http://deep.cdn.example.com/b",
    ]);
    expect(text.match(/hello/g)).toHaveLength(2);
  });

  it("tunnels TLS to allowed names only", async () => {
    await output(GET, {
      network: ["a.example.org"],
      args: ["https://a.example.org/", "https://b.example.org/"],
    });
    expect(asked).toEqual(["CONNECT a.example.org:443"]);
  });

  it("cannot smuggle a name past the list", async () => {
    const script = `
      auth=$(printf %s "$HTTP_PROXY" | sed 's,.*//\\(.*\\)@.*,\\1,; s,%3D,=,g' | tr -d '\\n' | base64 -w0)
      for host in 'evil.net\\0.a.example.org' '[::1]' 2130706433 127.1 'a.example.org@evil.net' localhost; do
        exec 3<>/dev/tcp/127.0.0.1/3128
        printf "CONNECT $host:443 HTTP/1.1\\r\\nHost: $host:443\\r\\nProxy-Authorization: Basic $auth\\r\\n\\r\\n" >&3
        head -n 1 <&3; exec 3>&-
      done`;
    const text = await output(script, { network: ["a.example.org"] });
    expect(text.trim().split("\n")).toHaveLength(6);
    expect(text).not.toMatch(/ 200 /);
    expect(asked).toEqual([]);
  });

  it("belongs to one command: neither a job beside it nor the next command has it", async () => {
    const wanted = { args: ["http://a.example.org/", "http://b.example.org/"] };
    const [ofOne, ofTwo] = await Promise.all([
      output(GET, { ...wanted, network: ["a.example.org"] }),
      output(GET, { ...wanted, network: ["b.example.org"], workspace: two }),
    ]);
    expect(ofOne).toMatch(/^hello\n.*blocked/s);
    expect(ofTwo).toMatch(/blocked.*\nhello\n$/s);
    expect(asked.sort()).toEqual(["GET http://a.example.org/", "GET http://b.example.org/"]);
    const proxy = await output('printf %s "$HTTP_PROXY"', { network: ["a.example.org"] });
    const later = await output(`curl -sS --max-time 5 -x "$1" http://a.example.org/`, {
      args: [proxy],
      network: ["b.example.org"],
    });
    expect(later).toContain("blocked");
  });

  it("is not even a proxy for a command without a list, and its settings say nothing of the server", async () => {
    expect(await output("env | grep -ic proxy; (exec 3<>/dev/tcp/127.0.0.1/3128) 2>&1")).toMatch(
      /^0\n.*refused/s,
    );
    const settings = await output("env", { network: ["a.example.org"] });
    expect(settings).toContain("HTTPS_PROXY=http://");
    expect(settings).toMatch(/JAVA_TOOL_OPTIONS=-javaagent:\S+\/srt-proxy-agent\.jar\n/);
    expect(settings).not.toContain("canary");
    expect(settings).not.toContain(String(port));
  });
});
