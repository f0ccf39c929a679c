/** src/jwt.js as the model first writes it: `verify` compares seconds with milliseconds. */
export const JWT = `import { createHmac, timingSafeEqual } from "node:crypto";

const HEADER = encode({ alg: "HS256", typ: "JWT" });

/** Signs claims as a JSON Web Token (RFC 7519) with HMAC-SHA-256. */
export function sign(claims, secret) {
  const signed = \`\${HEADER}.\${encode(claims)}\`;
  return \`\${signed}.\${mac(signed, secret).toString("base64url")}\`;
}

/** The claims of a token; null when it was not signed with this secret or has ended. */
export function verify(token, secret, now) {
  const [header, payload, signature, ...rest] = token.split(".");
  // Only our own header is taken: a token never chooses how it is checked.
  if (header !== HEADER || !payload || !signature || rest.length > 0) return null;
  const given = Buffer.from(signature, "base64url");
  const wanted = mac(\`\${header}.\${payload}\`, secret);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null;
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  return claims.exp > now ? claims : null;
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function mac(text, secret) {
  return createHmac("sha256", secret).update(text).digest();
}
`;

export const AUTH = `import { scryptSync, timingSafeEqual } from "node:crypto";
import { sign, verify } from "./jwt.js";

const TOKEN_SECONDS = 30 * 60;

export function hashPassword(password, salt) {
  return scryptSync(password, salt, 32, { N: 1024 }).toString("hex");
}

/** A token for this person, or null when name or password is wrong. */
export function login(users, name, password, secret, now) {
  const user = users.find((candidate) => candidate.name === name);
  if (!user || !matches(user, password)) return null;
  const iat = Math.floor(now / 1000);
  const claims = { sub: user.name, role: user.role, iat, exp: iat + TOKEN_SECONDS };
  return sign(claims, secret);
}

/** Whose token this is, or null. */
export function authenticate(token, secret, now) {
  const claims = token ? verify(token, secret, now) : null;
  return claims ? { name: claims.sub, role: claims.role } : null;
}

function matches(user, password) {
  const given = Buffer.from(hashPassword(String(password), user.salt), "hex");
  return timingSafeEqual(given, Buffer.from(user.hash, "hex"));
}
`;

export const AUTH_TEST = `import assert from "node:assert/strict";
import test from "node:test";
import { authenticate, hashPassword, login } from "../src/auth.js";

const users = [
  { name: "ana", role: "clerk", salt: "pier", hash: hashPassword("anchor", "pier") },
];
const NOON = Date.UTC(2026, 5, 1, 12);
const MINUTE = 60_000;
const SECRET = "tide-table";

function token() {
  return login(users, "ana", "anchor", SECRET, NOON);
}

test("the right password signs in", () => {
  assert.deepEqual(authenticate(token(), SECRET, NOON), { name: "ana", role: "clerk" });
});

test("a wrong password or name does not", () => {
  assert.equal(login(users, "ana", "rope", SECRET, NOON), null);
  assert.equal(login(users, "bo", "anchor", SECRET, NOON), null);
});

test("nobody is signed in after 30 minutes", () => {
  assert.ok(authenticate(token(), SECRET, NOON + 29 * MINUTE));
  assert.equal(authenticate(token(), SECRET, NOON + 30 * MINUTE), null);
});

test("a token that was changed is worth nothing", () => {
  const [header, payload, signature] = token().split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  const forged = Buffer.from(JSON.stringify({ ...claims, role: "captain" })).toString("base64url");
  assert.equal(authenticate(\`\${header}.\${forged}.\${signature}\`, SECRET, NOON), null);
});

test("a token cannot choose its own algorithm", () => {
  const [, payload] = token().split(".");
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
  assert.equal(authenticate(\`\${none}.\${payload}.\`, SECRET, NOON), null);
  assert.equal(authenticate(\`\${none}.\${payload}.x\`, SECRET, NOON), null);
});

test("a token of another secret, or no token, is nobody's", () => {
  assert.equal(authenticate(token(), "ebb", NOON), null);
  assert.equal(authenticate("not.a.token", SECRET, NOON), null);
  assert.equal(authenticate(undefined, SECRET, NOON), null);
});
`;

/** What changes in test/app.test.js: pieces before and after. */
export const APP_TEST_EDITS: [string, string][] = [
  [
    "    now: () => Date.UTC(2026, 5, 1, 12),",
    '    tokenSecret: "tide-table",\n    now: () => Date.UTC(2026, 5, 1, 12),',
  ],
  [
    '  return { cookie: answer.headers["set-cookie"].split(";")[0] };',
    `  return { authorization: \`Bearer \${answer.body.token}\` };`,
  ],
];

export const README_BEFORE = `\`POST /login\` with \`name\` and \`password\` opens a session and sets the cookie \`session\`.
A session ends after 30 minutes or with \`POST /logout\`. Sessions live in memory: a restart
signs everyone out, and two desks behind one balancer do not know each other's sessions.
`;

export const README_AFTER = `\`POST /login\` with \`name\` and \`password\` answers with a \`token\`, a JWT that is good for
30 minutes. Send it as \`Authorization: Bearer <token>\`. Set \`TOKEN_SECRET\` to the same value on
every desk; without it each start draws a new secret, which signs everyone out.
`;
