import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, createServer as createTcpServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import type { Internet } from "../../src/adapters/sandbox/network/internet.ts";

/** An address that is public, at which the stand-in has a server. */
export const PUBLIC = "93.184.215.14";

/**
 * The network outside as the proxy sees it: a resolver whose answers a test chooses, and real servers on
 * loopback in place of whatever stands at the addresses. What was asked is kept.
 */
export interface InternetStandIn extends Internet {
  /** Answers to look-ups of a name, one after another; the last one stays. Unknown names have PUBLIC. */
  answers: Map<string, string[][]>;
  /** Names that were looked up. */
  looked: string[];
  /** Addresses that were connected to, with the port. */
  connected: string[];
  /** Requests that arrived at port 80, with the host they were for and their body. */
  requests: string[];
  /** Bytes that arrived at port 443. */
  bytes: Buffer;
  /** Answers requests to port 80. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  forget(): void;
  close(): Promise<void>;
}

export async function startInternet(): Promise<InternetStandIn> {
  const web = createServer(async (request, response) => {
    const body = await text(request).catch(() => "(broken)");
    const { method, headers, url } = request;
    standIn.requests.push(`${method} ${headers.host} ${url}${body && ` ${body}`}`);
    standIn.answer(request, response);
  });
  const secure = createTcpServer({ allowHalfOpen: true }, (client) => {
    client.on("error", () => client.destroy());
    client.on("data", (bytes) => {
      standIn.bytes = Buffer.concat([standIn.bytes, bytes]);
      client.write("welcome\n");
    });
    client.on("end", () => client.end("goodbye\n"));
  });
  const standIn: InternetStandIn = {
    answers: new Map(),
    looked: [],
    connected: [],
    requests: [],
    bytes: Buffer.alloc(0),
    answer: (_, response) => void response.end("hello\n"),
    async lookup(name) {
      standIn.looked.push(name);
      const left = standIn.answers.get(name);
      if (left === undefined) return [PUBLIC];
      return (left.length > 1 ? left.shift() : left[0]) ?? [];
    },
    async connect(addresses, port) {
      standIn.connected.push(`${addresses.join("|")}:${port}`);
      const to = portOf(port === 80 ? web : secure);
      const socket = connect({ port: to, host: "127.0.0.1", allowHalfOpen: true });
      await once(socket, "connect");
      return socket;
    },
    forget() {
      standIn.answers.clear();
      for (const list of [standIn.looked, standIn.connected, standIn.requests]) list.length = 0;
      standIn.bytes = Buffer.alloc(0);
      standIn.answer = (_, response) => void response.end("hello\n");
    },
    async close() {
      web.closeAllConnections();
      for (const server of [web, secure]) server.close();
    },
  };
  for (const server of [web, secure]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  return standIn;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** The first bytes that a TLS client sends which wants to speak to `name`; null: one that names nobody. */
export async function helloTo(name: string | null): Promise<Buffer> {
  const server = createTcpServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connectTls({
    port: portOf(server),
    host: "127.0.0.1",
    ...(name === null ? {} : { servername: name }),
  });
  client.on("error", () => client.destroy());
  const [accepted] = await once(server, "connection");
  const [hello] = await once(accepted, "data");
  client.destroy();
  accepted.destroy();
  server.close();
  return hello;
}
