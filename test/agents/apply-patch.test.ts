import { chmod, mkdir, readFile, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { applyPatch } from "../../src/agents/tools/apply-patch.ts";
import { createTools, specsOf } from "../../src/agents/tools/index.ts";
import type { ToolAnswer, ToolContext } from "../../src/agents/tools/tool.ts";
import type { Workspace } from "../../src/core/ports.ts";
import { putFile } from "../support/agent-workspace.ts";
import { makeRoot, makeSandbox, makeWorkspace } from "../support/workspace.ts";

let root: string;
let remove: () => Promise<void>;
let sandbox: ReturnType<typeof makeSandbox>;
let workspace: Workspace;
let jobs = 0;

beforeAll(async () => {
  ({ root, remove } = await makeRoot());
  sandbox = makeSandbox(root);
});
afterAll(async () => {
  await sandbox.stop();
  await remove();
});
beforeEach(async () => {
  workspace = await makeWorkspace(root, `job-${++jobs}`);
});

function patch(...body: string[]): Promise<ToolAnswer> {
  const context: ToolContext = {
    sandbox,
    workspace,
    network: [],
    timeLeftMs: () => 3_600_000,
    signal: new AbortController().signal,
  };
  return applyPatch.run(
    { input: ["*** Begin Patch", ...body, "*** End Patch"].join("\n") },
    context,
  );
}
const put = (name: string, content: string | Uint8Array) => putFile(workspace, name, content);
const inTree = (name: string) => path.join(workspace.tree, name);
const stored = (name: string) => readFile(inTree(name), "utf8");

describe("apply_patch", () => {
  test("is offered in place of edit", () => {
    const tools = createTools("apply_patch", { onPlan: async () => undefined });
    const offered = specsOf(tools).map(({ name }) => name);
    expect(offered).toEqual(["shell", "read", "apply_patch", "write", "plan"]);
    // A model that took over from another may do as that one did.
    expect(tools.map(({ spec }) => spec.name)).toContain("edit");
  });

  test("creates, changes, moves and deletes files in one call, and shows what changed", async () => {
    await put("src/a.ts", "one\ntwo\nthree\n");
    await put("src/b.sh", "#!/bin/sh\necho b\n");
    await put("old.bin", new Uint8Array([0, 1, 2]));
    await chmod(inTree("src/b.sh"), 0o755);
    const answer = await patch(
      "*** Update File: src/a.ts",
      "@@",
      " one",
      "-two",
      "+2",
      "*** Add File: src/deep/er/c.ts",
      "+new",
      "*** Update File: ./src/b.sh",
      "*** Move to: bin/b.sh",
      "@@",
      "-echo b",
      "+echo B",
      "*** Delete File: old.bin",
    );
    expect(answer).toMatchObject({ ok: true });
    expect(answer.text).toBe(
      "edited src/a.ts\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\ncreated src/deep/er/c.ts\ndeleted src/b.sh\ncreated bin/b.sh\ndeleted old.bin",
    );
    expect(await stored("src/a.ts")).toBe("one\n2\nthree\n");
    expect(await stored("src/deep/er/c.ts")).toBe("new\n");
    expect(await stored("bin/b.sh")).toBe("#!/bin/sh\necho B\n");
    expect((await stat(inTree("bin/b.sh"))).mode & 0o777).toBe(0o755);
    await expect(stat(inTree("src/b.sh"))).rejects.toThrow("ENOENT");
    await expect(stat(inTree("old.bin"))).rejects.toThrow("ENOENT");
  });

  test("changes nothing when one of several sections does not fit", async () => {
    await put("a.txt", "a\n");
    await put("b.txt", "b\n");
    const edits = ["*** Update File: a.txt", "@@", "-a", "+A", "*** Add File: c.txt", "+c"];
    const cases: [string[], string][] = [
      [["*** Update File: b.txt", "@@", "-x", "+y"], "In b.txt these lines are not in it:\nx"],
      [["*** Update File: gone.txt", "@@", "-x", "+y"], "gone.txt does not exist"],
      [["*** Delete File: gone.txt"], "gone.txt does not exist"],
      [["*** Delete File: ."], "is no file"],
      [["*** Update File: b.txt", "*** Move to: a.txt"], "a.txt exists already"],
      [["*** Add File: a.txt/d.txt", "+d"], "a.txt"],
    ];
    for (const [more, why] of cases) {
      const answer = await patch(...edits, ...more);
      expect(answer).toMatchObject({ ok: false, text: expect.stringContaining(why) });
      expect(answer.text).toContain("Nothing was changed");
      expect(await stored("a.txt")).toBe("a\n");
      await expect(stat(inTree("c.txt"))).rejects.toThrow("ENOENT");
    }
  });

  test("sections of one file follow each other", async () => {
    await put("a.txt", "a\nb\n");
    const answer = await patch(
      ...["*** Update File: a.txt", "@@", "-a", "+A"],
      ...["*** Update File: a.txt", "@@", " A", "-b", "+B"],
      ...[
        "*** Add File: b.txt",
        "+1",
        "*** Update File: b.txt",
        "*** Move to: c.txt",
        "@@",
        "-1",
        "+2",
      ],
      ...["*** Add File: d.txt", "+1", "*** Delete File: d.txt"],
    );
    expect(answer).toMatchObject({ ok: true });
    expect(await stored("a.txt")).toBe("A\nB\n");
    expect(await stored("c.txt")).toBe("2\n");
    for (const gone of ["b.txt", "d.txt"]) {
      await expect(stat(inTree(gone))).rejects.toThrow("ENOENT");
    }
  });

  test("replaces a file that it adds, and says so; a patch that changes nothing is told", async () => {
    await put("a.txt", "a\n");
    expect(await patch("*** Add File: a.txt", "+a")).toMatchObject({
      ok: false,
      text: "The patch changes nothing.",
    });
    expect((await patch("*** Add File: a.txt", "+b")).text).toMatch(
      /^edited a\.txt\n@@[\s\S]*\+b$/,
    );
    expect(await stored("a.txt")).toBe("b\n");
  });

  test("goes nowhere outside of the checkout, nor into git's own files", async () => {
    await mkdir(path.join(root, "outside"), { recursive: true });
    await symlink(path.join(root, "outside"), inTree("link"));
    for (const name of ["../x", "/etc/x", "~/x", "a/../../x", ".git/config", "sub/.GIT/hooks/x"]) {
      expect(await patch(`*** Add File: ${name}`, "+x")).toMatchObject({ ok: false });
      await put("a.txt", "a\n");
      const moved = await patch("*** Update File: a.txt", `*** Move to: ${name}`);
      expect(moved).toMatchObject({ ok: false });
      expect(await stored("a.txt")).toBe("a\n");
    }
    expect(await patch("*** Add File: link/x", "+x")).toMatchObject({ ok: false });
    await expect(stat(path.join(root, "outside", "x"))).rejects.toThrow("ENOENT");
  });

  test("refuses what is too large, binary or no file, each in words", async () => {
    await put("big.txt", "x\n".repeat(600_000));
    await put("long.txt", "x\n".repeat(400_000));
    await put("bin", new Uint8Array([0, 255]));
    await mkdir(inTree("dir"));
    const many = Array.from({ length: 300 }, () => ["@@", "-x", "+y"]).flat();
    const cases: [string[], string][] = [
      [["*** Update File: big.txt", "@@", "-x", "+y"], "larger than 1 MB"],
      [["*** Update File: bin", "@@", "-x", "+y"], "not UTF-8"],
      [["*** Update File: dir", "@@", "-x", "+y"], "is a directory"],
      [["*** Delete File: dir"], "is a directory"],
      [["*** Add File: dir", "+x"], "is a directory"],
      [["*** Update File: long.txt", ...many], "too long for so many hunks"],
      [["*** Add File: a", `+${"x".repeat(1_000_001)}`], "larger than 1 MB"],
      [Array.from({ length: 101 }, (_, at) => `*** Delete File: f${at}`), "more than 100 files"],
    ];
    for (const [body, why] of cases) {
      expect(await patch(...body)).toMatchObject({
        ok: false,
        text: expect.stringContaining(why),
      });
    }
  });
});
