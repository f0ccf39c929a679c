import { createPrivateKey } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { toError, UserError } from "../core/errors.ts";
import { readBody } from "./read-body.ts";
import type { Route, Routes } from "./server.ts";
import { createSetupGuard, isLocalName } from "./setup-guard.ts";
import { importPage, registerPage, savedPage } from "./setup-html.ts";

const MAX_FORM_BYTES = 64 * 1024;
/** What GitHub gives for a registered App is asked for with a code of this form, good for an hour. */
const CODE = /^[\w-]{1,200}$/;
const HOST = /^([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?$/i;

/** The credentials of an App as GitHub gave them. */
interface NewApp {
  appId: number;
  privateKey: string;
  /** Null when the App was registered without a webhook. */
  webhookSecret: string | null;
  /** The App's page on GitHub. */
  page: string;
}

export interface SetupDeps {
  /** Whether the server listens on this machine only. */
  bound: boolean;
  /** Random: the token that is printed, and the session of the one who is let in. */
  token: string;
  session: string;
  /** What app.yml says. */
  manifest: Record<string, unknown>;
  /** Origin of GitHub, and the page of it that registers Apps. */
  webUrl: string;
  registerUrl: string;
  /** Exchanges a code of GitHub's for the App's credentials. */
  convert: (code: string) => Promise<NewApp>;
  /** Whether credentials stand in `.env` by now. */
  configured: () => boolean;
  /** Writes credentials to `.env`. Throws UserError when they cannot be written. */
  save: (app: Omit<NewApp, "page">) => void;
  say: (line: string) => void;
}

/**
 * The pages that register the App from app.yml (docs.github.com: registering a GitHub App from a
 * manifest) or take an existing one's credentials, at the addresses of Probot's own set-up page. That
 * one lets any web page and anybody who reaches it set or replace the credentials, and stays open.
 * These answer 404 as soon as there are credentials.
 */
export function setupRoutes(deps: SetupDeps): Routes {
  const guard = createSetupGuard(deps);
  const github = new URL(deps.webUrl).origin;
  let closed = false;

  /** A route for whoever was let in, while there are no credentials yet. */
  const guarded =
    (work: (request: IncomingMessage) => Promise<Response> | Response): Route =>
    async (request) => {
      if (closed || deps.configured()) return plain(404, "not found");
      const { entered, cookie } = guard.enter(request);
      if (!entered) {
        return plain(
          403,
          "open this page on the server's own machine, or with the token that it printed",
        );
      }
      // The token leaves the address bar at once.
      const here = new URL(request.url ?? "/", "http://localhost");
      const answer = here.searchParams.has("token")
        ? redirect(303, "/probot")
        : await work(request);
      if (cookie !== null) answer.headers.append("set-cookie", cookie);
      return answer;
    };

  function save(app: Omit<NewApp, "page">): void {
    deps.save(app);
    closed = true;
    deps.say("The App's credentials are in .env; start the server again to use them.");
  }

  const register = guarded((request) => {
    const base = baseOf(request);
    if (base === null) return plain(400, "this is no address to come back to");
    const address = publicAddress(request, base);
    const manifest = JSON.stringify({
      ...deps.manifest,
      redirect_url: `${base}/probot/setup`,
      hook_attributes: hookOf(address),
    });
    const action = `${deps.registerUrl}?state=${guard.proof}`;
    return registerPage({ action, manifest, address, github });
  });

  const finish = guarded(async (request) => {
    const query = new URL(request.url ?? "/", "http://localhost").searchParams;
    const code = query.get("code") ?? "";
    if (!guard.proves(request, query.get("state") ?? "")) {
      return plain(403, "this registration was not begun here; open /probot and begin again");
    }
    if (!CODE.test(code)) return plain(400, "code missing or invalid");
    const app = await deps.convert(code).catch((thrown: unknown) => toError(thrown));
    if (app instanceof Error) {
      deps.say(`GitHub did not give the credentials of the App: ${app.message}`);
      return plain(
        502,
        "GitHub did not give the credentials of the App; the server's console says why",
      );
    }
    save(app);
    if (app.webhookSecret === null) {
      const notice = `In the App's settings (${app.page}) set the webhook's URL and, as its secret, the WEBHOOK_SECRET of .env.`;
      return savedPage(notice, github);
    }
    const next = new URL(app.page);
    const known = next.origin === github;
    return known
      ? redirect(302, `${next.href}/installations/new`)
      : savedPage("Install the App on GitHub.", github);
  });

  const take = guarded(async (request) => {
    const body = await readBody(request, { most: MAX_FORM_BYTES });
    const form = new URLSearchParams(body.status === "read" ? body.bytes.toString("utf8") : "");
    if (!guard.proves(request, form.get("proof") ?? "")) {
      return plain(403, "this form was not sent from this server's own page");
    }
    const problem = problemOf(form);
    if (problem !== null) return importPage(guard.proof, problem, github);
    try {
      save({
        appId: Number(form.get("app_id")),
        privateKey: (form.get("private_key") ?? "").replaceAll("\r\n", "\n").trim(),
        webhookSecret: form.get("webhook_secret"),
      });
    } catch (thrown) {
      if (!(thrown instanceof UserError)) throw thrown;
      return importPage(guard.proof, thrown.message, github);
    }
    return savedPage("", github);
  });

  return {
    "/": { GET: guarded(() => redirect(302, "/probot")) },
    "/probot": { GET: register },
    "/probot/setup": { GET: finish },
    "/probot/import": {
      GET: guarded(() => importPage(guard.proof, null, github)),
      POST: take,
    },
    "/ping": { GET: async () => new Response("PONG") },
    "/healthz": { GET: async () => Response.json({ status: "setup" }) },
  };
}

/** Address of this server as the browser knows it; null when Host is none. */
function baseOf({ headers }: IncomingMessage): string | null {
  const host = headers.host ?? "";
  const secure = headers["x-forwarded-proto"] === "https";
  return HOST.test(host) ? `${secure ? "https" : "http"}://${host}` : null;
}

/** Where GitHub will reach the server: as the person says, or where the browser does. */
function publicAddress(request: IncomingMessage, base: string): string | null {
  const given = new URL(request.url ?? "/", "http://localhost").searchParams.get("address") ?? "";
  const address = URL.canParse(given) ? new URL(given) : new URL(base);
  const http = address.protocol === "https:" || address.protocol === "http:";
  return http && !isLocalName(address.host) ? address.origin : null;
}

/** GitHub wants an address even for a webhook that is switched off, and none of this machine. */
function hookOf(address: string | null): { url: string; active: boolean } {
  const base = address ?? "https://example.com";
  return { url: `${base}/api/github/webhooks`, active: address !== null };
}

function problemOf(form: URLSearchParams): string | null {
  if (!/^[1-9]\d{0,15}$/.test(form.get("app_id") ?? "")) return "The App ID is a number.";
  if (!/^[\x21-\x7e]{8,200}$/.test(form.get("webhook_secret") ?? "")) {
    return "The webhook secret has 8 to 200 characters and no spaces.";
  }
  try {
    const { asymmetricKeyType } = createPrivateKey((form.get("private_key") ?? "").trim());
    return asymmetricKeyType === "rsa"
      ? null
      : "The private key is no RSA key, which GitHub's are.";
  } catch {
    return "The private key is not the text of a .pem file.";
  }
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status });
}

function redirect(status: number, location: string): Response {
  return new Response("", { status, headers: { location } });
}
