import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { forward, say } from "./forward.ts";
import type { Outlet } from "./outlet.ts";
import { tunnel } from "./tunnel.ts";

/** Whose connection this is; null for nobody's. `credentials` is its Proxy-Authorization. */
type OutletOf = (client: Duplex, credentials: string | undefined) => Outlet | null;

const CONNECTED = "HTTP/1.1 200 Connection Established\r\n\r\n";
const WHO = "Draftsmith: this proxy knows its clients by name.";
const REALM = 'Basic realm="draftsmith"';
/** Requests that a connection may send before the first of them is answered. */
const MAX_WAITING = 20;

/** An HTTP proxy that listens nowhere: connections are handed to it by emitting `connection`. */
export function createHttpSide(outletOf: OutletOf): Server & {
  /** Serves plain HTTP on a connection that was opened to port 80 of a host. */
  serve(client: Duplex, name: string, outlet: Outlet): void;
} {
  /** Connections that are a tunnel to port 80. */
  const tunnels = new WeakMap<Duplex, { name: string; outlet: Outlet }>();
  /** Requests of a connection that are not answered yet. */
  const lines = new WeakMap<Duplex, { length: number; last: Promise<void> }>();
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 });

  server.on("request", async (asked, answer) => {
    const { socket } = asked;
    answer.on("error", () => answer.destroy());
    asked.on("error", () => answer.destroy());
    const line = lines.get(socket) ?? { length: 0, last: Promise.resolve() };
    lines.set(socket, line);
    if (line.length === MAX_WAITING) return void socket.destroy();
    line.length += 1;
    const before = line.last;
    const { promise, resolve } = Promise.withResolvers<void>();
    line.last = promise.then(() => {
      line.length -= 1;
    });
    for (const end of ["finish", "close"]) answer.once(end, resolve);
    // One after another: each has a connection of its own to where it goes.
    await before;
    if (!socket.destroyed) serveRequest(asked, answer);
  });

  function serveRequest(asked: IncomingMessage, answer: ServerResponse): void {
    const inner = tunnels.get(asked.socket);
    const outlet = inner?.outlet ?? outletOf(asked.socket, asked.headers["proxy-authorization"]);
    if (outlet === null) say(answer, 407, WHO, { "proxy-authenticate": REALM });
    else forward(asked, answer, outlet, inner?.name ?? null).catch(() => answer.destroy());
  }

  server.on("connect", (asked, client, head) => {
    client.on("error", () => client.destroy());
    const outlet = outletOf(client, asked.headers["proxy-authorization"]);
    if (outlet === null) refuse(client, 407, WHO, `Proxy-Authenticate: ${REALM}\r\n`);
    else if (tunnels.has(client))
      refuse(client, 400, "Draftsmith: there is no proxy behind this one.");
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
    if (dialled.status === "refused") return refuse(client, 403, dialled.text);
    if (dialled.status === "failed") return refuse(client, 502, dialled.text);
    client.write(CONNECTED);
    await tunnel(client, dialled.socket, judged.name, outlet);
  }

  function serve(client: Duplex, name: string, outlet: Outlet): void {
    tunnels.set(client, { name, outlet });
    server.emit("connection", client);
  }

  return Object.assign(server, { serve });
}

/** Answers a CONNECT that leads nowhere; many clients show the status line and nothing else. */
function refuse(client: Duplex, status: number, text: string, header = ""): void {
  if (client.destroyed) return;
  const phrase = text.replace(/[^ -~]/g, "?");
  client.end(`HTTP/1.1 ${status} ${phrase}\r\nConnection: close\r\n${header}\r\n${text}\n`);
}
