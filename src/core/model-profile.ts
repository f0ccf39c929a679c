/**
 * Prices of a model in US dollars per million tokens, which is micro-dollars per token. Where `above` is
 * given, a call whose prompt has more tokens than that is priced by that tier as a whole.
 */
export interface Price {
  input: number;
  /** Of prompt tokens that the provider had cached. */
  cached: number;
  output: number;
  /** Of prompt tokens that the provider wrote to its cache, as it told; absent: as input. */
  cacheWrite?: number;
  tiers?: { above: number; input: number; cached: number; output: number; cacheWrite?: number }[];
}

/** What we know of a model, from the catalogue and the operator. */
export interface ModelProfile {
  /** As people, rules and boards name it. */
  name: string;
  /** Id of the provider that serves it. */
  provider: string;
  /** The name the provider knows it by. */
  id: string;
  /** Tokens of prompt and reply together. */
  contextWindow: number;
  /** Nobody told the window: it is a guess. */
  windowGuessed?: true;
  /** Most tokens of one reply, reasoning included. */
  maxOutput: number;
  /** "unpriced": the operator says that it costs nothing that has to be counted. Null: nobody knows. */
  price: Price | "unpriced" | null;
  /** Which tool it changes files with: the one it was trained on. */
  editTool: "edit" | "apply_patch";
  /** Reasoning efforts it takes; empty: none. */
  efforts: string[];
}
