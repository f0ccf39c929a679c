import type { Edit, Mutation } from "./mutation.ts";

const BWRAP = "src/adapters/sandbox/bwrap.ts";
const SNAPSHOT = "src/adapters/git/snapshot.ts";

const UNPROBED: Edit = {
  file: "src/adapters/sandbox/assess.ts",
  find: "if (holes.length === 0) return { ok: true };",
  replace: "return { ok: true };",
};

const NO_HELPER: Edit = {
  file: BWRAP,
  find: 'const [, shell = "", flag = "", last = ""] = words.slice(end);',
  replace:
    'const [, shell = "", flag = "", last = ""] = words.slice(end).map((each) => each.replace(/^SRT\\S+ \\S+apply-seccomp /, ""));',
};

const WITHOUT = (...cases: string[]): Edit => ({
  file: BWRAP,
  find: "} else options.push(word);",
  replace: `} ${cases.join(" ")} else options.push(word);`,
});

const mutations: Mutation[] = [
  {
    attack: "model-01",
    defence: "file tools act in the sandbox",
    file: "src/agents/tools/file-access.ts",
    find: "const result = await context.sandbox.run({\n    workspace: context.workspace,\n    script,",
    replace: `const host = (await import("node:child_process")).spawnSync("bash", ["-c", script, "bash", ...args], { cwd: context.workspace.tree, input: stdin });
  const result = { exitCode: host.status, stopped: null, output: String(host.stdout), durationMs: 1, deniedHosts: [] };
  if (args.length < 0) await context.sandbox.run({
    workspace: context.workspace,
    script,`,
  },
  {
    attack: "model-02",
    defence: "commands have a network of their own",
    edits: [WITHOUT('else if (word === "--unshare-net") continue;'), UNPROBED],
  },
  {
    attack: "model-03",
    defence: "the commit is the controller's own",
    file: SNAPSHOT,
    find: "const commit = await commitTree(dir, tree, parent, message);",
    replace: `const agents = (await import("node:child_process")).execFileSync("git", ["-c", "safe.directory=*", "log", "-1", "--format=%an%n%B"], { cwd: place.tree });
        const commit = await commitTree(dir, tree, parent, message + String(agents));`,
  },
  {
    attack: "model-04",
    defence: "one redactor before everything that is kept or leaves",
    file: "src/compose/compose.ts",
    find: "const redact = createRedactor(secrets);",
    replace: "const redact = (text: string) => (createRedactor(secrets), text);",
  },
  {
    attack: "model-05",
    defence: "a process table of its own, which ends with the command",
    edits: [
      WITHOUT(
        `else if (word === "--unshare-pid") options.push("--ro-bind", "/proc", "/proc");`,
        `else if (word === "--proc") at += 1;`,
      ),
      NO_HELPER,
      UNPROBED,
    ],
  },
  {
    attack: "model-06",
    defence: "the host never runs git in an agent's tree",
    file: SNAPSHOT,
    find: "const parentTree = await treeOf(dir, parent);",
    replace: `const parentTree = await treeOf(dir, parent);
      const git = "git -c safe.directory=* -c user.name=x -c user.email=x";
      (await import("node:child_process")).spawnSync("sh", ["-c", \`\${git} status; \${git} add -A; \${git} diff HEAD; \${git} commit -qam x\`], { cwd: place.tree, env: { PATH: "/usr/bin:/bin", HOME: place.home } });`,
  },
  {
    attack: "model-07",
    defence: "arguments that cannot be read are answered",
    file: "src/agents/call.ts",
    find: 'return { status: "broken", why: toError(error).message };',
    replace: "throw error;",
  },
  {
    attack: "model-08",
    defence: "a reply has an end",
    edits: [
      {
        file: "src/adapters/openai/assembly.ts",
        find: "const MAX_CHARS = 2_000_000;",
        replace: "const MAX_CHARS = 2_000_000_000;",
      },
      {
        file: "src/adapters/openai/assembly.ts",
        find: "export const MAX_CALLS = 128;",
        replace: "export const MAX_CALLS = 128_000;",
      },
    ],
  },
  {
    attack: "model-09",
    defence: "repeated calls end the conversation",
    edits: [
      {
        file: "src/agents/loop.ts",
        find: 'if (watch.stuck() !== null) return "loop";',
        replace: "",
      },
      {
        file: "src/agents/loop.ts",
        find: "if (watch.stuck() !== null || context.timeLeftMs() <= 0) {",
        replace: "if (context.timeLeftMs() <= 0) {",
      },
    ],
  },
  {
    attack: "model-10",
    defence: "of output only head and tail are kept",
    file: "src/agents/tools/shell.ts",
    find: "const KEEP_BYTES = 16 * 1024;",
    replace: "const KEEP_BYTES = 4 * 1024 * 1024;",
  },
  {
    attack: "model-11",
    defence: "output is cleaned of escapes and controls",
    edits: [
      {
        file: "src/adapters/sandbox/output.ts",
        find: '.replace(SEQUENCES, "")',
        replace: "",
      },
      { file: "src/adapters/sandbox/output.ts", find: '.replace(CONTROLS, "")', replace: "" },
    ],
  },
  {
    attack: "model-12",
    defence: "checks run in a workspace of their own",
    file: "src/adapters/git/layout.ts",
    find: 'home: inside("home"),',
    replace: 'home: path.join(workDir, "home"),',
  },
  {
    attack: "model-13",
    defence: "what kind of pull request it becomes is not the model's to say",
    file: "src/jobs/publish.ts",
    find: 'draft: job.target.kind === "new_pull" && job.target.draft,',
    replace: 'draft: !change.summary.includes("draft: false"),',
  },
  {
    attack: "model-14",
    defence: "a model's Markdown is made safe",
    file: "src/jobs/words-of.ts",
    find: "const summary = safeMarkdown(report.summary, { maxLength: 8000 });",
    replace: "const summary = safeMarkdown.length > 9 ? '' : report.summary;",
  },
  {
    attack: "model-15",
    defence: "some paths may not change",
    file: "src/jobs/inspect.ts",
    find: "violations: held,",
    replace: "violations: [],",
  },
  {
    attack: "model-16",
    defence: "names are shown as code, with every sign",
    file: "src/core/messages/evidence.ts",
    find: "`| ${codeSpan(nameText(file.path))}${note(file)}",
    replace: "`| ${nameText.length > 9 ? codeSpan('') : file.path}${note(file)}",
  },
  {
    attack: "model-17",
    defence: "a job writes its own directories only",
    file: "src/adapters/git/open.ts",
    find: "const writable = [tree, place.git, home, tmp];",
    replace:
      'const writable = [tree, place.git, home, tmp, path.join(dir, "../../../../precious")];',
  },
];

export default mutations;
