import type { RepoRef } from "./job.ts";

/** Where skills come from, the later ones before the earlier of the same name. */
export const SKILL_SOURCES = ["built-in", "operator", "organisation", "repository"] as const;
export type SkillSource = (typeof SKILL_SOURCES)[number];

/** What a skill says of itself that it wants, and how it narrows the job that takes it up. */
export interface SkillManifest {
  /** Domains its work needs. */
  network: string[];
  /** Scripts of its bundle it may start: all, none or these paths. */
  scripts: "all" | "none" | string[];
  /** Globs of the only paths it changes, none: nothing at all; null: as the repository allows. */
  writes: string[] | null;
  /** Models it is written for, `*` at the end for any that begin so; null: any. */
  models: string[] | null;
  /** Commands that must exit 0 besides the repository's checks. */
  checks: string[];
  /** Limits of the job, where they are lower than the repository's. */
  limits: { minutes?: number; steps?: number; tokens?: number; budget?: number };
}

/** Exactly which skill a job took up. */
export interface SkillPin {
  name: string;
  source: SkillSource;
  /** SHA-256 over all files of the bundle, in hex. */
  digest: string;
  /** The commit it was read from; null for a folder of the server. */
  commit: string | null;
  /** Sources that have another skill of its name, which counts less. */
  instead: SkillSource[];
  /** Who chose it. */
  by: "flag" | "first_word" | "model";
  manifest: SkillManifest;
}

/** Commit of a repository that a job reads skills from, as long as it lives. */
export interface SkillCommit {
  source: "organisation" | "repository";
  repo: RepoRef;
  commit: string;
}

/** What a job fixed about skills before its first step. */
export interface JobSkills {
  commits: SkillCommit[];
  pins: SkillPin[];
}

/** One file of a bundle. */
export interface SkillFile {
  /** Relative to the folder, with slashes. */
  path: string;
  mode: "100644" | "100755";
  bytes: Uint8Array;
}

/** The flag that asks for no skill at all. */
export const NO_SKILL = "none";

/** A skill as pull requests and commits name it: `refactor@sha256:…`. */
export function pinText({ name, digest }: SkillPin): string {
  return `${name}@sha256:${digest}`;
}

/** Where a pinned skill is from, as the end of a sentence. */
export function pinOrigin({ source, commit }: SkillPin): string {
  const at = commit === null ? "" : ` at \`${commit.slice(0, 12)}\``;
  switch (source) {
    case "built-in":
      return "which comes with Draftsmith";
    case "operator":
      return "of this server's operator";
    case "organisation":
      return `of the organisation's \`.github\` repository${at}`;
    case "repository":
      return `of this repository${at}`;
  }
}
