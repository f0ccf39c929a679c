import { describe, expect, it } from "vitest";
import {
  type Account,
  type Asked,
  type GateFacts,
  gate,
  isListed,
  type Refusal,
  type Said,
} from "../../src/core/policy.ts";

/** Each fact with every value it can have; the ones that let a write-role command through come first. */
const ada: Account = { id: 5, login: "ada", type: "User" };
const AT = "2026-03-01T10:00:00Z";
const DIMENSIONS = {
  asked: [
    { kind: "start", tasks: 2 },
    { kind: "allow" },
    { kind: "help" },
    { kind: "publish", needs: "write" },
    { kind: "publish", needs: "admin" },
  ] as Asked[],
  event: ["issue_comment", "issues", "pull_request_review_comment", "workflow_run", "push", ""],
  action: ["created", "edited", "deleted", "opened", "assigned", "labeled", ""],
  author: [
    ada,
    { id: 9, login: "dependabot[bot]", type: "Bot" },
    { id: 9, login: "draftsmith[bot]", type: "Bot" },
    { id: 9, login: "acme", type: "Organization" },
    { id: 9, login: "old", type: "Mannequin" },
    { id: 9, login: "ada[bot]", type: "User" },
    { id: 10137, login: "ghost", type: "User" },
    { id: 9, login: "Ghost", type: "User" },
    { id: 0, login: "ada", type: "User" },
    { id: -5, login: "ada", type: "User" },
    { id: 5.5, login: "ada", type: "User" },
    { id: Number.NaN, login: "ada", type: "User" },
    { id: 5, login: "", type: "User" },
    { id: 5, login: "..", type: "User" },
    { id: 5, login: "ada", type: "user" },
    { id: 5, login: "ada", type: "" },
    null,
  ],
  sender: [
    "author",
    { id: 6, login: "eve", type: "User" },
    { id: 5, login: "ada", type: "Bot" },
    null,
  ],
  viaApp: [false, true],
  updatedAt: [AT, "2026-03-01T10:00:00.000Z", "2026-03-01T10:00:01Z", "yesterday", ""],
  association: [
    "COLLABORATOR",
    "OWNER",
    "MEMBER",
    "CONTRIBUTOR",
    "FIRST_TIMER",
    "FIRST_TIME_CONTRIBUTOR",
    "MANNEQUIN",
    "NONE",
    "",
  ],
  listed: [true, false],
  heard: [0, 59, 119, 120],
  installation: ["active", "suspended", "absent", "unknown"] as const,
  role: ["write", "maintain", "admin", "triage", "read", "none", "unknown"] as const,
  paused: [null, "moving house", ""],
  archived: [false, true, "unknown"] as const,
  enabled: [true, false, "unknown"] as const,
  head: ["here", "fork", "unknown"] as const,
  usage: [
    { open: { person: 0, repository: 0, installation: 0 }, heard: 0 },
    { open: { person: 28, repository: 98, installation: 298 }, heard: 59 },
    { open: { person: 29, repository: 29, installation: 29 }, heard: 0 },
    { open: { person: 0, repository: 99, installation: 99 }, heard: 0 },
    { open: { person: 0, repository: 0, installation: 299 }, heard: 0 },
    { open: { person: 0, repository: 0, installation: 0 }, heard: 60 },
    { open: { person: 30, repository: 100, installation: 300 }, heard: 0 },
  ],
};

type Cell = { [K in keyof typeof DIMENSIONS]: (typeof DIMENSIONS)[K][number] };

const quotas = { person: 30, repository: 100, installation: 300, commandsPerHour: 60 };

function factsOf(cell: Cell): Required<GateFacts> {
  const sender = cell.sender === "author" ? cell.author : (cell.sender as Account | null);
  const comment: Said = {
    by: "request",
    way: { kind: "comment", id: 1 },
    event: cell.event,
    action: cell.action,
    author: cell.author,
    sender,
    viaApp: cell.viaApp,
    edited: Date.parse(AT) !== Date.parse(cell.updatedAt),
    association: cell.association,
  };
  return {
    asked: cell.asked,
    said: cell.asked.kind === "publish" ? { by: "earlier", login: "ada" } : comment,
    server: { listed: cell.listed, paused: cell.paused, quotas, heard: cell.heard },
    standing: { installation: cell.installation, role: cell.role },
    place: { archived: cell.archived, enabled: cell.enabled, head: cell.head },
    usage: cell.usage,
  };
}

