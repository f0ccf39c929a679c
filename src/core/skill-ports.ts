import type { RepoRef } from "./job.ts";
import type { SkillFile } from "./skill.ts";

/** Something in a tree of a commit. */
export interface TreeEntry {
  /** From the root of the repository. */
  path: string;
  /** Six octal digits, as git has it. */
  mode: string;
  id: string;
  /** In bytes; 0 for what is no blob. */
  size: number;
}

/** The files of one commit, or of a folder in the same shape. */
export interface TreeFiles {
  /** What stands at a path, a folder with the mode `040000`; null when nothing does. Links on the way are not followed. */
  entry(path: string): Promise<TreeEntry | null>;
  /** Everything at any depth below a folder; empty when there is no such folder, null when it is more than `most`. */
  entries(folder: string, most: number): Promise<TreeEntry[] | null>;
  /** The bytes of a blob. Throws when it is not there or larger than `maxBytes`. */
  bytes(id: string, maxBytes: number): Promise<Uint8Array>;
}

/** Files of commits by their git objects. */
export interface Trees {
  at(repo: RepoRef, commit: string): TreeFiles;
}

/** Where the files of skills stand for the commands of a job: read-only, at `../skills/NAME` from its tree. */
export interface SkillShelf {
  /** Puts the files of a skill there, in place of what stood there under that name. */
  mount(jobId: string, name: string, files: readonly SkillFile[]): Promise<void>;
}

/** Where GitHub keeps skills besides a repository itself. */
export interface SkillHomes {
  /** The `.github` repository of its owner; null when there is none that the App may read. */
  organisation(repo: RepoRef): Promise<RepoRef | null>;
  /** The files of its default branch, for who has no git; null when it has no commit yet. */
  files(repo: RepoRef): Promise<TreeFiles | null>;
}
