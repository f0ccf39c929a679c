import { hostRemedy } from "../denied-hosts.ts";
import type { Evidence, FileChange, VerifiedChange } from "../job.ts";
import { codeSpan, fenced } from "../markdown.ts";
import type { RepoConfig } from "../repo-config.ts";
import { exitWords, howStopped } from "../stopped.ts";
import { nameText, shorten } from "./words.ts";

const MAX_FILES = 100;
const MAX_COMMAND = 200;
const MAX_HOSTS = 40;
/** Characters of output that are shown, of one check and of all together. */
const MAX_TAIL = 3000;
const MAX_TAILS = 15_000;

/** A table of changed files with lines added and removed. */
export function filesTable(files: FileChange[]): string[] {
  const rows = files
    .slice(0, MAX_FILES)
    .map(
      (file) =>
        `| ${codeSpan(nameText(file.path))}${note(file)} | ${lines(file.added)} | ${lines(file.removed)} |`,
    );
  const rest = files.length - rows.length;
  return [
    "| File | + | − |",
    "| --- | ---: | ---: |",
    ...rows,
    ...(rest > 0 ? [`| … and ${rest} more | | |`] : []),
  ];
}

function note(file: FileChange): string {
  return file.status === "modified" ? "" : ` (${file.status.replace("_", " ")})`;
}

function lines(n: number | null): string {
  return n === null ? "binary" : String(n);
}

/**
 * What the controller ran on a clean checkout, with exit codes, times and folded output; then the
 * hosts that were asked for and refused.
 */
export function evidenceSection(
  change: Pick<VerifiedChange, "evidence" | "deniedHosts">,
  headSha: string,
  config: RepoConfig,
): string[] {
  const denied = deniedTable(change, config.network);
  if (config.checks.length === 0) {
    return [
      "No checks are configured, so none were run. Name them under `checks:` in `.github/codex.yml`.",
      ...denied,
    ];
  }
  const { evidence } = change;
  const room = Math.min(MAX_TAIL, Math.floor(MAX_TAILS / Math.max(1, evidence.length)));
  return [
    `Run by Draftsmith on a clean checkout of the tree of \`${headSha.slice(0, 12)}\`:`,
    "",
    "| Command | Exit code | Time |",
    "| --- | --- | ---: |",
    ...evidence.map(
      (check) =>
        `| ${codeSpan(shorten(check.command, MAX_COMMAND))} | ${exit(check)} | ${seconds(check.durationMs)} |`,
    ),
    ...evidence.flatMap((check, index) =>
      check.output.trim() === ""
        ? []
        : [
            "",
            `<details><summary>Output of check ${index + 1}</summary>`,
            "",
            fenced(check.output.length > room ? `…\n${check.output.slice(-room)}` : check.output),
            "",
            "</details>",
          ],
    ),
    ...denied,
  ];
}

/** Hosts that were refused, by whom they were asked for and how each could be allowed. */
function deniedTable(
  { evidence, deniedHosts }: Pick<VerifiedChange, "evidence" | "deniedHosts">,
  network: string[],
): string[] {
  const asked = [
    ...evidence.map((check) => ({
      by: codeSpan(shorten(check.command, MAX_COMMAND)),
      hosts: check.deniedHosts,
    })),
    { by: "the agent's commands or the setup", hosts: deniedHosts },
  ];
  const rows = asked.flatMap(({ by, hosts }) =>
    hosts.map((host) => `| ${codeSpan(host)} | ${by} | ${hostRemedy(host, network)} |`),
  );
  if (rows.length === 0) return [];
  const rest = rows.length - MAX_HOSTS;
  return [
    "",
    "| Refused host | Asked for by | Remedy |",
    "| --- | --- | --- |",
    ...rows.slice(0, MAX_HOSTS),
    ...(rest > 0 ? [`| … and ${rest} more | | |`] : []),
  ];
}

function exit(check: Evidence): string {
  if (check.stopped) return `❌ ${howStopped(check.stopped)}`;
  return check.exitCode === 0 ? "✅ 0" : `❌ ${exitWords(check.exitCode)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
