import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { Workspaces } from "../../core/ports.ts";
import { commitTree } from "./commit.ts";
import { MAX_PACK_BYTES } from "./gates.ts";
import type { GitContext } from "./layout.ts";
import { inMirror } from "./mirror.ts";
import { objectId } from "./names.ts";
import { git, gitBytes } from "./run-git.ts";

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** The only file of the commit that carries them. */
const NAME = "files";

/**
 * Seals bytes in a commit of the mirror: see the port. Nobody can read it without the key, which goes
 * nowhere but to the store: a ref is open to whoever may read the repository, and nothing of this was
 * looked at by anybody yet.
 */
export function createWithSealed(context: GitContext): Workspaces["withSealed"] {
  return (repo, bytes, work) =>
    inMirror(context, repo, async (dir) => {
      const key = randomBytes(32);
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv);
      const body = [cipher.update(bytes), cipher.final()];
      const input = Buffer.concat([iv, cipher.getAuthTag(), ...body]);
      const blob = await oneId(dir, ["hash-object", "-w", "--stdin"], input);
      const tree = await oneId(dir, ["mktree"], `100644 blob ${blob}\t${NAME}\n`);
      const commit = await commitTree(dir, tree, null, "Files of a job at work, sealed");
      try {
        return await work({ commit, key: key.toString("base64") });
      } finally {
        // Large, and nothing else can be made of them.
        for (const id of [commit, tree, blob]) await rm(looseFile(dir, id), { force: true });
      }
    });
}

/** Opens what was sealed: see the port. */
export function createUnseal(context: GitContext): Workspaces["unseal"] {
  return (repo, { commit, key }) =>
    inMirror(context, repo, async (dir) => {
      const maxBytes = MAX_PACK_BYTES + IV_BYTES + TAG_BYTES;
      const sealed = await gitBytes(dir, ["cat-file", "blob", `${objectId(commit)}:${NAME}`], {
        maxBytes,
      });
      await git(dir, ["update-ref", "-d", `refs/draftsmith/fetched/${commit}`]);
      if (sealed === null || sealed.length < IV_BYTES + TAG_BYTES) return null;
      const secret = Buffer.from(key, "base64");
      const opener = createDecipheriv(CIPHER, secret, sealed.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      });
      opener.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      try {
        return Buffer.concat([
          opener.update(sealed.subarray(IV_BYTES + TAG_BYTES)),
          opener.final(),
        ]);
      } catch {
        return null; // Somebody else's bytes, or cut.
      }
    });
}

async function oneId(dir: string, args: string[], input: Buffer | string): Promise<string> {
  const said = await gitBytes(dir, args, { input, maxBytes: 1000 });
  return objectId(said?.toString().trim() ?? "");
}

function looseFile(dir: string, id: string): string {
  return path.join(dir, "objects", id.slice(0, 2), id.slice(2));
}
