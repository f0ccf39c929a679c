import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

const COOKIE = "draftsmith_setup";

/** Who may use the set-up page: a person at this machine, or one who has the token from the console. */
export interface SetupGuard {
  /** Whether a request may see the page; `cookie` is set where it came with the token just now. */
  enter(request: IncomingMessage): { entered: boolean; cookie: string | null };
  /** What only a page served to this person knows: guards what changes something against other sites. */
  readonly proof: string;
  /** Whether a request comes from the person who was let in, with the proof. */
  proves(request: IncomingMessage, proof: string): boolean;
}

/**
 * A guard for one run of the set-up page. Local is a request to this machine's own name that no proxy
 * handed on; other ones need `token`, which opens once. `session` and `token` are random.
 */
export function createSetupGuard(options: {
  /** Whether the server listens on this machine only. */
  bound: boolean;
  session: string;
  token: string;
}): SetupGuard {
  const { session } = options;
  let token: string | null = options.token;
  const proof = createHash("sha256").update(`proof ${session}`).digest("hex");
  const known = (request: IncomingMessage) =>
    (request.headers.cookie ?? "")
      .split(";")
      .map((pair) => pair.trim())
      .some((pair) => same(pair, `${COOKIE}=${session}`));
  const isLocal = (request: IncomingMessage) =>
    options.bound && isLocalName(request.headers.host ?? "") && !isForwarded(request);

  return {
    proof,
    enter(request) {
      const cookie = cookieOf(session, request);
      if (known(request)) return { entered: true, cookie: null };
      if (isLocal(request)) return { entered: true, cookie };
      const given = new URL(request.url ?? "/", "http://localhost").searchParams.get("token");
      if (token === null || given === null || !same(given, token)) {
        return { entered: false, cookie: null };
      }
      token = null;
      return { entered: true, cookie };
    },
    proves: (request, given) => known(request) && isOwn(request) && same(given, proof),
  };
}

/** Lax, so that the browser still has it when GitHub sends it back. */
function cookieOf(session: string, request: IncomingMessage): string {
  const secure = request.headers["x-forwarded-proto"] === "https" ? "; Secure" : "";
  return `${COOKIE}=${session}; Path=/probot; HttpOnly; SameSite=Lax${secure}`;
}

/** A name that a page elsewhere cannot make a browser use for this server. */
export function isLocalName(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host);
}

/** nginx hands strangers on under the server's own name, without a word of them, but as no browser asks: by HTTP/1.0. */
function isForwarded({ headers, httpVersion }: IncomingMessage): boolean {
  return (
    httpVersion !== "1.1" ||
    Object.keys(headers).some(
      (name) => ["forwarded", "via", "x-real-ip"].includes(name) || name.startsWith("x-forwarded-"),
    )
  );
}

/** What a form of our own page sends; GitHub's redirect back is a navigation from another site. */
function isOwn({ method, headers }: IncomingMessage): boolean {
  if (method === "GET") return true;
  const site = headers["sec-fetch-site"] ?? "same-origin";
  const origin = headers.origin;
  const from = origin !== undefined && URL.canParse(origin) ? new URL(origin).host : origin;
  return site === "same-origin" && (from === undefined || from === headers.host);
}

function same(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
