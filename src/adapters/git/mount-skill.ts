import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync } from "node:fs";
import { chmod, mkdir, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { toError, UserError } from "../../core/errors.ts";
import { codeSpan } from "../../core/markdown.ts";
import { nameText } from "../../core/messages/words.ts";
import type { SkillShelf } from "../../core/ports.ts";
import type { SkillFile } from "../../core/skill.ts";
import { type GitContext, type Place, placeOf, removeAll } from "./layout.ts";
import { unlessAbsent } from "./unless-absent.ts";

/** Makes the directory of a workspace in which its skills stand; the sandbox may read there and not write. */
export function makeShelf({ skills }: Place): void {
  mkdirSync(skills, { recursive: true });
  chmodSync(skills, 0o755);
}

/** Puts files of skills where a job's commands see them: see the port. */
export function createMount(context: GitContext): SkillShelf["mount"] {
  return async (jobId, name, files) => {
    const place = placeOf(context.workDir, jobId);
    if (!isName(name)) throw new Error(`not the name of a skill: ${name}`);
    makeShelf(place);
    const target = path.join(place.skills, name);
    // Written beside it and renamed: nobody but the server can write here, and half a skill is never seen.
    const fresh = path.join(place.dir, `skill-${randomUUID()}`);
    try {
      await mkdir(fresh, { mode: 0o755 });
      await chmod(fresh, 0o755);
      for (const file of files) {
        const names = file.path.split("/");
        if (!names.every(isName)) throw new Error(`not a path in a skill: ${file.path}`);
        for (let depth = 1; depth < names.length; depth += 1) {
          const dir = path.join(fresh, ...names.slice(0, depth));
          await mkdir(dir, { recursive: true });
          await chmod(dir, 0o755);
        }
        const at = path.join(fresh, ...names);
        // "wx": two paths that the file system takes for one must not overwrite each other.
        await writeFile(at, file.bytes, { flag: "wx" });
        await chmod(at, file.mode === "100755" ? 0o755 : 0o644);
      }
      if ((await unlessAbsent(stat(target))) !== null) await removeAll(target);
      await rename(fresh, target);
    } catch (thrown) {
      throw tooLong(thrown, name, files) ?? thrown;
    } finally {
      await removeAll(fresh);
    }
  };
}

/** Git takes longer paths than file systems do; whoever wrote the skill can mend that. */
function tooLong(thrown: unknown, name: string, files: readonly SkillFile[]): UserError | null {
  if (!toError(thrown).message.startsWith("ENAMETOOLONG")) return null;
  const [longest = ""] = files.map((file) => file.path).sort((a, b) => b.length - a.length);
  return new UserError(
    `the skill ${codeSpan(name)} has a path that is longer than this system takes, ${codeSpan(nameText(longest))}; shorten the names in it`,
  );
}

function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}
