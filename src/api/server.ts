import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { toError, UserError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { rawAnswer, SECURITY_HEADERS } from "./answers.ts";
import { createBuckets } from "./buckets.ts";
import { clientAddress, networkOf } from "./client-address.ts";
import { boundConnections } from "./connections.ts";

/** Who sends a request, as far as a door has to know. */
export interface Client {
  /** Whom it is counted under. */
  address: string;
  /** Whether it asks more often than anybody should. */
  greedy: boolean;
  /** Tells a client that waits for it (Expect: 100-continue) to send the body. */
  goOn(): void;
}

/** Answers one request; the adapter below turns it into bytes. */
export type Route = (request: IncomingMessage, client: Client) => Promise<Response>;

/** Routes by path, then by method. */
export type Routes = Record<string, Record<string, Route>>;

/** Everything one client may ask in a row, and per second after that: far above GitHub's bursts. */
const REQUESTS = { capacity: 2000, perSecond: 50 };

const LIMITS = {
  /** Time for the headers, and for the whole request (ms). */
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 5000,
  /** Bytes of the request line and all headers; GitHub's are about 1 KB. */
  maxHeaderSize: 16 * 1024,
  insecureHTTPParser: false,
  // Checked here instead, since Node's own answer lacks our headers.
  requireHostHeader: false,
};
const MOST_REQUESTS_OF_A_CONNECTION = 1000;
/** How long a request that came may still be answered when the server stops: GitHub waits no longer. */
const LONGEST_ANSWER_MS = 10_000;

/**
 * Serves routes; anything else is 404, another method 405. Resolves once it listens, with the port it
 * got. Throws UserError when it cannot listen there.
 */
export async function serve(
  routes: Routes,
  options: {
    host: string;
    port: number;
    /** Reverse proxies in front whose X-Forwarded-For is believed. */
    proxies: number;
    now: () => number;
    log: Log;
  },
): Promise<{ port: number; close(): Promise<void> }> {
  const { proxies, log } = options;
  const server = createServer(LIMITS);
  server.maxRequestsPerSocket = MOST_REQUESTS_OF_A_CONNECTION;
  const addressOf = (socket: Socket) => networkOf(socket.remoteAddress ?? "") ?? "unknown";
  const connections = boundConnections(server, { proxies, addressOf, now: options.now });
  const buckets = createBuckets({ ...REQUESTS, now: options.now });
  const tellOfProxy = once(() =>
    log.warn(
      {},
      "requests come through a proxy, so all clients count as one: set DRAFTSMITH_TRUST_PROXY to the number of proxies in front",
    ),
  );
  const known = new Map(
    Object.entries(routes).map(([path, methods]) => [path, new Map(Object.entries(methods))]),
  );

  async function answer(request: IncomingMessage, goOn: () => void): Promise<Response> {
    const address = clientAddress(request, proxies);
    const greedy = !buckets.take(address);
    if (proxies === 0 && request.headers["x-forwarded-for"] !== undefined) tellOfProxy();
    // What is posted may be GitHub's, which can look like its neighbours: its signature decides.
    if (greedy && request.method !== "POST") {
      const headers = { "retry-after": String(buckets.retryAfter(address)) };
      return new Response("too many requests\n", { status: 429, headers });
    }
    if (isAmbiguous(request)) {
      return new Response("bad request\n", { status: 400, headers: { connection: "close" } });
    }
    const methods = known.get((request.url ?? "/").split("?", 1)[0] ?? "/");
    if (!methods) return new Response("not found\n", { status: 404 });
    const route = methods.get(request.method ?? "");
    if (route) return route(request, { address, greedy, goOn });
    const headers = { allow: [...methods.keys()].join(", ") };
    return new Response("method not allowed\n", { status: 405, headers });
  }

  const take =
    (expectsContinue: boolean): RequestListener =>
    (request, response) => {
      const goOn = () => (expectsContinue ? response.writeContinue() : undefined);
      answer(request, goOn)
        .catch((thrown) => {
          // Who broke off needs no answer, and must not fill the log.
          if (!request.destroyed || request.complete) {
            log.error({ err: toError(thrown) }, "a request failed");
          }
          return new Response("internal error\n", { status: 500 });
        })
        .then((answered) => send(answered, request, response))
        .catch((thrown) => log.warn({ err: toError(thrown) }, "an answer could not be sent"));
    };
  server.on("request", take(false));
  server.on("checkContinue", take(true));
  // Without this, Node answers itself, and without our headers.
  server.on("checkExpectation", (request, response) => {
    const answered = new Response("expectation failed\n", { status: 417 });
    send(answered, request, response).catch(() => response.destroy());
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    connections.end(socket, rawAnswer(error.code));
  });
  const port = await listen(server, options);
  return {
    port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      connections.endWaiting();
      const late = setTimeout(() => server.closeAllConnections(), LONGEST_ANSWER_MS);
      await closed;
      clearTimeout(late);
    },
  };
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

/** RFC 9112: there is one Host (3.2), and the end of a body is known (6.1). Node's parser checks the rest. */
function isAmbiguous({ httpVersion, headers, headersDistinct }: IncomingMessage): boolean {
  const encoding = headers["transfer-encoding"];
  return (
    (httpVersion === "1.1" && headersDistinct.host?.length !== 1) ||
    (encoding !== undefined && encoding.toLowerCase() !== "chunked")
  );
}

/** What to do about an address that cannot be listened on. */
const REMEDY: Record<string, (host: string, port: number) => string> = {
  EADDRINUSE: (host, port) =>
    `PORT: ${port} on ${host} is in use; stop what uses it or set another PORT`,
  EACCES: (_, port) => `PORT: ${port} may not be used by this user; set one above 1023`,
  ENOTFOUND: (host) => `HOST: ${host} is not known; set a name or address of this machine`,
  EADDRNOTAVAIL: (host) => `HOST: ${host} is not an address of this machine`,
};

const otherwise = (reason: string) => (host: string, port: number) =>
  `HOST: ${host} with port ${port} cannot be listened on (${reason}); set another HOST or PORT`;

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const remedy = REMEDY[error.code ?? ""] ?? otherwise(error.message);
      reject(new UserError(`Draftsmith cannot start:\n  ${remedy(host, port)}`));
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

async function send(
  answered: Response,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeaders(new Map(Object.entries(SECURITY_HEADERS)));
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeaders(answered.headers);
  // What is left of a refused body is not read: the connection ends with the answer.
  if (!request.complete) response.setHeader("connection", "close");
  response.writeHead(answered.status);
  response.end(await answered.text());
}
