import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** A test outside of this suite: its file below test/, and words of its title. */
type Elsewhere = [file: string, title: string];

/**
 * Every fault that is played, wherever its tests lie: ids of this suite, and others. What is missing here is not
 * played; what is here and no longer there fails the catalogue's test.
 */
export const PLAYED: [fault: string, ids: string[], elsewhere: Elsewhere[]][] = [
  [
    "the database is slow or away when a webhook comes",
    ["intake-02", "database-01", "database-04"],
    [["e2e/database-away.test.ts", "while the database cannot be reached webhooks get 503"]],
  ],
  ["the server dies after a command was stored, before GitHub has its answer", ["kill-01"], []],
  [
    "the server is away while people comment",
    [],
    [
      ["e2e/outage.test.ts", "what was asked for while the server was away"],
      ["jobs/deliveries.test.ts", "an outage: of 250 deliveries on 3 pages"],
      ["jobs/deliveries.test.ts", "what failed longer ago than GitHub keeps it"],
    ],
  ],
  [
    "a delivery comes again, by itself, by hand, by another hook, or fifty times at once",
    ["intake-01", "intake-02", "storm-01"],
    [["handlers/issue-comment.test.ts", "is taken once, however often"]],
  ],
  [
    "deliveries come in another order than they were sent",
    ["intake-01"],
    [
      [
        "adapters/store/contract/intake.test.ts",
        "a comment that was deleted starts nothing, whichever webhook comes first",
      ],
    ],
  ],
  [
    "a storm: a thousand webhooks in a second",
    ["storm-01"],
    [["jobs/deliveries.test.ts", "what was turned away in a storm is asked for soon"]],
  ],
  ["a worker is killed and another lives", ["killed-01"], []],
  [
    "the only process is killed, at any moment and again and again",
    ["kill-01", "kill-02", "kill-03", "steps-01"],
    [["adapters/store/contract/processes.test.ts", "a writer killed at any moment loses nothing"]],
  ],
  [
    "the machine loses its power",
    [],
    [["adapters/store/store.test.ts", "a commit is on the disk before it is told"]],
  ],
  [
    "a process stands still, is taken for dead, and wakes",
    ["frozen-01", "frozen-02", "clocks-01"],
    [
      ["adapters/store/contract/jobs.test.ts", "an attempt that lost its lease changes nothing"],
      ["adapters/store/contract/outbox.test.ts", "who lost an act to another process"],
    ],
  ],
  [
    "two servers use one directory or one database",
    [],
    [
      ["adapters/store/lock.test.ts", "a second server in the same directory is refused"],
      ["e2e/roles.test.ts", "two workers on one data directory"],
      ["adapters/store/transfer.test.ts", "a database that a server uses"],
    ],
  ],
  ["the disk is full or read-only", ["machine-01", "machine-02"], []],
  [
    "connections to the database break, or it falls silent",
    ["database-02"],
    [
      ["e2e/database-away.test.ts", "a database that falls silent"],
      ["e2e/database-away.test.ts", "a database that ends every connection again and again"],
    ],
  ],
  [
    "the call that there is a job is lost",
    ["database-03"],
    [["e2e/roles.test.ts", "a worker hears at once of a job"]],
  ],
  ["clocks are wrong, or set while it works", ["machine-04", "clocks-01"], []],
  [
    "many claim at once, beyond what a repository may have",
    [],
    [
      ["adapters/store/contract/claim.test.ts", "of many that claim at once"],
      ["adapters/store/contract/claim.test.ts", "never more jobs of one repository"],
    ],
  ],
  [
    "one repository or installation asks for more than the others together",
    [],
    [
      ["adapters/store/contract/claim.test.ts", "a busy repository does not keep another waiting"],
      ["adapters/store/contract/claim.test.ts", "an installation with many repositories"],
    ],
  ],
  ["a job kills its server each time", ["poison-01"], []],
  ["a crash between the model's reply and what it asked for", ["steps-01", "kill-01"], []],
  ["a job goes on where its files are not", ["steps-01", "killed-01"], []],
  ["a crash between push, branch, pull request and board", ["kill-01", "kill-02"], []],
  [
    "GitHub did it, and its answer was lost",
    ["github-01"],
    [
      ["adapters/github/comment.test.ts", "stands once when the answer to the first try was lost"],
      ["adapters/github/branch.test.ts", "whose first answer was lost is found"],
    ],
  ],
  ["a person deletes the board, or locks the issue", ["github-10", "github-11"], []],
  [
    "GitHub's limits, for one process and for all",
    ["github-01"],
    [
      ["adapters/github/pauses.test.ts", "after a rate limit nobody calls for the installation"],
      ["adapters/store/contract/claim.test.ts", "a pause of an installation lasts"],
    ],
  ],
  [
    "a token that is no longer taken",
    ["github-01"],
    [["adapters/git/fetch.test.ts", "tries once more with a fresh token"]],
  ],
  [
    "the App is suspended or uninstalled, the repository archived, deleted, renamed or handed over",
    ["github-02", "github-03", "github-04", "github-05", "github-06", "github-07"],
    [["e2e/renamed.test.ts", "a repository that is renamed while a job works"]],
  ],
  [
    "branches are moved, forced or deleted by others",
    ["github-08", "github-09", "github-13"],
    [["adapters/github/branch.test.ts", "is fast-forwarded, never forced"]],
  ],
  [
    "many jobs and the janitor use one mirror",
    ["janitor-01"],
    [
      ["adapters/git/fetch.test.ts", "shares one fetch among callers"],
      ["jobs/janitor.test.ts", "runs in a loop beside eight jobs"],
    ],
  ],
  [
    "a mirror is damaged, or locks of dead processes lie in it",
    [],
    [
      ["adapters/git/fetch.test.ts", "clones a damaged mirror again"],
      ["adapters/git/fetch.test.ts", "removes the locks of a dead process"],
    ],
  ],
  [
    "somebody stops a job, wherever it runs",
    ["stop-01"],
    [["e2e/stop.test.ts", "/codex stop in the midst of publishing"]],
  ],
  ["SIGTERM, at any moment", ["shutdown-01", "shutdown-02", "shutdown-03"], []],
  [
    "rows of an older or a newer version",
    [],
    [
      ["adapters/store/contract/schema.test.ts", "a database of every earlier schema"],
      ["adapters/store/contract/schema.test.ts", "a process older than the schema is refused"],
      ["adapters/store/contract/schema.test.ts", "processes that open a new database at once"],
    ],
  ],
  [
    "the model's server fails, hangs, breaks off or answers nonsense",
    [],
    [
      ["adapters/openai/failure.test.ts", "silence after the request may have cost something"],
      ["jobs/call-model.test.ts", "is waited for longer from try to try"],
      ["jobs/candidates.test.ts", "gives the job back when the only provider asks for a long wait"],
      ["hostile/model.test.ts", "calls tools that do not exist, with arguments that are wrong"],
    ],
  ],
  [
    "a write to GitHub is refused for good",
    ["github-10"],
    [
      [
        "jobs/outbox.test.ts",
        "a failure that will not pass reaches who waits, and blocks no other",
      ],
    ],
  ],
  [
    "the database is damaged, or comes back from a backup",
    ["machine-03"],
    [
      ["adapters/store/store.test.ts", "a file that becomes damaged while it is open"],
      ["e2e/backup.test.ts", "after a backup came back"],
    ],
  ],
];

/** What `PLAYED` names and is not there. */
export function missing(ids: string[]): string[] {
  return PLAYED.flatMap(([, own, elsewhere]) => [
    ...own.filter((id) => !ids.includes(id)),
    ...elsewhere.filter(([file, title]) => !isIn(file, title)).map((each) => each.join(": ")),
  ]);
}

function isIn(file: string, title: string): boolean {
  const where = path.resolve(import.meta.dirname, "..", file);
  return existsSync(where) && readFileSync(where, "utf8").includes(title);
}
