import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { TransientError } from "../../core/errors.ts";
import { type GitContext, giveAway, makeOuter, type Place, type SandboxUser } from "./layout.ts";
import { unlessAbsent } from "./unless-absent.ts";

/** Uids above the sandbox's own that a root server gives to workspaces. */
const UIDS = 300;

/**
 * Makes the directories of a workspace and hands its tree to a uid that no other workspace has: limits
 * count by uid, and one job's processes have no right to another's. Null when the server is no root.
 */
export function settle(context: GitContext, place: Place): Promise<SandboxUser> {
  return context.lock("owners", async () => {
    const owner = await freeOwner(context);
    makeOuter(place.dir, context.user);
    giveAway(place.tree, owner);
    return owner;
  });
}

/** Who an open workspace belongs to. */
export async function ownerOf(context: GitContext, place: Place): Promise<SandboxUser> {
  if (context.user === null) return null;
  return { uid: (await stat(place.tree)).uid, gid: context.user.gid };
}

async function freeOwner({ user, workDir }: GitContext): Promise<SandboxUser> {
  if (user === null) return null;
  const parent = path.join(workDir, "workspaces");
  const trees = (await readdir(parent)).map((name) => path.join(parent, name, "tree"));
  const found = await Promise.all(trees.map((tree) => unlessAbsent(stat(tree))));
  const taken = new Set(found.map((each) => each?.uid));
  for (let uid = user.uid + 1; uid <= user.uid + UIDS; uid += 1) {
    if (!taken.has(uid)) return { uid, gid: user.gid };
  }
  throw new TransientError(`all ${UIDS} uids for workspaces are in use`);
}
