/** What an agent was told besides its task, and what was kept from it and why: shown to reviewers. */
export interface Sources {
  /** What the command was given on. */
  on: "issue" | "pull request";
  /** What became of the text of the issue or pull request. */
  subject: "shown" | "shown_untrusted" | "left_out" | "own" | "untold";
  /** Of that text as its webhook told it; null when it told none. */
  revision: string | null;
  /** Comments are read as they stood at this time; ISO 8601. */
  asOf: string;
  /** Comments that were shown, those by people without write access among them. */
  comments: { shown: number; untrusted: number };
  leftOut: LeftOut[];
  /** What was taken out because nobody sees it, by kind and number. */
  stripped: Stripped[];
}

export type LeftOut =
  | { what: "subject"; why: "outsider"; author: Speaker }
  | { what: "subject"; why: "untold" }
  | { what: "comments"; why: "outsider"; count: number; authors: Speaker[] }
  | { what: "comments"; why: "later" | "edited" | "older"; count: number };

/** An author as labels name one: a login of plain signs or a number, and words for the role. */
export interface Speaker {
  name: string;
  role: string;
}

export interface Stripped {
  /** Which text it was: "text of the issue", "comment by ada", "AGENTS.md". */
  where: string;
  what: string[];
}
