import { expect, test } from "vitest";
import { storeOn } from "../../../support/open-test-store.ts";
import { aCommand, aComment, acceptJobs, aJob } from "../../../support/store-rows.ts";

test("a repository's new name and installation stand in its jobs, its command and what is still to be written", async () => {
  const store = await storeOn();
  const command = aCommand("mine");
  const repo = { ...command.repo, installationId: 78, owner: "globex", name: "store" };
  const other = aCommand("other", { repo: { ...command.repo, id: 9, name: "tools" } });
  await acceptJobs(store, command, [aJob("one", command)]);
  await acceptJobs(store, other, [aJob("two", other)]);
  await store.put(aComment("board:mine", "hello"), 0);
  const given = aComment("board:other", "hello");
  await store.put({ ...given, act: { ...given.act, repo: other.repo } }, 0);
  await store.renamed(repo);
  expect((await store.job("one"))?.repo).toEqual(repo);
  expect((await store.command("mine"))?.repo).toEqual(repo);
  expect((await store.get("board:mine"))?.act.repo).toEqual({
    ...repo,
    id: (await store.get("board:mine"))?.act.repo.id,
  });
  expect((await store.job("two"))?.repo).toEqual(other.repo);
  expect((await store.command("other"))?.repo).toEqual(other.repo);
  expect((await store.get("board:other"))?.act.repo).toEqual(other.repo);
});