/** The cells that are meant to be admitted, said once more and apart from the rules. */
function isMeant(cell: Cell): boolean {
  const { asked } = cell;
  const enough = { write: ["write", "maintain", "admin"], admin: ["admin"] };
  const needs = asked.kind === "publish" ? asked.needs : asked.kind === "allow" ? "admin" : "write";
  const { open, heard } = cell.usage;
  const tasks = asked.kind === "start" ? asked.tasks : 0;
  const standing =
    cell.listed &&
    cell.installation === "active" &&
    enough[needs].includes(cell.role) &&
    cell.paused === null &&
    cell.archived === false &&
    cell.enabled === true &&
    (cell.head === "here" || asked.kind === "help");
  if (asked.kind === "publish") return standing;
  return (
    standing &&
    cell.event === "issue_comment" &&
    cell.action === "created" &&
    cell.author === ada &&
    cell.sender === "author" &&
    !cell.viaApp &&
    ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z"].includes(cell.updatedAt) &&
    cell.heard < 120 &&
    heard < 60 &&
    (tasks === 0 ||
      (open.person + tasks <= 30 &&
        open.repository + tasks <= 100 &&
        open.installation + tasks <= 300))
  );
}

/** Every combination of some facts, the others at their first value. */
function* cells(varied: (keyof typeof DIMENSIONS)[]): Generator<Cell> {
  const names = Object.keys(DIMENSIONS) as (keyof typeof DIMENSIONS)[];
  const first = Object.fromEntries(names.map((name) => [name, DIMENSIONS[name][0]]));
  function* vary(left: (keyof typeof DIMENSIONS)[], cell: object): Generator<Cell> {
    const [name, ...rest] = left;
    if (name === undefined) yield cell as Cell;
    else for (const value of DIMENSIONS[name]) yield* vary(rest, { ...cell, [name]: value });
  }
  yield* vary(varied, first);
}

/** The same "random" cells each time (a linear congruential generator). */
function* sample(count: number): Generator<Cell> {
  let state = 42;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const names = Object.keys(DIMENSIONS) as (keyof typeof DIMENSIONS)[];
  for (let at = 0; at < count; at++) {
    // Mostly first values: with all of them free hardly any cell would be admitted.
    const cell = names.map((name) => {
      const values = DIMENSIONS[name] as readonly unknown[];
      return [name, values[next(4) > 0 ? 0 : next(values.length)]];
    });
    yield Object.fromEntries(cell) as Cell;
  }
}

function admits(cell: Cell): boolean {
  return gate(factsOf(cell)).status === "admitted";
}

function check(all: Iterable<Cell>): { cells: number; admitted: number } {
  const wrong: Cell[] = [];
  let count = 0;
  let admitted = 0;
  for (const cell of all) {
    count += 1;
    if (isMeant(cell)) admitted += 1;
    if (admits(cell) !== isMeant(cell)) wrong.push(cell);
  }
  expect(wrong.slice(0, 3)).toEqual([]);
  return { cells: count, admitted };
}

describe("the table of the gate", () => {
  it("admits exactly the cells that are meant: what the webhook says", () => {
    const walked = check(
      cells(["asked", "event", "action", "author", "sender", "viaApp", "updatedAt", "association"]),
    );
    expect(walked.cells).toBeGreaterThan(1_000_000);
    expect(walked.admitted).toBeGreaterThan(0);
  });

  it("admits exactly the cells that are meant: who, where and how much", () => {
    const walked = check(
      cells([
        "asked",
        "listed",
        "heard",
        "installation",
        "role",
        "paused",
        "archived",
        "enabled",
        "head",
        "usage",
      ]),
    );
    expect(walked.cells).toBeGreaterThan(500_000);
    expect(walked.admitted).toBeGreaterThan(0);
  });

  it("admits exactly the cells that are meant: all facts at once", () => {
    const walked = check(sample(300_000));
    expect(walked.admitted).toBeGreaterThan(1000);
  });

  it("never lets author_association decide, only who is told", () => {
    for (const cell of sample(50_000)) {
      const verdicts = DIMENSIONS.association.map((association) =>
        gate(factsOf({ ...cell, association })),
      );
      const decided = verdicts.map((verdict) =>
        verdict.status === "refused" ? { ...verdict, told: "-" } : verdict,
      );
      for (const verdict of decided) expect(verdict).toEqual(decided[0]);
    }
  });

  it("admits nothing before everything is known, and then says what is missing", () => {
    for (const cell of cells(["asked", "role"])) {
      const facts = factsOf(cell);
      const stages = ["server", "standing", "place", "usage"] as const;
      for (let known = 0; known < 16; known++) {
        const given: GateFacts = { asked: facts.asked, said: facts.said };
        for (const [at, stage] of stages.entries()) {
          if (known & (1 << at)) Object.assign(given, { [stage]: facts[stage] });
        }
        const verdict = gate(given);
        const complete = cell.asked.kind === "publish" ? (known & 7) === 7 : known === 15;
        if (!complete) expect(verdict.status).not.toBe("admitted");
        if (verdict.status === "undecided") expect(given[verdict.needs]).toBeUndefined();
      }
    }
  });

  it("is refused early by the same rule as with all facts known", () => {
    for (const cell of sample(20_000)) {
      const facts = factsOf(cell);
      const whole = gate(facts);
      for (const known of [
        { asked: facts.asked, said: facts.said },
        { asked: facts.asked, said: facts.said, server: facts.server },
        { asked: facts.asked, said: facts.said, server: facts.server, standing: facts.standing },
      ]) {
        const early = gate(known);
        if (early.status === "refused") expect(early).toEqual(whole);
      }
    }
  });

  it("takes stored work for nothing but publishing, and a comment for anything but that", () => {
    const stored: Said = { by: "earlier", login: "ada" };
    for (const cell of cells(["asked", "role"])) {
      const facts = factsOf(cell);
      const comment = factsOf({ ...cell, asked: { kind: "help" } }).said;
      const swapped = gate({ ...facts, said: facts.said.by === "earlier" ? comment : stored });
      expect(swapped).toMatchObject({ status: "refused", rule: "event" });
    }
  });
});

