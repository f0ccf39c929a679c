import {
  request as ask,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import type { Outlet } from "./outlet.ts";
import { tunnel } from "./tunnel.ts";

/** Whose connection this is; null for nobody's. `credentials` is its Proxy-Authorization. */
export type OutletOf = (client: Duplex, credentials: string | undefined) => Outlet | null;

/** What is between two neighbours and never passed on (RFC 9110 7.6.1), and what we set ourselves. */
const OURS = new Set([
  ...["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"],
  ...["upgrade", "proxy-authenticate", "proxy-authorization", "host", "expect"],
]);

/** A proxy server for HTTP that listens nowhere: connections are handed to it. */
export function createHttpSide(outletOf: OutletOf): Server & {
  /** Serves plain HTTP to one host on a connection, as inside a tunnel to its port 80. */
  serve(client: Duplex, name: string, outlet: Outlet): void;
} {
  /** Connections that are a tunnel to port 80 of a host. */
  const tunnels = new WeakMap<Duplex, { name: string; outlet: Outlet }>();
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 });

  server.on("request", (asked, answer) => {
    const inner = tunnels.get(asked.socket);
    const outlet = inner?.outlet ?? outletOf(asked.socket, asked.headers["proxy-authorization"]);
    answer.on("error", () => answer.destroy());
    asked.on("error", () => answer.destroy());
    if (outlet === null) {
      say(answer, 407, "Draftsmith: who asks?", {
        "proxy-authenticate": 'Basic realm="draftsmith"',
      });
      return;
    }
    forward(asked, answer, outlet, inner?.name ?? null).catch(() => answer.destroy());
  });

  server.on("connect", (asked, client, head) => {
    client.on("error", () => client.destroy());
    const inner = tunnels.has(client);
    const outlet = outletOf(client, asked.headers["proxy-authorization"]);
    if (outlet === null)
      refuse(
        client,
        407,
        "Draftsmith: who asks?",
        'Proxy-Authenticate: Basic realm="draftsmith"\r\n',
      );
    else if (inner) refuse(client, 400, "Draftsmith: no proxy here.");
    else connect(asked.url ?? "", client, head, outlet).catch(() => client.destroy());
  });

  async function connect(
    target: string,
    client: Duplex,
    head: Buffer,
    outlet: Outlet,
  ): Promise<void> {
    const [, host = "", port = ""] = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(target) ?? [];
    if (port === "") return refuse(client, 400, "Draftsmith: CONNECT takes host:port.");
    const judged = outlet.judge(host, Number(port));
    if (judged.status === "refused") return refuse(client, 403, judged.text);
    if (head.length > 0) client.unshift(head);
    if (Number(port) === 80) {
      client.write(CONNECTED);
      return serve(client, judged.name, outlet);
    }
    const dialled = await outlet.dial(judged.name, Number(port));
    if (dialled.status !== "open") {
      return refuse(client, dialled.status === "refused" ? 403 : 502, dialled.text);
    }
    client.write(CONNECTED);
    await tunnel(client, dialled.socket, judged.name, outlet);
  }

  function serve(client: Duplex, name: string, outlet: Outlet): void {
    tunnels.set(client, { name, outlet });
    server.emit("connection", client);
  }

  return Object.assign(server, { serve });
}

const CONNECTED = "HTTP/1.1 200 Connection Established\r\n\r\n";

