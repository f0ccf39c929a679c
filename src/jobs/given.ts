import { UserError } from "../core/errors.ts";
import { isListed } from "../core/policy.ts";
import type { Delivery } from "../core/ports.ts";
import { parseRepoConfig, type RepoConfig, repoConfigSchema } from "../core/repo-config.ts";
import type { Account, Request } from "../core/request.ts";
import { CONFIG_PATH } from "./gate.ts";
import { type SubmitDeps, submit } from "./submit.ts";

/** Takes an issue that was labelled as a task, where that label means it. */
export async function submitLabeled(
  request: Request,
  delivery: Delivery,
  deps: SubmitDeps,
): Promise<void> {
  const { way, repo } = request;
  const wanted = isListed(deps.repositories, repo) ? (await waysIn(request, deps)).label : false;
  const means =
    way.kind === "labeled" && wanted !== false && way.label.toLowerCase() === wanted.toLowerCase();
  await (means ? submit(request, delivery, deps) : deps.intake.saw(delivery));
}

/** Takes an issue that was assigned to the App as a task. */
export async function submitAssigned(
  request: Request,
  assignee: Account,
  delivery: Delivery,
  deps: SubmitDeps,
): Promise<void> {
  const isUs = assignee.type === "Bot" && assignee.login === (await deps.self.login());
  const means =
    isUs && isListed(deps.repositories, request.repo) && (await waysIn(request, deps)).assigned;
  await (means ? submit(request, delivery, deps) : deps.intake.saw(delivery));
}

/** What the repository lets start work; of a file that is wrong the gate tells, as where there is none. */
async function waysIn(
  { repo }: Request,
  { github, network }: SubmitDeps,
): Promise<RepoConfig["on"]> {
  const text = await github.file(repo, CONFIG_PATH).catch((thrown: unknown) => {
    // The gate meets the same, and tells it to whom it concerns.
    if (thrown instanceof UserError) return null;
    throw thrown;
  });
  const read = parseRepoConfig(text ?? "", network);
  return read.ok ? read.config.on : repoConfigSchema.parse({}).on;
}
