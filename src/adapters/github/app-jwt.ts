import { type KeyObject, sign } from "node:crypto";

/** GitHub takes a JWT for ten minutes at most; a clock that runs ahead must not end it too late. */
const LIFETIME_S = 600;
const BACKDATED_S = 30;

/** Makes the App's own credential, good for ten minutes (docs.github.com: generating a JWT for an App). */
export type AppJwt = (
  appId: number | string,
  /** Seconds that GitHub's clock is ahead of ours. */
  timeDifference?: number,
) => Promise<{ jwt: string; expiresAt: string }>;

/**
 * Signs as the App with a key that was read once. (Octokit's own way reads the key anew for every JWT,
 * and Node then fails on errors that other users of OpenSSL left behind: nodejs/node#45485.)
 */
export function createAppJwt(key: KeyObject, now: () => number): AppJwt {
  return async (appId, timeDifference = 0) => {
    const iat = Math.floor(now() / 1000) + timeDifference - BACKDATED_S;
    const exp = iat + LIFETIME_S;
    const claims = { iat, exp, iss: appId };
    const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), key).toString("base64url");
    return { jwt: `${signed}.${signature}`, expiresAt: new Date(exp * 1000).toISOString() };
  };
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
