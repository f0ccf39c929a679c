import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { git } from "../../demo/github/bare.ts";
import type { RecordedRequest } from "../support/model-server.ts";
import { startWorld, type World } from "../support/world.ts";

const NOTES = `---
name: release-notes
description: Writes release notes. Use when a task asks for a changelog or release notes.
metadata:
  draftsmith-scripts: scripts/title.sh
  draftsmith-checks: test -f NOTES.md && sh ../skills/release-notes/scripts/title.sh
  draftsmith-steps: "20"
---

Run scripts/title.sh and put what it says first.
`;
const SCRIPT = "echo 'Notes of the shop'\n";
const HOUSE =
  "---\nname: house-style\ndescription: How this house writes.\n---\n\nWrite in short sentences.\n";
const BUILT_IN_LIKE =
  "---\nname: refactor\ndescription: Our own way to refactor.\n---\n\nAsk first what may break.\n";

/** The skill that docs/skills.md works through, as a reader would copy it: its SKILL.md and its script. */
function documented(): { text: string; script: string } {
  const docs = readFileSync(new URL("../../docs/skills.md", import.meta.url), "utf8");
  const [, text = ""] = /```markdown\n([\s\S]*?)```/.exec(docs) ?? [];
  const [, script = ""] = /```sh\n([\s\S]*?)```/.exec(docs) ?? [];
  return { text, script };
}

/** The digest of a bundle, told anew from its definition in docs/skills.md. */
function digestOf(files: Record<string, string>): string {
  const whole = createHash("sha256");
  for (const [path, text] of Object.entries(files)) {
    whole.update(`100644 ${createHash("sha256").update(text).digest("hex")} ${path}\0`);
  }
  return whole.digest("hex");
}

const said = (request: RecordedRequest | undefined, role: string) =>
  (request?.body.messages ?? [])
    .filter((message) => message.role === role)
    .map(({ content }) => String(content))
    .join("\n");

test("the model takes up the skill of docs/skills.md, runs its script, cannot change it, and the pull request says its pin", {
  timeout: 180_000,
}, async () => {
  const { text, script } = documented();
  const shelf = "../skills/release-notes";
  const command = `(echo '## 2.4'; sh ${shelf}/scripts/merged.sh) > CHANGELOG.md; echo evil > ${shelf}/SKILL.md; ls ${shelf}`;
  const calls = [
    { name: "skill", arguments: { name: "release-notes" } },
    { name: "shell", arguments: { command } },
    { name: "read", arguments: { path: `${shelf}/SKILL.md` } },
  ];
  const world = await startWorld({
    files: {
      ".agents/skills/release-notes/SKILL.md": text,
      ".agents/skills/release-notes/scripts/merged.sh": script,
      ".agents/skills/release-notes/scripts/other.sh": "echo not named\n",
      ".claude/skills/Broken/SKILL.md": "---\nname: Broken\ndescription: x\n---\n",
    },
    model: (request) => {
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      const call = calls[replies];
      return call ? { toolCalls: [call] } : { content: "Add notes\n\nAs asked." };
    },
  });
  await world.say("/codex tell what is new");
  await world.ended();

  const [first] = world.model.requests;
  const rules = said(first, "system");
  expect(rules).toMatch(/^release-notes: Writes release notes from the commits/m);
  expect(rules).not.toMatch(/group what it prints|Broken/);
  const results = said(world.model.requests.at(-1), "tool");
  expect(results).toContain("group what it prints by what a user notices");
  expect(results).toMatch(/Read-only file system|Permission denied/);
  expect(results).toContain("draftsmith-minutes");

  const [pull] = world.pulls();
  if (!pull) throw new Error("there is no pull request");
  expect(await world.show(`${pull.head}:CHANGELOG.md`)).toBe("## 2.4\n- Begin");
  const pin = `release-notes@sha256:${digestOf({
    "SKILL.md": text,
    "scripts/merged.sh": script,
    "scripts/other.sh": "echo not named\n",
  })}`;
  const body = world.pullBody(pull);
  expect(body).toContain(`\`${pin}\` of this repository at \`${world.baseSha.slice(0, 12)}\``);
  expect(body).toContain("grep -q '^## [0-9]' CHANGELOG.md");
  expect(body).toMatch(/The check\*\* passed|The check passed|✅/);
});

