import { run, Server } from "probot";

/**
 * Serves Probot's set-up page, which registers the App from app.yml and writes `.env`; restart to use it.
 * Resolves once it listens.
 */
export async function serveSetupPage(): Promise<void> {
  // run() builds its own Server and takes no handlers in this mode, so the health check is added to the
  // list that every Server reads when it starts.
  const start = Server.prototype.start;
  Server.prototype.start = function startWithHealth(this: Server) {
    this.addHandler((request, response) => {
      if (request.url?.split("?", 1)[0] !== "/healthz") return false;
      response.writeHead(200, { "content-type": "application/json" }).end('{"status":"setup"}\n');
      return true;
    });
    return start.call(this);
  };
  await run(() => undefined);
}
