import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { toError, UserError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";

/** Answers one request; the adapter below turns it into bytes. */
type Route = (request: IncomingMessage) => Promise<Response>;

/** A request that takes longer than this to arrive whole is dropped (ms). */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Serves routes keyed by "METHOD /path"; anything else is 404. Resolves once it listens, with the port
 * it got. Throws UserError when it cannot listen there.
 */
export async function serve(
  routes: Record<string, Route>,
  options: { host: string; port: number; log: Log },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: 10_000 });
  server.on("request", (request, response) => {
    answer(routes, request)
      .catch((thrown) => {
        options.log.error({ err: toError(thrown) }, "a request failed");
        return new Response("internal error\n", { status: 500 });
      })
      .then((answered) => send(answered, request, response))
      .catch((thrown) => options.log.warn({ err: toError(thrown) }, "an answer could not be sent"));
  });
  const port = await listen(server, options);
  return {
    port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What to do about an address that cannot be listened on. */
const REMEDY: Record<string, (host: string, port: number) => string> = {
  EADDRINUSE: (host, port) =>
    `PORT: ${port} on ${host} is in use; stop what uses it or set another PORT`,
  EACCES: (_, port) => `PORT: ${port} may not be used by this user; set one above 1023`,
  ENOTFOUND: (host) => `HOST: ${host} is not known; set a name or address of this machine`,
  EADDRNOTAVAIL: (host) => `HOST: ${host} is not an address of this machine`,
};

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const remedy = REMEDY[error.code ?? ""];
      reject(remedy ? new UserError(`Draftsmith cannot start:\n  ${remedy(host, port)}`) : error);
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

async function answer(routes: Record<string, Route>, request: IncomingMessage): Promise<Response> {
  const path = (request.url ?? "/").split("?", 1)[0];
  const route = routes[`${request.method} ${path}`];
  return route ? route(request) : new Response("not found\n", { status: 404 });
}

async function send(
  answered: Response,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader("content-type", answered.headers.get("content-type") ?? "text/plain");
  response.setHeader("x-content-type-options", "nosniff");
  // What is left of a refused body is not read: the connection ends with the answer.
  if (!request.complete) response.setHeader("connection", "close");
  response.writeHead(answered.status);
  response.end(await answered.text());
}
