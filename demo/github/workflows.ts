import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { allows, type Caller } from "./access.ts";
import { git } from "./bare.ts";
import { Problem } from "./reply.ts";

/** Environment variable that tells the hook whether the token of a push may change workflows. */
const VARIABLE = "STAND_IN_WORKFLOWS";

/** GitHub takes a change of a workflow only from a token that has the permission for it, and says so. */
const HOOK = `#!/bin/sh
[ "$${VARIABLE}" = refused ] || exit 0
case $3 in *[!0]*) ;; *) exit 0 ;; esac
file=$(git log --format= --name-only "$3" --not --branches -- .github/workflows | head -n 1)
[ -n "$file" ] || exit 0
echo "refusing to allow a GitHub App to create or update workflow \\\`$file\\\` without \\\`workflows\\\` permission" >&2
exit 1
`;

/** Makes a bare repository refuse pushes that change workflows without permission. */
export async function guardWorkflows(repository: string): Promise<void> {
  await mkdir(path.join(repository, "hooks"), { recursive: true });
  await writeFile(path.join(repository, "hooks/update"), HOOK, { mode: 0o755 });
}

/** What the hook needs to know of a caller. */
export function workflowsEnv(caller: Caller): Record<string, string> {
  return { [VARIABLE]: mayChange(caller) ? "granted" : "refused" };
}

/** Refuses to point a ref at a commit whose new workflows the caller may not change. */
export async function checkWorkflows(
  repository: string,
  sha: string,
  caller: Caller,
): Promise<void> {
  if (mayChange(caller)) return;
  const args = ["log", "--format=", "--name-only", sha, "--not", "--branches"];
  const files = await git(repository, [...args, "--", ".github/workflows"]);
  if (files !== "") throw new Problem(403, "Resource not accessible by integration");
}

function mayChange(caller: Caller): boolean {
  return caller.kind === "installation" && allows(caller.token.permissions, "workflows", "write");
}
