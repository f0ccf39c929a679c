import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTools, specsOf } from "../../src/agents/tools/index.ts";
import type { ToolAnswer, ToolContext } from "../../src/agents/tools/tool.ts";
import type { PlanItem } from "../../src/core/job.ts";
import type { Workspace } from "../../src/core/ports.ts";
import { putFile } from "../support/agent-workspace.ts";
import { makeRoot, makeSandbox, makeWorkspace } from "../support/workspace.ts";

let root: string;
let remove: () => Promise<void>;
let sandbox: ReturnType<typeof makeSandbox>;
let workspace: Workspace;
let timeLeftMs = 3_600_000;
const plans: PlanItem[][] = [];
const tools = createTools("edit", {
  async onPlan(items) {
    plans.push(items);
  },
});

beforeAll(async () => {
  ({ root, remove } = await makeRoot());
  sandbox = makeSandbox(root);
  workspace = await makeWorkspace(root);
});
afterAll(async () => {
  await sandbox.stop();
  await remove();
});

function use(
  name: string,
  args: unknown,
  signal = new AbortController().signal,
): Promise<ToolAnswer> {
  const tool = tools.find(({ spec }) => spec.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  const context: ToolContext = {
    sandbox,
    workspace,
    network: [],
    timeLeftMs: () => timeLeftMs,
    signal,
  };
  return tool.run(args, context);
}

const inTree = (name: string) => path.join(workspace.tree, name);

const put = (name: string, content: string | Uint8Array) => putFile(workspace, name, content);

const stored = (name: string) => readFile(inTree(name), "utf8");

describe("the tools as the model sees them", () => {
  test("have names, descriptions and JSON Schemas without dialect marks", () => {
    const specs = specsOf(tools);
    expect(specs.map(({ name }) => name)).toEqual(["shell", "read", "edit", "write", "plan"]);
    for (const spec of specs) {
      expect(spec.description.length).toBeGreaterThan(40);
      expect(spec.parameters).toMatchObject({ type: "object", properties: expect.any(Object) });
      expect(spec.parameters).not.toHaveProperty("$schema");
    }
    expect(tools[2]?.spec.parameters).toMatchObject({ required: ["path", "old", "new"] });
  });

  test("say which argument is wrong, and take null for one that is left out", async () => {
    const wrong = await use("shell", { cmd: "ls" });
    expect(wrong).toMatchObject({ ok: false, text: expect.stringContaining("at command") });
    expect(await use("shell", { command: "echo hi", timeout_seconds: null })).toMatchObject({
      ok: true,
      text: "hi\n[exit 0]",
    });
  });
});

describe("shell", () => {
  test("says which hosts were refused, and what a maintainer could do", async () => {
    const { text, deniedHosts } = await use("shell", {
      command: "curl -s https://registry.example.org/ http://10.0.0.1/",
    });
    expect(text).toContain(
      "; registry.example.org:443 (to allow it, add it under `network:` in `.github/codex.yml`)",
    );
    expect(deniedHosts).toEqual(["10.0.0.1:80", "registry.example.org:443"]);
  });

  test("runs in the tree and tells exit code and output", async () => {
    await put("hello.txt", "hello\n");
    expect(await use("shell", { command: "cat hello.txt; echo oops >&2; exit 3" })).toEqual({
      ok: true,
      text: "hello\noops\n[exit 3]",
      action: "ran cat hello.txt; echo oops >&2; exit 3 (exit 3)",
    });
    expect((await use("shell", { command: "true" })).text).toBe("[exit 0, no output]");
  });

  test("starts afresh every time", async () => {
    await use("shell", { command: "mkdir -p deep && cd deep && export SEEN=1" });
    const { text } = await use("shell", { command: 'pwd; echo "seen:$SEEN"' });
    expect(text).toBe(`${workspace.tree}\nseen:\n[exit 0]`);
  });

  test("is stopped at its time limit, which is clamped, and says so", async () => {
    const { ok, text, action } = await use("shell", {
      command: "echo on; sleep 600",
      timeout_seconds: 0,
    });
    expect(ok).toBe(true);
    expect(text).toBe("on\n[stopped after 1 s]");
    expect(action).toBe("ran echo on; sleep 600 (stopped after 1 s)");
  });

  test("gets no more time than the job has left", async () => {
    timeLeftMs = 1500;
    try {
      const { text } = await use("shell", { command: "sleep 600", timeout_seconds: 600 });
      expect(text).toBe("[stopped after 2 s, no output]");
    } finally {
      timeLeftMs = 3_600_000;
    }
  });

  test("cuts long output in the middle and says how much is missing", async () => {
    const { text } = await use("shell", { command: "seq 1 100000" });
    expect(text.length).toBeLessThan(20_000);
    expect(text.startsWith("1\n2\n3\n")).toBe(true);
    expect(text).toMatch(/\n\[\.\.\. \d+ bytes \(\d+ lines\) of output left out \.\.\.\]\n/);
    expect(text.endsWith("\n99999\n100000\n[exit 0]")).toBe(true);
  });

  test("keeps the board's line short, whatever the command", async () => {
    const { action } = await use("shell", { command: `true ${"x".repeat(500)}\n\ntrue` });
    expect(action.length).toBeLessThan(80);
    expect(action).not.toContain("\n");
  });

  test.each([
    ["with a NUL", "a\0b", "a command cannot hold a NUL character\n[exit 126]"],
    ["that is too long", `: ${"x".repeat(200_000)}`, "bash: Argument list too long\n[exit 126]"],
  ])("answers a command %s", async (_, command, text) => {
    expect((await use("shell", { command })).text).toBe(text);
  });

  test("ends with the reason of an abort", async () => {
    const abort = new AbortController();
    const reason = new Error("cancelled");
    setTimeout(() => abort.abort(reason), 50);
    await expect(use("shell", { command: "sleep 600" }, abort.signal)).rejects.toBe(reason);
  });
});

describe("read", () => {
  test("gives the text verbatim, without line numbers", async () => {
    await put("src/a b'c\".ts", "const x = 1;\n\tif (x) {}\n");
    const answer = await use("read", { path: "src/a b'c\".ts" });
    expect(answer.text).toBe("const x = 1;\n\tif (x) {}\n");
    expect(answer.action).toBe("read src/a b'c\".ts");
    expect((await use("read", { path: inTree("src/a b'c\".ts") })).text).toBe(answer.text);
  });

  test("pages through a long file", async () => {
    const lines = Array.from({ length: 4500 }, (_, at) => `line ${at + 1}\n`);
    await put("long.txt", lines.join(""));
    const first = (await use("read", { path: "long.txt" })).text;
    expect(first).toBe(
      `${lines.slice(0, 2000).join("")}[lines 1 to 2000 of 4500; go on with offset 2001]`,
    );
    const last = (await use("read", { path: "long.txt", offset: 4001 })).text;
    expect(last).toBe(`${lines.slice(4000).join("")}[lines 4001 to 4500 of 4500]`);
    const few = (await use("read", { path: "long.txt", offset: 10, limit: 2 })).text;
    expect(few).toBe("line 10\nline 11\n[lines 10 to 11 of 4500; go on with offset 12]");
    expect((await use("read", { path: "long.txt", offset: 9000 })).text).toBe(
      "[the file has 4500 lines]",
    );
  });

  test("stops after whole lines when bytes run out, and inside a line only when it must", async () => {
    await put("wide.txt", `${"é".repeat(20_000)}\n${"b".repeat(20_000)}\nend\n`);
    const { text } = await use("read", { path: "wide.txt" });
    expect(text).toBe(`${"é".repeat(20_000)}\n[lines 1 to 1 of 3; go on with offset 2]`);
    await put("blank-first.txt", `\n${"b".repeat(60_000)}\n`);
    const blank = (await use("read", { path: "blank-first.txt" })).text;
    expect(blank).toBe("\n[lines 1 to 1 of 2; go on with offset 2]");
    await put("one-line.json", `x${"é".repeat(60_000)}`);
    const one = (await use("read", { path: "one-line.json" })).text;
    expect(one).not.toContain("\ufffd");
    expect(one).toMatch(
      /^xé+\n\[line 1 is cut after 50000 bytes; see more of it with cut -c in shell\]/,
    );
  });

  test("tells what is not a text file", async () => {
    await put("empty.txt", "");
    await put("logo.png", new Uint8Array([137, 80, 78, 71, 0, 0, 13]));
    await put("old.txt", new Uint8Array([0x63, 0x61, 0x66, 0xe9, 10]));
    await put("no-end.txt", "a\nb");
    expect((await use("read", { path: "empty.txt" })).text).toBe("[the file is empty]");
    expect((await use("read", { path: "logo.png" })).text).toContain("binary file of 7 bytes");
    expect((await use("read", { path: "old.txt" })).text).toContain("not all of it is UTF-8");
    expect((await use("read", { path: "no-end.txt" })).text).toBe(
      "a\nb\n[no line feed at the end of the file]",
    );
    expect(await use("read", { path: "nowhere.txt" })).toMatchObject({
      ok: false,
      text: "nowhere.txt does not exist.",
    });
    await use("shell", { command: "mkfifo pipe" });
    expect((await use("read", { path: "pipe" })).text).toBe("pipe is no ordinary file.");
  });

  test("lists a directory", async () => {
    await put("lib/b.ts", "");
    await put("lib/.hidden", "");
    await put("lib/deep/c.ts", "");
    expect((await use("read", { path: "lib" })).text).toBe("[directory lib]\n.hidden\nb.ts\ndeep/");
    expect((await use("read", { path: "." })).text).toContain("lib/");
  });
});

describe("edit", () => {
  test("replaces one piece and leaves the rest, the mode included", async () => {
    await put("run.sh", "#!/bin/sh\necho $& one\necho two\n");
    await chmod(inTree("run.sh"), 0o755);
    const answer = await use("edit", { path: "run.sh", old: "echo $& one", new: "echo $1 $$ 'x'" });
    expect(answer).toEqual({
      ok: true,
      text: "edited run.sh\n@@ -1,3 +1,3 @@\n #!/bin/sh\n-echo $& one\n+echo $1 $$ 'x'\n echo two",
      action: "edited run.sh",
    });
    expect(await stored("run.sh")).toBe("#!/bin/sh\necho $1 $$ 'x'\necho two\n");
    expect((await stat(inTree("run.sh"))).mode & 0o777).toBe(0o755);
  });

  test("creates a file with an empty old, its directories too, but replaces none", async () => {
    const created = await use("edit", { path: "new/dir/a.ts", old: "", new: "export {};\n" });
    expect(created).toMatchObject({ ok: true, text: "created new/dir/a.ts" });
    expect(await stored("new/dir/a.ts")).toBe("export {};\n");
    const again = await use("edit", { path: "new/dir/a.ts", old: "", new: "gone" });
    expect(again).toMatchObject({ ok: false, text: expect.stringContaining("exists already") });
    expect(await stored("new/dir/a.ts")).toBe("export {};\n");
    const absent = await use("edit", { path: "absent.ts", old: "a", new: "b" });
    expect(absent).toMatchObject({ ok: false, text: expect.stringContaining("leave old empty") });
  });

  test("says how often and where a text stands that is not unique", async () => {
    await put("twice.ts", "a();\nb();\na();\n");
    const answer = await use("edit", { path: "twice.ts", old: "a();", new: "c();" });
    expect(answer).toMatchObject({
      ok: false,
      text: expect.stringContaining("2 times in the file (from lines 1, 3)"),
    });
    expect(await stored("twice.ts")).toBe("a();\nb();\na();\n");
    const all = await use("edit", { path: "twice.ts", old: "a();", new: "c();", all: true });
    expect(all.text).toContain("edited twice.ts in 2 places\n@@ -1,3 +1,3 @@\n-a();\n+c();\n");
    expect(await stored("twice.ts")).toBe("c();\nb();\nc();\n");
  });

  test("keeps CRLF, although the model writes LF", async () => {
    await put("dos.txt", "one\r\ntwo\r\nthree\r\n");
    await use("edit", { path: "dos.txt", old: "one\ntwo", new: "1\n2" });
    await use("edit", { path: "dos.txt", old: "\nthree", new: "\n2.5\n3" });
    expect(await stored("dos.txt")).toBe("1\r\n2\r\n2.5\r\n3\r\n");
  });

  test("keeps a byte order mark and what stands around", async () => {
    await put("bom.txt", "\ufeffalpha\nbeta");
    await use("edit", { path: "bom.txt", old: "beta", new: "gamma 😀" });
    expect(await stored("bom.txt")).toBe("\ufeffalpha\ngamma 😀");
  });

  test("refuses binary, large and foreign-coded files", async () => {
    await put("data.bin", new Uint8Array([97, 0, 98]));
    await put("latin.txt", new Uint8Array([0x63, 0xe9]));
    await put("large.txt", "a".repeat(1_000_001));
    for (const name of ["data.bin", "latin.txt", "large.txt"]) {
      const before = await readFile(inTree(name));
      const answer = await use("edit", { path: name, old: "a", new: "b" });
      expect(answer).toMatchObject({
        ok: false,
        text: expect.stringContaining("with a command in shell"),
      });
      expect(await readFile(inTree(name))).toEqual(before);
    }
    const much = await use("write", { path: "much.txt", content: "a".repeat(1_000_001) });
    expect(much).toMatchObject({ ok: false, text: "The text is larger than 1 MB." });
  });
});

describe("write", () => {
  test("creates and replaces whole files", async () => {
    expect((await use("write", { path: "w/x/y.md", content: "# Hi\n" })).text).toBe(
      "created w/x/y.md",
    );
    expect((await use("write", { path: "./w//x/y.md", content: "" })).text).toBe(
      "replaced w/x/y.md",
    );
    expect(await stored("w/x/y.md")).toBe("");
  });

  test("takes names that a shell would not", async () => {
    const name = "-rf $(touch pwned) `id` 'q' \"d\"\n*.md";
    expect(await use("write", { path: name, content: "ok" })).toMatchObject({ ok: true });
    expect(await stored(name)).toBe("ok");
    await expect(stat(inTree("pwned"))).rejects.toThrow("ENOENT");
  });

  test("does not replace a directory, or go through a file", async () => {
    await put("w2/file", "x");
    expect(await use("write", { path: "w2", content: "y" })).toMatchObject({
      ok: false,
      text: "w2 could not be written: it is a directory",
    });
    expect(await use("write", { path: "w2/file/deeper", content: "y" })).toMatchObject({
      ok: false,
    });
    expect(await stored("w2/file")).toBe("x");
  });
});

describe("paths", () => {
  test.each([
    ["absolute", "/etc/passwd"],
    ["above the tree", "../outside"],
    ["above the tree on a detour", "src/../../outside"],
    ["in a home directory", "~/.ssh/config"],
    ["the home directory", "~"],
  ])("a path %s is refused in words", async (_, name) => {
    for (const tool of ["read", "edit", "write"]) {
      const answer = await use(tool, { path: name, old: "", new: "", content: "" });
      expect(answer).toMatchObject({
        ok: false,
        text: expect.stringContaining("outside the checkout"),
      });
    }
  });

  test.each([
    ["with a NUL", "a\0b"],
    ["that is too long", `${"x/".repeat(100_000)}y`],
    ["with a part that is too long", "x".repeat(300)],
  ])("a path %s is answered in words", async (_, name) => {
    for (const tool of ["read", "edit", "write"]) {
      const answer = await use(tool, { path: name, old: "", new: "", content: "" });
      expect(answer).toMatchObject({
        ok: false,
        text: expect.stringMatching(/does not exist|could not/),
      });
    }
  });

  test("a neighbour whose name begins like the tree is outside", async () => {
    const answer = await use("read", { path: `${workspace.tree}-other/file` });
    expect(answer).toMatchObject({
      ok: false,
      text: expect.stringContaining("outside the checkout"),
    });
  });

  test("nothing is written through a link that leads out of what the job may write", async () => {
    const outside = path.join(root, "outside");
    await mkdir(outside);
    await chmod(outside, 0o777);
    await writeFile(path.join(outside, "file"), "untouched");
    await chmod(path.join(outside, "file"), 0o666);
    await symlink(outside, inTree("link"));
    for (const name of ["link/file", "link/new"]) {
      expect(await use("write", { path: name, content: "written" })).toMatchObject({ ok: false });
      expect(await use("edit", { path: name, old: "untouched", new: "x" })).toMatchObject({
        ok: false,
      });
    }
    expect(await readFile(path.join(outside, "file"), "utf8")).toBe("untouched");
    await expect(stat(path.join(outside, "new"))).rejects.toThrow("ENOENT");
  });
});

describe("plan", () => {
  const item = (text: string, status: string) => ({ text, status });

  test("is stored and shows the step in progress", async () => {
    const items = [item("read the code", "done"), item("write a\ntest", "in_progress")];
    expect(await use("plan", { items })).toEqual({
      ok: true,
      text: "1 of 2 done",
      action: "write a test",
    });
    expect(plans.at(-1)).toEqual([
      item("read the code", "done"),
      item("write a test", "in_progress"),
    ]);
  });

  test("takes at most 20 short items", async () => {
    const before = plans.length;
    const many = Array.from({ length: 21 }, () => item("x", "pending"));
    expect(await use("plan", { items: many })).toMatchObject({ ok: false });
    expect(await use("plan", { items: [item("x".repeat(201), "done")] })).toMatchObject({
      ok: false,
    });
    expect(await use("plan", { items: [item("x", "someday")] })).toMatchObject({ ok: false });
    expect(plans).toHaveLength(before);
  });
});
