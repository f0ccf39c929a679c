import { randomBytes, verify } from "node:crypto";
import { z } from "zod";
import { Problem } from "./reply.ts";
import type { Access, Permissions, Repository, State, Token } from "./state.ts";

/** Who makes a request. */
export type Caller = { kind: "nobody" } | { kind: "app" } | { kind: "installation"; token: Token };

const MAX_JWT_SECONDS = 600;

/** Reads an Authorization header: a JWT of the App, an installation token, or none. Wrong ones get 401. */
export function identify(state: State, authorization: string | undefined): Caller {
  if (!authorization) return { kind: "nobody" };
  const [scheme = "", value = ""] = authorization.trim().split(/\s+/, 2);
  const credential = scheme.toLowerCase() === "basic" ? basicPassword(value) : value;
  const token = state.tokens.get(credential);
  if (token) {
    if (token.expiresAt <= Date.now()) throw new Problem(401, "Bad credentials");
    return { kind: "installation", token };
  }
  if (scheme.toLowerCase() === "bearer" && credential.startsWith("eyJ")) {
    checkAppJwt(state, credential);
    return { kind: "app" };
  }
  throw new Problem(401, "Bad credentials");
}

function basicPassword(encoded: string): string {
  const [, ...password] = Buffer.from(encoded, "base64").toString().split(":");
  return password.join(":");
}

const header = z.object({ alg: z.literal("RS256") });
const claims = z.object({ iat: z.int(), exp: z.int(), iss: z.coerce.string() });

/** GitHub's rules for an App's token: RS256 by the App's key, ending within ten minutes. */
function checkAppJwt(state: State, jwt: string): void {
  const undecodable = new Problem(401, "A JSON web token could not be decoded");
  const [head = "", body = "", signature = ""] = jwt.split(".");
  const signed = Buffer.from(`${head}.${body}`);
  if (!verify("sha256", signed, state.app.publicKey, Buffer.from(signature, "base64url"))) {
    throw undecodable;
  }
  if (!header.safeParse(parsePart(head)).success) throw undecodable;
  const parsed = claims.safeParse(parsePart(body));
  if (!parsed.success) throw undecodable;

  const { iat, exp, iss } = parsed.data;
  const now = Math.floor(Date.now() / 1000);
  if (exp <= now) {
    throw new Problem(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  if (exp > now + MAX_JWT_SECONDS) {
    throw new Problem(401, "'Expiration time' claim ('exp') is too far in the future");
  }
  if (iat > now) {
    throw new Problem(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  }
  if (iss !== String(state.app.id)) throw new Problem(404, "Integration not found");
}

function parsePart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString());
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** A new installation token in GitHub's present long form. */
export function issueToken(
  state: State,
  installationId: number,
  repositoryIds: number[],
  permissions: Permissions,
): Token {
  const part = (bytes: number) => randomBytes(bytes).toString("base64url");
  const value = `ghs_${state.app.id}_eyJ${part(30)}.eyJ${part(120)}.${part(256)}`;
  const token = {
    value,
    installationId,
    repositoryIds,
    permissions,
    expiresAt: Date.now() + state.tokenLifetimeMs,
  };
  state.tokens.set(value, token);
  return token;
}

/** Whether a token sees a repository: one that was handed over is its installation's no more. */
export function sees(token: Token, repository: Repository): boolean {
  const { id, installed, installationId } = repository;
  return token.repositoryIds.includes(id) && installed && token.installationId === installationId;
}

/** Whether these permissions include an access; write includes read. */
export function allows(permissions: Permissions, name: string, access: Access): boolean {
  const held = permissions[name];
  return held === "write" || (held === "read" && access === "read");
}
