import { randomUUID, scryptSync, timingSafeEqual } from "node:crypto";

const SESSION_MS = 30 * 60_000;
const sessions = new Map();

export function hashPassword(password, salt) {
  return scryptSync(password, salt, 32, { N: 1024 }).toString("hex");
}

export function login(users, name, password, now) {
  const user = users.find((candidate) => candidate.name === name);
  if (!user || !matches(user, password)) return null;
  const id = randomUUID();
  sessions.set(id, { name: user.name, role: user.role, expires: now + SESSION_MS });
  return id;
}

export function authenticate(id, now) {
  const session = sessions.get(id);
  if (!session) return null;
  if (session.expires <= now) {
    sessions.delete(id);
    return null;
  }
  return { name: session.name, role: session.role };
}

export function logout(id) {
  return sessions.delete(id);
}

function matches(user, password) {
  const given = Buffer.from(hashPassword(String(password), user.salt), "hex");
  return timingSafeEqual(given, Buffer.from(user.hash, "hex"));
}
