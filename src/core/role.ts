/** GitHub's roles in a repository, from none to all. */
const ROLES = ["none", "read", "triage", "write", "maintain", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Whether a role includes another; one that nobody could tell includes none. */
export function includesRole(role: Role | "unknown", needed: Role): boolean {
  return role !== "unknown" && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Whether a word is the name of one of GitHub's own roles. */
export function isRole(word: unknown): word is Role {
  return ROLES.some((role) => role === word);
}
