import {
  request as ask,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Outlet } from "./outlet.ts";

/** What is between two neighbours and never passed on (RFC 9110 7.6.1), and what we set ourselves. */
const OURS = new Set([
  ...["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"],
  ...["upgrade", "proxy-authenticate", "proxy-authorization", "host", "expect"],
]);

/**
 * Passes one request on to the host it names, on a connection of its own. `inside` is the host of the
 * tunnel it came through, if any. Never rejects for what client or host do.
 */
export async function forward(
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
  if (dialled.status === "refused") return say(answer, 403, dialled.text);
  if (dialled.status === "failed") return say(answer, 502, dialled.text);
  const { socket } = dialled;
  if (answer.destroyed) return void socket.destroy();
  const upstream = ask({
    createConnection: () => socket,
    method: asked.method ?? "GET",
    path: target.path,
    setHost: false,
    headers: { ...passedOn(asked.headers), host: judged.name, ...framing(asked) },
  });
  const fail = () => {
    if (!answer.headersSent) say(answer, 502, `Draftsmith: ${judged.name} does not answer.`);
  };
  // Once the answer comes, its own end tells whether it is whole.
  upstream.on("error", fail);
  upstream.on("close", fail);
  upstream.on("response", (got) => {
    got.on("error", () => answer.destroy());
    if (begin(answer, got)) got.pipe(answer);
    else upstream.destroy();
  });
  answer.on("close", () => upstream.destroy());
  asked.pipe(upstream);
}

/** Answers a request that is not passed on. */
export function say(
  answer: ServerResponse,
  status: number,
  text: string,
  more: Record<string, string> = {},
): void {
  if (answer.headersSent || answer.destroyed) return void answer.destroy();
  answer.writeHead(status, { "content-type": "text/plain", connection: "close", ...more });
  answer.end(`${text}\n`);
}

interface Target {
  host: string;
  port: number;
  path: string;
}

/** Where a request to a proxy goes; a sentence when it names no place. */
function absolute(text = ""): Target | string {
  const url = URL.parse(text);
  if (url?.protocol !== "http:") {
    return "Draftsmith: this is a proxy; it takes http:// URLs and CONNECT.";
  }
  if (url.username !== "" || url.password !== "") return "Draftsmith: a URL with a user in it.";
  const path = `${url.pathname}${url.search}`;
  return { host: url.hostname, port: url.port === "" ? 80 : Number(url.port), path };
}

/** Where a request inside a tunnel to `name` goes: to the host it names itself, which is judged anew. */
function origin(asked: IncomingMessage, name: string): Target | string {
  const { url = "" } = asked;
  return absolute(url.startsWith("/") ? `http://${asked.headers.host ?? name}${url}` : url);
}

function passedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = namedBy(headers.connection);
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OURS.has(name) && !named.has(name)),
  );
}

/** A body goes on in the frame it came in, whatever Connection says: bytes without one would be a second request. */
function framing({ headers }: IncomingMessage): IncomingHttpHeaders {
  const length = headers["content-length"];
  if (headers["transfer-encoding"] !== undefined) return { "transfer-encoding": "chunked" };
  return length === undefined ? {} : { "content-length": length };
}

/** Passes the head of an answer back; false when it is none that can be said on. */
function begin(answer: ServerResponse, got: IncomingMessage): boolean {
  const { statusCode = 0, rawHeaders } = got;
  // Below it are answers to what was not asked, such as a change of protocol.
  if (statusCode < 200) return false;
  const named = namedBy(got.headers.connection);
  const lines: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    const plain = name.toLowerCase();
    if (!OURS.has(plain) && !named.has(plain)) lines.push(name, rawHeaders[at + 1] ?? "");
  }
  try {
    answer.writeHead(statusCode, lines);
    return true;
  } catch {
    return false;
  }
}

/** Headers that a Connection header calls its own. */
function namedBy(connection = ""): Set<string> {
  return new Set(connection.toLowerCase().split(/\s*,\s*/));
}
