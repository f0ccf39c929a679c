import type { RepoRef } from "./job.ts";

/** Who the App is on GitHub. */
export interface Identity {
  /** The login of its account, such as `draftsmith[bot]`; null where the host does not say. */
  login(): Promise<string | null>;
}

/** Where repositories are by now. */
export interface Places {
  /** The same repository by its present name and installation; it may have been renamed or handed over. */
  find(repo: RepoRef): Promise<RepoRef>;
}