test("a mistyped skill is told at once; one of the organisation is worked by; none means none", {
  timeout: 180_000,
}, async () => {
  const world = await startWorld({
    files: { ".github/skills/refactor/SKILL.md": BUILT_IN_LIKE },
    repositories: { ".github": { files: { "skills/house-style/SKILL.md": HOUSE } } },
    model: () => ({ content: "Nothing to do\n\nIt is fine." }),
  });
  await world.say("/codex --skill house-stile tidy the readme");
  await expect
    .poll(() => world.answers().at(-1)?.body, { timeout: 60_000 })
    .toMatch(/no skill `house-stile`; did you mean `house-style`\?/);
  expect(world.model.requests).toEqual([]);

  await world.say("/codex --skill house-style tidy the readme");
  await world.ended(1, 1);
  await world.say("/codex refactor the readme");
  await world.ended(1, 2);
  await world.say("/codex --skill none refactor the readme");
  await world.ended(1, 3);
  const [house = "", refactor = "", none = ""] = world.model.requests.map((each) =>
    said(each, "system"),
  );
  expect(house).toContain("Write in short sentences.");
  expect(house).not.toContain("begin skills");
  expect(refactor).toContain("Ask first what may break.");
  expect(none).not.toMatch(/Ask first|begin skills/);
});

/** A person changes one file of the default branch. */
async function rewrite({ bare, home }: World, file: string, content: string): Promise<void> {
  const env = { GIT_INDEX_FILE: path.join(home, "index-of-a-person") };
  const blob = await git(bare, ["hash-object", "-w", "--stdin"], { input: content });
  await git(bare, ["read-tree", "main"], { env });
  await git(bare, ["update-index", "--add", "--cacheinfo", `100644,${blob},${file}`], { env });
  const tree = await git(bare, ["write-tree"], { env });
  const person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  const commit = await git(bare, [...person, "commit-tree", tree, "-p", "main", "-m", "Mine"]);
  await git(bare, ["update-ref", "refs/heads/main", commit]);
}

test("a job whose workspace is gone goes on with the very files of the skill, although the repository has newer ones", {
  timeout: 240_000,
}, async () => {
  const reached = Promise.withResolvers<void>();
  const moved = Promise.withResolvers<void>();
  const file = ".agents/skills/release-notes/SKILL.md";
  const world = await startWorld({
    files: { [file]: NOTES, ".agents/skills/release-notes/scripts/title.sh": SCRIPT },
    model: async (request) => {
      const replies = request.messages.filter(({ role }) => role === "assistant").length;
      if (replies === 0) {
        reached.resolve();
        await moved.promise;
        const command = "cp ../skills/release-notes/SKILL.md NOTES.md; cat NOTES.md";
        return { toolCalls: [{ name: "shell", arguments: { command } }] };
      }
      return { content: "Add notes\n\nAs asked." };
    },
  });
  await world.say("/codex --skill release-notes tell what is new");
  await reached.promise;
  await rewrite(world, file, NOTES.replace("Run", "Never run"));
  await world.stop("SIGKILL");
  // As on another machine, its workspace is not there.
  rmSync(path.join(world.dataDir, "work", "workspaces"), { recursive: true });
  moved.resolve();
  await world.start();
  await world.ended();
  const [pull] = world.pulls();
  if (!pull) throw new Error("there is no pull request");
  expect(`${await world.show(`${pull.head}:NOTES.md`)}\n`).toBe(NOTES);
  const pin = digestOf({ "SKILL.md": NOTES, "scripts/title.sh": SCRIPT });
  expect(world.pullBody(pull)).toContain(`release-notes@sha256:${pin}`);
  expect(await world.show(`${pull.head}^{commit}`)).toContain(`Skill: release-notes@sha256:${pin}`);
});
