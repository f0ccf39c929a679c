/** The generated data file of tldts 7.5.4, which ships without declarations beside it. */
declare module "tldts/dist/cjs/src/data/trie.js" {
  /** Edges of node `n` are `edgeStart[n]` to `edgeStart[n + 1]`. */
  export const edgeStart: Uint16Array;
  export const edgeLength: Uint8Array;
  export const edgeChild: Uint16Array;
  /** The labels of all edges, one after another. */
  export const labelText: string;
  export const rulesRoot: number;
}