/** Passes one request on to the host it names, on a connection of its own. */
async function forward(
  asked: IncomingMessage,
  answer: ServerResponse,
  outlet: Outlet,
  inside: string | null,
): Promise<void> {
  const target = inside === null ? absolute(asked.url) : origin(asked, inside);
  if (typeof target === "string") return say(answer, 400, target);
  const judged = outlet.judge(target.host, target.port);
  if (judged.status === "refused") return say(answer, 403, judged.text);
  if (target.port !== 80) return say(answer, 400, "Draftsmith: plain HTTP goes to port 80 only.");
  const dialled = await outlet.dial(judged.name, target.port);
  if (dialled.status !== "open") {
    return say(answer, dialled.status === "refused" ? 403 : 502, dialled.text);
  }
  const { socket } = dialled;
  const fail = () => say(answer, 502, `Draftsmith: ${judged.name} does not answer.`);
  if (answer.destroyed) return void socket.destroy();
  const upstream = ask({
    createConnection: () => socket,
    method: asked.method ?? "GET",
    path: target.path,
    setHost: false,
    headers: { ...passedOn(asked.headers), host: judged.name, ...framing(asked) },
  });
  // Once the answer comes, its own end tells whether it is whole.
  upstream.on("error", () => !answer.headersSent && fail());
  upstream.on("close", () => !answer.headersSent && fail());
  answer.on("close", () => upstream.destroy());
  upstream.on("response", (got) => {
    got.on("error", () => answer.destroy());
    try {
      answer.writeHead(got.statusCode ?? 502, passedBack(got));
    } catch {
      // What cannot be said on is no answer.
      return void upstream.destroy();
    }
    got.pipe(answer);
  });
  asked.pipe(upstream);
}

interface Target {
  host: string;
  port: number;
  path: string;
}

/** Where a request to a proxy goes; a sentence when it names no place. */
function absolute(text = ""): Target | string {
  const url = URL.parse(text);
  if (url?.protocol !== "http:")
    return "Draftsmith: this is a proxy; it takes http:// URLs and CONNECT.";
  if (url.username !== "" || url.password !== "") return "Draftsmith: a URL with a user in it.";
  const path = `${url.pathname}${url.search}`;
  return { host: url.hostname, port: url.port === "" ? 80 : Number(url.port), path };
}

/** Where a request inside a tunnel to `name` goes: what its Host header names, which is judged. */
function origin(asked: IncomingMessage, name: string): Target | string {
  const url = URL.parse(asked.url ?? "", `http://${asked.headers.host ?? name}/`);
  if (url?.protocol !== "http:" || !/^\/|^http:/i.test(asked.url ?? ""))
    return "Draftsmith: a request without a path.";
  const port = url.port === "" ? 80 : Number(url.port);
  return { host: url.hostname, port, path: `${url.pathname}${url.search}` };
}

function passedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = new Set((headers.connection ?? "").toLowerCase().split(/\s*,\s*/));
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OURS.has(name) && !named.has(name)),
  );
}

/** A body that came in chunks goes on in chunks: bytes without a frame would be a second request. */
function framing(asked: IncomingMessage): { "transfer-encoding"?: string } {
  return asked.headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" };
}

/** The header lines of an answer as they came, without what is not passed on. */
function passedBack(got: IncomingMessage): string[] {
  const named = new Set((got.headers.connection ?? "").toLowerCase().split(/\s*,\s*/));
  const lines: string[] = [];
  for (let at = 0; at + 1 < got.rawHeaders.length; at += 2) {
    const name = got.rawHeaders[at] ?? "";
    const plain = name.toLowerCase();
    if (!OURS.has(plain) && !named.has(plain)) lines.push(name, got.rawHeaders[at + 1] ?? "");
  }
  return lines;
}

function say(
  answer: ServerResponse,
  status: number,
  text: string,
  more: Record<string, string> = {},
): void {
  if (answer.headersSent || answer.destroyed) return void answer.destroy();
  answer.writeHead(status, { "content-type": "text/plain", connection: "close", ...more });
  answer.end(`${text}\n`);
}

/** Answers a CONNECT that leads nowhere; many clients show the status line and nothing else. */
function refuse(client: Duplex, status: number, text: string, header = ""): void {
  if (client.destroyed) return;
  client.end(
    `HTTP/1.1 ${status} ${text.replace(/[^ -~]/g, "?")}\r\nConnection: close\r\n${header}\r\n${text}\n`,
  );
}