describe("who is told of a refusal", () => {
  const refusalOf = (change: Partial<Cell>): Refusal => {
    const [usual] = cells([]);
    const verdict = gate(factsOf({ ...(usual as Cell), ...change }));
    if (verdict.status !== "refused") throw new Error("it was not refused");
    return verdict;
  };

  it.each<[string, Partial<Cell>, Refusal["rule"], Refusal["told"]]>([
    ["another event", { event: "workflow_run" }, "event", "never"],
    ["an edit", { action: "edited" }, "event", "never"],
    ["a bot", { author: { id: 9, login: "x[bot]", type: "Bot" } }, "person", "never"],
    ["an App in somebody's name", { viaApp: true }, "app", "hourly"],
    ["an App in a stranger's name", { viaApp: true, association: "NONE" }, "app", "never"],
    ["another sender", { sender: { id: 6, login: "eve", type: "User" } }, "sender", "never"],
    ["an edited comment", { updatedAt: "2026-03-01T10:01:00Z" }, "edited", "hourly"],
    [
      "a stranger's edited comment",
      { updatedAt: "2026-03-01T10:01:00Z", association: "NONE" },
      "edited",
      "never",
    ],
    ["a repository that is not listed", { listed: false }, "listed", "never"],
    ["a flood", { heard: 120 }, "flood", "never"],
    ["a suspended installation", { installation: "suspended" }, "installation", "never"],
    ["an absent installation", { installation: "absent" }, "installation", "always"],
    [
      "an absent installation, to a stranger",
      { installation: "absent", association: "NONE" },
      "installation",
      "never",
    ],
    ["an unknown installation", { installation: "unknown" }, "installation", "always"],
    ["an insider who may only read", { role: "read" }, "role", "hourly"],
    ["a stranger", { role: "read", association: "NONE" }, "role", "never"],
    ["an insider of unknown role", { role: "unknown" }, "role", "always"],
    ["a stranger of unknown role", { role: "unknown", association: "NONE" }, "role", "never"],
    [
      "a writer who would allow",
      { asked: { kind: "allow" }, association: "NONE" },
      "role",
      "always",
    ],
    ["a pause", { paused: "moving house", association: "NONE" }, "paused", "hourly"],
    ["an archived repository", { archived: true }, "archived", "always"],
    ["a repository that switched it off", { enabled: false }, "enabled", "hourly"],
    ["a configuration nobody can read", { enabled: "unknown" }, "enabled", "always"],
    ["a fork", { head: "fork" }, "fork", "always"],
    ["a head nobody knows", { head: "unknown" }, "fork", "always"],
    [
      "too many commands",
      { usage: { ...DIMENSIONS.usage[0], heard: 60 } as never },
      "rate",
      "hourly",
    ],
    ["too many jobs", { usage: DIMENSIONS.usage[6] as never }, "quota", "hourly"],
  ])("%s", (_, change, rule, told) => {
    expect(refusalOf(change)).toMatchObject({ rule, told });
  });

  it("with a reason that is a clause", () => {
    for (const cell of sample(5_000)) {
      const verdict = gate(factsOf(cell));
      if (verdict.status !== "refused") continue;
      expect(verdict.reason).toMatch(/^\S.{8,}[^.]$/s);
    }
  });

  it("with how much is in use and how much may be", () => {
    expect(refusalOf({ usage: DIMENSIONS.usage[2] as never }).reason).toMatch(
      /you have 29 open jobs, and 30 may be open.*PERSON/,
    );
    expect(refusalOf({ usage: DIMENSIONS.usage[3] as never }).reason).toMatch(/99 open jobs.*100/);
    expect(refusalOf({ usage: DIMENSIONS.usage[4] as never }).reason).toMatch(/299.*300/);
    expect(refusalOf({ paused: "moving house" }).reason).toMatch(/paused.*moving house/);
  });
});

describe("the operator's list of repositories", () => {
  const repo = { installationId: 1, id: 2, owner: "Acme", name: "Shop.js" };

  it.each<[string[] | null, boolean]>([
    [null, true],
    [[], false],
    [["acme/*"], true],
    [["ACME/shop.js"], true],
    [["acme/shop"], false],
    [["acme/shop.js.git"], false],
    [["evil/acme/*", "acme"], false],
    [["other/*", "acme/tools"], false],
  ])("%j", (list, listed) => {
    expect(isListed(list, repo)).toBe(listed);
  });
});
