import type { Edit, Mutation } from "./mutation.ts";

const CLASSES = "src/core/path-classes.ts";
const PATHS = "src/core/paths.ts";
const FOLD = "src/core/fold-path.ts";
const LIMITS = "src/core/change-limits.ts";
const GATES = "src/adapters/git/gates.ts";
const INSPECT = "src/jobs/inspect.ts";
const OPENING = "src/core/messages/opening.ts";
const ALLOW = "src/jobs/allow.ts";

const LOOKS_AT_PATH = "const own = guards.find(({ matches }) => matches(path));";
const LOOKS_IN_PLACE = "const replaced = guards.find(({ reaches }) => reaches(path));";

const without = (file: string, find: string, replace = ""): Edit => ({ file, find, replace });

const mutations: Mutation[] = [
  {
    attack: "leaving-01",
    defence: "workflows are never changed",
    ...without(CLASSES, '".github/workflows/**", '),
  },
  {
    attack: "leaving-02",
    defence: "paths are compared without regard to case",
    ...without(FOLD, "return foldCase(path.replace(", "return String(path.replace("),
  },
  {
    attack: "leaving-03",
    defence: "renames are taken apart",
    ...without("src/adapters/git/changed-files.ts", '"--no-renames"', '"--find-renames"'),
  },
  {
    attack: "leaving-04",
    defence: "deleted files and what stands in place of a folder count",
    edits: [
      without(
        PATHS,
        LOOKS_AT_PATH,
        `const own = guards.find(({ matches }) => file.status !== "deleted" && matches(path));`,
      ),
      without(PATHS, LOOKS_IN_PLACE, "const replaced = guards.find(() => false);"),
    ],
  },
  {
    attack: "leaving-05",
    defence: "a change of mode alone counts",
    ...without(
      PATHS,
      LOOKS_AT_PATH,
      "const own = guards.find(({ matches }) => file.added !== 0 && matches(path));",
    ),
  },
  {
    attack: "leaving-06",
    defence: "owners are never changed",
    ...without(CLASSES, '".github/codeowners", '),
  },
  {
    attack: "leaving-07",
    defence: "our own configuration is never changed",
    ...without(CLASSES, '".github/codex.yml", '),
  },
  {
    attack: "leaving-08",
    defence: "short names of Windows stand for the long ones",
    ...without(FOLD, "SHORTENED.get(start) ?? name", "name"),
  },
  {
    attack: "leaving-09",
    defence: ".gitmodules is never changed",
    ...without(CLASSES, ', "**/.gitmodules"'),
  },
  {
    attack: "leaving-10",
    defence: "repositories inside the repository are refused",
    ...without(GATES, "if (submodules.length > 0) {", "if (submodules.length > 1e9) {"),
  },
  {
    attack: "leaving-11",
    defence: "a link counts as the place it leads to",
    ...without(PATHS, "matches(target) || reaches(target)", "matches(path)"),
  },
  {
    attack: "leaving-12",
    defence: "every link on the way is followed",
    ...without(
      "src/adapters/git/links.ts",
      'const target = links.get([...behind, name].join("/"));',
      'const target = hops === 0 ? links.get([...behind, name].join("/")) : undefined;',
    ),
  },
  {
    attack: "leaving-13",
    defence: "links into .git are refused",
    ...without(GATES, "if (toGit.length > 0)", "if (toGit.length > 1e9)"),
  },
  {
    attack: "leaving-14",
    defence: "links that lead out through others are refused",
    ...without(GATES, "file.leadsTo === null || "),
  },
  {
    attack: "leaving-15",
    defence: "files are counted",
    ...without(LIMITS, "is: patches.length,", "is: 0,"),
  },
  {
    attack: "leaving-16",
    defence: "lines are counted",
    ...without(LIMITS, "is: sum(lines),", "is: 0,"),
  },
  {
    attack: "leaving-17",
    defence: "bytes of text are counted",
    ...without(LIMITS, "is: sum(texts) / KB,", "is: 0,"),
  },
  {
    attack: "leaving-18",
    defence: "bytes of binary files are counted",
    ...without(LIMITS, "is: sum(binaries) / KB,", "is: 0,"),
  },
  {
    attack: "leaving-19",
    defence: "the pull request opens with what to look at first",
    ...without(OPENING, '...list("**Look at these first:**", of("shown_first").map(line)),'),
  },
  {
    attack: "leaving-20",
    defence: "instructions to agents are shown first",
    ...without(CLASSES, '"agents.md agents.override.md', '"agents.override.md'),
  },
  {
    attack: "leaving-21",
    defence: "an executable bit is told",
    ...without(PATHS, "file.newMode === EXECUTABLE && ", "false && "),
  },
  {
    attack: "leaving-22",
    defence: "weakened tests stand at the top",
    ...without(INSPECT, "...weakenedTests(patch), "),
  },
  {
    attack: "leaving-23",
    defence: "commits that come later open the pull request, too",
    ...without("src/core/messages/pull.ts", "...laterOpenings(later),"),
  },
  {
    attack: "leaving-24",
    defence: "binary files are looked through as well",
    ...without("src/adapters/git/objects.ts", '"--text",'),
  },
  {
    attack: "leaving-25",
    defence: "no word of an admin lets a secret of the server out",
    ...without(INSPECT, "if (finding.own) secrets.own.push", "if (!finding) secrets.own.push"),
  },
  {
    attack: "leaving-26",
    defence: "the report is looked through",
    ...without(INSPECT, "of new Set(words)", "of new Set<string>()"),
  },
  {
    attack: "leaving-27",
    defence: "names of files are looked through",
    ...without(INSPECT, '[{ where: "file names", text: names }]', "[]"),
  },
  {
    attack: "leaving-28",
    defence: "the report is looked through",
    ...without(INSPECT, "of new Set(words)", "of new Set<string>()"),
  },
  {
    attack: "leaving-29",
    defence: "the command decides about drafts, not the model",
    ...without(
      "src/jobs/publish.ts",
      'draft: job.target.kind === "new_pull" && job.target.draft,',
      "draft: !/draft: false/.test(change.summary),",
    ),
  },
  {
    attack: "leaving-30",
    defence: "words of a model are no trailers",
    ...without(
      "src/core/markdown.ts",
      ".map((line) => inertLine(line).trimEnd())",
      ".map((line) => line.trimEnd())",
    ),
  },
  {
    attack: "leaving-31",
    defence: "a word counts for one commit",
    ...without(ALLOW, "if (!isMeant(job, sha)) {", "if (sha === null) {"),
  },
  {
    attack: "leaving-32",
    defence: "attributes are shown first",
    ...without(CLASSES, '".gitattributes .lfsconfig', '".lfsconfig'),
  },
  {
    attack: "leaving-33",
    defence: "a word counts where the board stands",
    ...without(ALLOW, "each.issue === issue", "each.issue !== 0"),
  },
  {
    attack: "leaving-34",
    defence: "a word said twice is one",
    edits: [
      without(ALLOW, "if (known !== null) return known;"),
      without(ALLOW, "const change = heldChange(job);", "const change = job.change;"),
      without(
        "src/adapters/store/allowances.ts",
        'job?.state === "blocked" ? job.change : null',
        "job?.change ?? null",
      ),
      without(
        "src/adapters/store/allowances.ts",
        '.where("state", "=", "blocked")',
        '.where("id", "=", jobId)',
      ),
    ],
  },
  {
    attack: "leaving-35",
    defence: "a held change must still be there",
    ...without("src/jobs/let-out.ts", "if (files === null) {", "if (files?.length === -1) {"),
  },
  {
    attack: "leaving-36",
    defence: "who allowed it is asked about again",
    ...without(
      "src/jobs/recheck.ts",
      '{ ...job.allowance, needs: "admin" } as const',
      '{ ...job.allowance, needs: "write" } as const',
    ),
  },
  {
    attack: "leaving-37",
    defence: "GitHub's refusal is told with the remedy",
    ...without(
      "src/adapters/github/perform.ts",
      "throw new UserError(`${refused.message} ${error.message}`, { cause: refused });",
      "throw refused;",
    ),
  },
  {
    attack: "leaving-38",
    defence: "a word is stored before it is acted on",
    ...without("src/adapters/store/allowances.ts", 'state: "queued",', 'state: "blocked",'),
  },
  {
    attack: "leaving-39",
    defence: "a word counts for the diff that was seen",
    ...without(
      "src/jobs/let-out.ts",
      "if (stands === parent) return null;",
      "if (stands !== null) return null;",
    ),
  },
  {
    attack: "leaving-40",
    defence: "our secrets are taken out of a task, and the name of its branch is looked through",
    edits: [
      without("src/jobs/submit.ts", "body: redact(body), subject", "body, subject"),
      without(INSPECT, "return found.length === 0", "return found.length >= 0"),
    ],
  },
  {
    attack: "leaving-41",
    defence: "links whose names cannot be told apart lead nowhere",
    ...without(
      "src/adapters/git/links.ts",
      "links.has(path) ? null : (targets.get(id) ?? null)",
      "targets.get(id) ?? null",
    ),
  },
  {
    attack: "leaving-42",
    defence: "what the checks run is shown first",
    ...without(INSPECT, "    ...job.config.checks,\n"),
  },
];

export default mutations;
