/** A path as the model wrote it, made relative to the tree, or why it is refused. */
export type TreePath = { status: "inside"; path: string } | { status: "refused"; reason: string };

/**
 * Reads a path that is relative to the tree or absolute below it. This only gives a clear answer
 * early; the boundary itself is the sandbox, which follows links and has nothing else to write.
 */
export function treePath(tree: string, written: string): TreePath {
  const root = parts(tree);
  const steps = written.startsWith("/") ? [] : [...root];
  for (const part of parts(written)) {
    if (part === "..") steps.pop();
    else steps.push(part);
  }
  const inside = root.every((part, at) => steps[at] === part);
  if (inside && !/^~(\/|$)/.test(written)) {
    return { status: "inside", path: steps.slice(root.length).join("/") || "." };
  }
  const reason = `${JSON.stringify(written)} lies outside the checkout. Give a path relative to its root, ${tree}.`;
  return { status: "refused", reason };
}

function parts(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
