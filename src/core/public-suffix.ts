import { getPublicSuffix } from "tldts";
import {
  edgeChild,
  edgeLength,
  edgeStart,
  labelText,
  rulesRoot,
} from "tldts/dist/cjs/src/data/trie.js";

/** Whether anybody can register a name directly below this one, by the Public Suffix List with its private part. */
export function isPublicSuffix(name: string): boolean {
  return getPublicSuffix(name, { allowPrivateDomains: true }) === name;
}

/**
 * A public suffix that lies below `name`, such as `s3.amazonaws.com` below `amazonaws.com`; null
 * without one. The list's own package answers only for whole names, so its data are walked here.
 */
export function suffixBelow(name: string): string | null {
  let node = rulesRoot;
  for (const label of name.split(".").reverse()) {
    const edge = edgesOf(node).find((each) => each.label === label);
    if (edge === undefined) return null;
    node = edge.child;
  }
  let below = name;
  for (let [edge] = edgesOf(node); edge !== undefined; [edge] = edgesOf(edge.child)) {
    below = `${edge.label}.${below}`;
    if (edge.label === "*" || isPublicSuffix(below)) return below;
  }
  return null;
}

const offsets = startsOf(edgeLength);

function edgesOf(node: number): { label: string; child: number }[] {
  const edges: { label: string; child: number }[] = [];
  for (let at = edgeStart[node] ?? 0; at < (edgeStart[node + 1] ?? 0); at += 1) {
    const from = offsets[at] ?? 0;
    const label = labelText.slice(from, from + (edgeLength[at] ?? 0));
    edges.push({ label, child: edgeChild[at] ?? 0 });
  }
  return edges;
}

/** Where each of pieces of these lengths begins when they stand one after another. */
function startsOf(lengths: Uint8Array): Uint32Array {
  const starts = new Uint32Array(lengths.length);
  for (let at = 1; at < lengths.length; at += 1) {
    starts[at] = (starts[at - 1] ?? 0) + (lengths[at - 1] ?? 0);
  }
  return starts;
}
