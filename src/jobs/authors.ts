import { toError } from "../core/errors.ts";
import type { Command } from "../core/job.ts";
import type { Account } from "../core/policy.ts";
import type { GitHub, Log } from "../core/ports.ts";
import { includesRole, type Role } from "../core/role.ts";
import type { Speaker } from "../core/sources.ts";

/** People whose role is asked for one command; whoever comes after them is not trusted. */
const MAX_ASKED = 30;
/** Commands whose answers are kept. */
const MAX_COMMANDS = 100;

/** A login as GitHub gives it out: nothing in it that could act on a label or a page. */
const LOGIN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}(?:\[bot\])?$/;

/** Who wrote a text, as a label names them, and whether their words may be followed. */
export interface Author extends Speaker {
  trusted: boolean;
}

/** Tells who of those who wrote on an issue may write to its repository. */
export type Authors = (
  github: GitHub,
  command: Command,
  account: Account | null,
) => Promise<Author>;

/**
 * Asks GitHub for the role of each author, once for all jobs of a command. Whoever gave the command is
 * trusted, for the gate asked; bots, deleted accounts and everybody whose role cannot be learnt are not.
 */
export function createAuthors(log: Log): Authors {
  const asked = new Map<string, Map<number, Promise<Role | "unknown">>>();

  function rolesOf(command: Command): Map<number, Promise<Role | "unknown">> {
    const roles = asked.get(command.id) ?? new Map<number, Promise<Role | "unknown">>();
    asked.delete(command.id);
    asked.set(command.id, roles);
    for (const old of [...asked.keys()].slice(0, -MAX_COMMANDS)) asked.delete(old);
    return roles;
  }

  function roleOf(github: GitHub, command: Command, account: Account): Promise<Role | "unknown"> {
    const roles = rolesOf(command);
    const known = roles.get(account.id);
    if (known) return known;
    if (roles.size >= MAX_ASKED || !LOGIN.test(account.login)) return Promise.resolve("unknown");
    const role = github.permission(command.repo, account).catch((thrown: unknown) => {
      log.warn(
        { err: toError(thrown), account: account.id },
        "the role of somebody who commented could not be read",
      );
      // Another job of the command may have more luck.
      roles.delete(account.id);
      return "unknown" as const;
    });
    roles.set(account.id, role);
    return role;
  }

  return async (github, command, account) => {
    if (account === null) return { name: "somebody", role: "deleted account", trusted: false };
    const name = LOGIN.test(account.login) ? account.login : `account ${account.id}`;
    const bot = account.type === "Bot" || account.login.endsWith("[bot]");
    if (bot || account.type !== "User") {
      return { name, role: bot ? "bot" : "no person", trusted: false };
    }
    if (account.id === command.actor.id) return { name, role: "gave the command", trusted: true };
    const role = await roleOf(github, command, account);
    const words = { none: "no access", unknown: "role unknown" };
    return {
      name,
      role: role === "none" || role === "unknown" ? words[role] : `${role} access`,
      trusted: includesRole(role, "write"),
    };
  };
}
