/** A text of a source file and what stands there once a defence is removed. */
export interface Edit {
  /** Relative to the repository. */
  file: string;
  /** Occurs exactly once in the file. */
  find: string;
  replace: string;
}

/** A controller without the defence that holds one attack: with it, the attack's test must be red. */
export type Mutation = {
  /** Id of the attack: the first word of its test's title. */
  attack: string;
  /** What was removed, in a few words, for the table in README.md. */
  defence?: string;
} & (Edit | { edits: Edit[] });

/** The edits of a mutation, in order. */
export function editsOf(mutation: Mutation): Edit[] {
  return "edits" in mutation ? mutation.edits : [mutation];
}
