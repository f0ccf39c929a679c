import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GitWorld, makeGitWorld } from "../../support/git-world.ts";
import { type Entry, runGit } from "../../support/repository.ts";

let world: GitWorld;
beforeAll(async () => {
  world = await makeGitWorld();
});
afterAll(() => world.close());

async function fetched(files: Record<string, Entry>) {
  const { repo, remote } = world.repository();
  const sha = remote.commit(files);
  await world.git.fetch(repo, [sha], world.token);
  return { repo, remote, sha };
}

describe("questions to a mirror", () => {
  it("gives regular files as text, and null for everything else", async () => {
    const { repo, sha } = await fetched({
      "a.txt": "ä\n",
      "run.sh": { executable: "#!/bin/sh\n" },
      "dir/b.txt": "b\n",
      ":(glob)*": "magic\n",
      link: { link: "a.txt" },
      "big.txt": "x".repeat(101),
    });
    const file = (path: string) => world.git.file(repo, sha, path, 100);
    expect(await file("a.txt")).toBe("ä\n");
    expect(await file("run.sh")).toBe("#!/bin/sh\n");
    expect(await file("dir/b.txt")).toBe("b\n");
    expect(await file(":(glob)*")).toBe("magic\n");
    for (const none of [
      "link",
      "dir",
      "dir/",
      "big.txt",
      "gone",
      "*",
      "../a.txt",
      "/etc/passwd",
      "./a.txt",
      "dir/../a.txt",
      "a\0b",
      "",
    ]) {
      expect(await file(none), none).toBe(null);
    }
    await expect(world.git.file(repo, "HEAD", "a.txt", 100)).rejects.toThrow("object id");
  });

  it("finds files by their last name", async () => {
    const { repo, sha } = await fetched({
      "AGENTS.md": "1",
      "a/AGENTS.md": "2",
      "a b/ü/AGENTS.md": "3",
      "NOT-AGENTS.md": "4",
      "AGENTS.md.txt": "5",
    });
    expect(await world.git.find(repo, sha, "AGENTS.md")).toEqual([
      "AGENTS.md",
      "a b/ü/AGENTS.md",
      "a/AGENTS.md",
    ]);
  });

  it("shows a diff, and says where it cut it", async () => {
    const { repo, remote, sha } = await fetched({
      "ü.txt": "a\n",
      ".gitattributes": "*.txt diff=e\n",
    });
    const next = remote.commit({ "ü.txt": "b\n", "long.txt": "line\n".repeat(500) });
    await world.git.fetch(repo, [next], world.token);
    const whole = await world.git.diff(repo, sha, next, 100_000);
    expect(whole).toContain("--- a/ü.txt\n+++ b/ü.txt\n@@ -1 +1 @@\n-a\n+b\n");
    expect(whole.match(/^\+line$/gm)).toHaveLength(500);
    const cut = await world.git.diff(repo, sha, next, 600);
    expect(cut.length).toBeLessThan(750);
    expect(cut).toMatch(
      /\n\[\.\.\. the rest of the diff is left out: it is longer than 600 bytes \.\.\.\]\n$/,
    );
    expect(await world.git.diff(repo, sha, sha, 100)).toBe("");
  });

  it("asks for a commit again that is not there, and never calls that a conflict", async () => {
    const { repo, remote } = world.repository();
    const here = remote.commit({ "a.txt": "a\n" });
    await world.git.fetch(repo, [here], world.token);
    const lost = "1234567890".repeat(4);
    for (const [ours, theirs] of [
      [here, lost],
      [lost, here],
    ] as const) {
      await expect(world.git.merge(repo, ours, theirs, here)).rejects.toThrow(/brought again/);
      await expect(world.git.diff(repo, ours, theirs, 1000)).rejects.toThrow(/brought again/);
    }
    expect(await world.git.file(repo, here, "a.txt", 100)).toBe("a\n");
  });

  it("merges in memory, or names each file in conflict once", async () => {
    const { repo, remote, sha } = await fetched({ "a b.txt": "1\n2\n3\n", "c.txt": "c\n" });
    const ours = remote.commit({ "a b.txt": "one\n2\n3\n" });
    remote.git("checkout", "-q", "-b", "theirs", sha);
    const theirs = remote.commit(
      { "a b.txt": "1\n2\nthree\n", "new.txt": "n\n" },
      { branch: "theirs" },
    );
    const against = remote.commit(
      { "a b.txt": "uno\n2\n3\n", "c.txt": null },
      { branch: "theirs" },
    );
    await world.git.fetch(repo, [ours, theirs, against], world.token);
    const merged = await world.git.merge(repo, ours, theirs);
    if (!("tree" in merged)) throw new Error("they merge");
    const made = await world.git.commit(repo, merged.tree, ours, "Both\n\nbody\n");
    expect(await world.git.file(repo, made.commit, "a b.txt", 100)).toBe("one\n2\nthree\n");
    expect(made.files.map(({ path, status }) => [path, status])).toEqual([
      ["a b.txt", "modified"],
      ["new.txt", "added"],
    ]);
    const mirror = `${world.workDir}/mirrors/${repo.id}.git`;
    expect(runGit(mirror, "log", "-1", "--format=%P %an %B", made.commit)).toBe(
      `${ours} Draftsmith Both\n\nbody\n`,
    );
    expect(await world.git.merge(repo, ours, against)).toEqual({ conflicts: ["a b.txt"] });
  });

  it("asks for a fetch first when there is no mirror", async () => {
    const { repo } = world.repository();
    await expect(world.git.find(repo, "1".repeat(40), "x")).rejects.toThrow(
      /mirror of acme.* not there/,
    );
  });
});
