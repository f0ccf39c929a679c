/** Which bound ended a command before its own end; null when none did. */
export type Stopped = "timeout" | "output" | "cancelled" | "memory" | "disk" | "cpu" | null;

/** One check as the controller ran it. */
export interface Evidence {
  command: string;
  exitCode: number | null;
  /** Why it did not end by itself, if so. */
  stopped: Stopped;
  durationMs: number;
  /** Head and tail of its output, cut with a notice. */
  output: string;
  /** Hosts its programs asked for and were refused, as `host:port`, in order, at most 20. */
  deniedHosts: string[];
}

export interface FileChange {
  path: string;
  /** null for binary files. */
  added: number | null;
  removed: number | null;
  status: "added" | "modified" | "deleted" | "type_changed";
}

/** What a reviewer should look at first, in words. */
export interface Caution {
  kind: "shown_first" | "weakened_test";
  path: string;
  /** Line of the new file, of the old one where a line went; null for the whole file. */
  line: number | null;
  /** Plain text, one line; it is made inert where it is shown. */
  why: string;
}

/** Why a change may not leave without the word of an admin. */
export interface Violation {
  kind: "path" | "limit" | "secret";
  /** null for what concerns no one file, or a file whose own name may not be told. */
  path: string | null;
  /** A clause for a person and the agent, without the value of a secret. */
  reason: string;
}

/** The word of an admin that lets out exactly this commit. */
export interface Allowance {
  commit: string;
  actor: { id: number; login: string };
  /** When it was given, in ms since the epoch: two words for one commit are told apart by it. */
  at: number;
}

/** The change of a job after its checks were run by the controller. */
export interface VerifiedChange {
  commit: string;
  /** The commit it was made on: the base, or where its branch stood when it was carried over. */
  parent: string;
  tree: string;
  files: FileChange[];
  evidence: Evidence[];
  /** First line of the agent's own report, made safe. */
  title: string;
  /** The rest of the report, made safe for Markdown. */
  summary: string;
  /** The whole commit message, plain text. */
  message: string;
  /** Why the agent was stopped, after "because"; null when it finished. */
  limit: string | null;
  /** Whether that was money. */
  outOfBudget?: true;
  /** Hosts that the agent's commands and the setup asked for and were refused, as `host:port`. */
  deniedHosts: string[];
  /** What a reviewer is shown first. */
  cautions: Caution[];
  /** Why it is held; empty when it may leave. */
  violations: Violation[];
  /** Of a held change: the part of its diff that needs an admin's word, cut; else empty. */
  excerpt: string;
  /** Commits that were made of it on GitHub: its branch may stand at one of an earlier try. */
  made?: { sha: string }[];
}
