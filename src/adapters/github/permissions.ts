/** Permissions of an installation token; reading metadata is always part of it. */
export type Permissions = Partial<
  Record<"contents" | "issues" | "pull_requests" | "checks", "read" | "write">
> & { workflows?: "write" };

/** All that the reads of this adapter need; one set, so that one token serves them all. */
export const READ: Permissions = { contents: "read", issues: "read", pull_requests: "read" };

/** Conversations of issues and of pull requests are written with different permissions. */
export const CONVERSE: Permissions = { issues: "write", pull_requests: "write" };

/** GitHub resolves a thread only for who may write to the repository. */
export const RESOLVE: Permissions = { contents: "write", pull_requests: "write" };

export const WRITE_CONTENTS: Permissions = { contents: "write" };

/** For what an admin let out although it changes workflows; most installations do not grant it. */
export const WRITE_WORKFLOWS: Permissions = { contents: "write", workflows: "write" };

export const WRITE_PULLS: Permissions = { contents: "read", pull_requests: "write" };

/** Not every installation grants it: nothing depends on a check run. */
export const WRITE_CHECKS: Permissions = { checks: "write" };

/** Permissions as the App's settings name them, such as "Pull requests: read and write". */
export function describePermissions(permissions: Record<string, string>): string {
  return Object.entries(permissions)
    .map(([name, access]) => {
      const words = name.replaceAll("_", " ");
      const title = words.charAt(0).toUpperCase() + words.slice(1);
      return `"${title}: ${access === "read" ? "read-only" : "read and write"}"`;
    })
    .join(" and ");
}
