import { createHash } from "node:crypto";
import path from "node:path";
import type { Workspaces } from "../../core/ports.ts";
import { MAX_PACK_BYTES } from "./gates.ts";
import { withIncoming } from "./incoming.ts";
import { type GitContext, placeOf } from "./layout.ts";
import { inMirror } from "./mirror.ts";
import { objectId } from "./names.ts";
import { openedFrom } from "./open.ts";
import { git, gitBytes } from "./run-git.ts";
import { keepCommit } from "./snapshot.ts";
import { splitTaken, take } from "./take.ts";

/** Longest time to take the files between two steps, in ms: nobody may notice it. */
const STEP_TIMEOUT_MS = 30_000;

/**
 * Takes the files of a step: see the port. What comes out of the sandbox is not looked into here; that
 * is done where it is unpacked, if it ever is.
 */
export function createPack(context: GitContext): Workspaces["pack"] {
  return ({ workspace, repo, parent, known, maxBytes }) =>
    inMirror(context, repo, async (dir) => {
      const place = placeOf(context.workDir, workspace.jobId);
      const opened = await openedFrom(place);
      if (opened === null) throw new Error(`the workspace of job ${workspace.jobId} is not open`);
      const chunks: Buffer[] = [];
      let size = 0;
      const { stdout, tree } = splitTaken((pack, done) => {
        size += pack.length;
        if (size <= maxBytes) chunks.push(pack);
        done();
      });
      const from = {
        ...{ workspace, place, opened, parent: objectId(parent), known: known ?? "" },
        objects: path.join(dir, "objects"),
        ...{ maxPackBytes: maxBytes, timeoutMs: STEP_TIMEOUT_MS },
      };
      const { exitCode, stopped, output } = await take(context, from, stdout);
      if (size > maxBytes) return { status: "refused", reason: `more than ${maxBytes} bytes` };
      if (exitCode !== 0 || stopped !== null) {
        return { status: "refused", reason: stopped ?? output.trim().slice(-1000) };
      }
      const taken = objectId(tree());
      if (taken === known) return { status: "same" };
      const commit = takenCommit(taken, parent);
      return { status: "packed", tree: taken, commit, pack: Buffer.concat(chunks) };
    });
}

/** The commit that the sandbox makes of a tree: it holds nothing else. */
function takenCommit(tree: string, parent: string): string {
  const who = "taken <taken> 946684800 +0000";
  const text = `tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\n`;
  return createHash(tree.length === 40 ? "sha1" : "sha256")
    .update(`commit ${text.length}\0${text}`)
    .digest("hex");
}

/** Brings a packed commit back: see the port. */
export function createUnpack(context: GitContext): Workspaces["unpack"] {
  return ({ jobId, repo, parent, commit, pack }) =>
    inMirror(context, repo, (dir) =>
      withIncoming(dir, async (incoming) => {
        const { env } = incoming;
        const reader = incoming.read(MAX_PACK_BYTES);
        reader.child.stdin?.end(pack);
        if ((await reader.ended).code !== 0) return false;
        const walk = ["rev-list", "--objects", "--count", "--end-of-options"];
        const whole = await git(dir, [...walk, objectId(commit), `^${objectId(parent)}`], {
          env,
          codes: [0, 1, 128],
        });
        if (whole.code !== 0) return false;
        await incoming.keep();
        await keepCommit(dir, jobId, commit);
        return true;
      }),
    );
}

/** Packs a commit of the mirror: see the port. */
export function createPackCommit(context: GitContext): Workspaces["packCommit"] {
  return (repo, commit, parent) =>
    inMirror(context, repo, async (dir) => {
      const flags = ["-q", "--revs", "--thin", "--delta-base-offset", "--stdout"];
      const bytes = await gitBytes(dir, ["pack-objects", ...flags], {
        input: `${objectId(commit)}\n^${objectId(parent)}\n`,
        maxBytes: MAX_PACK_BYTES,
      });
      if (bytes === null)
        throw new Error(`the pack of ${commit} is larger than what it was made of`);
      return bytes;
    });
}
