import { describe, expect, it } from "vitest";
import type { GitHub } from "../../src/core/ports.ts";
import type { Role } from "../../src/core/role.ts";
import { createAuthors } from "../../src/jobs/authors.ts";
import { silentLog } from "../support/log.ts";
import { aCommand } from "../support/store-rows.ts";

const command = aCommand("c1");
const person = (id: number, login = `person-${id}`) => ({ id, login, type: "User" });

/** A GitHub that answers for roles only, and what it was asked. */
function gitHub(answer: (login: string) => Role): { github: GitHub; asked: string[] } {
  const asked: string[] = [];
  const unasked = () => Promise.reject(new Error("nobody asks this"));
  const github: GitHub = {
    permission: async (_, { id, login }) => {
      asked.push(`${id} ${login}`);
      return answer(login);
    },
    repository: unasked,
    branchSha: unasked,
    file: unasked,
    pull: unasked,
    conversation: unasked,
    threads: unasked,
    readGit: unasked,
  };
  return { github, asked };
}

describe("an author", () => {
  it.each<[Role, string, boolean]>([
    ["admin", "admin access", true],
    ["maintain", "maintain access", true],
    ["write", "write access", true],
    ["triage", "triage access", false],
    ["read", "read access", false],
    ["none", "no access", false],
  ])("with the role %s", async (role, words, trusted) => {
    const { github } = gitHub(() => role);
    const author = await createAuthors(silentLog)(github, command, person(7));
    expect(author).toEqual({ name: "person-7", role: words, trusted });
  });

  it("who gave the command is trusted without a question", async () => {
    const { github, asked } = gitHub(() => "none");
    const author = await createAuthors(silentLog)(github, command, person(5, "ada"));
    expect(author).toEqual({ name: "ada", role: "gave the command", trusted: true });
    expect(asked).toEqual([]);
  });

  it("who is no person, or gone, or bears an impossible login is not asked about", async () => {
    const { github, asked } = gitHub(() => "admin");
    const authors = createAuthors(silentLog);
    const of = async (account: Parameters<typeof authors>[2]) =>
      Object.values(await authors(github, command, account));
    expect(await of(null)).toEqual(["somebody", "deleted account", false]);
    expect(await of({ id: 5, login: "x[bot]", type: "Bot" })).toEqual(["x[bot]", "bot", false]);
    expect(await of({ id: 6, login: "org", type: "Organization" })).toEqual([
      "org",
      "no person",
      false,
    ]);
    expect(await of({ id: 7, login: "m", type: "Mannequin" })).toEqual(["m", "no person", false]);
    expect(await of(person(8, "a/../b\n=="))).toEqual(["account 8", "role unknown", false]);
    expect(asked).toEqual([]);
  });

  it("whose role GitHub does not tell is not trusted, and is asked about again", async () => {
    let fails = true;
    const { github, asked } = gitHub(() => {
      if (fails) throw new Error("no answer");
      return "write";
    });
    const authors = createAuthors(silentLog);
    expect((await authors(github, command, person(7))).role).toBe("role unknown");
    fails = false;
    expect((await authors(github, command, person(7))).trusted).toBe(true);
    expect(asked).toHaveLength(2);
  });
});

it("one question per author is enough for all jobs of a command, and another command asks anew", async () => {
  const { github, asked } = gitHub(() => "write");
  const authors = createAuthors(silentLog);
  const twice = [person(7), person(8), person(7)];
  await Promise.all([...twice, ...twice].map((each) => authors(github, command, each)));
  expect(asked).toEqual(["7 person-7", "8 person-8"]);
  await authors(github, aCommand("c2"), person(7));
  expect(asked).toHaveLength(3);
});

it("thirty authors of a command are asked about, the others are not trusted", async () => {
  const { github, asked } = gitHub(() => "write");
  const authors = createAuthors(silentLog);
  const crowd = Array.from({ length: 40 }, (_, at) => person(100 + at));
  const found = await Promise.all(crowd.map((each) => authors(github, command, each)));
  expect(asked).toHaveLength(30);
  expect(found.map(({ trusted }) => trusted)).toEqual(crowd.map((_, at) => at < 30));
});
