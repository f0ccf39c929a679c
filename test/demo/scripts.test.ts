import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { git } from "../../demo/github/bare.ts";
import { replyTo } from "../../demo/model.ts";
import { apiDocs } from "../../demo/scripts/api-docs.ts";
import { jwt } from "../../demo/scripts/jwt.ts";
import { paymentTests } from "../../demo/scripts/payment-tests.ts";
import type { Script } from "../../demo/scripts/script.ts";
import type { ChatRequest } from "../support/model-server.ts";
import { temporaryDirectory } from "./github-support.ts";

const PROJECT = path.resolve(import.meta.dirname, "../../demo/project");

/** The demo's project as a git checkout with one commit. */
async function checkout(): Promise<string> {
  const tree = temporaryDirectory();
  cpSync(PROJECT, tree, { recursive: true });
  await git(tree, ["init", "--quiet", "--initial-branch=main"]);
  await git(tree, ["add", "."]);
  await git(tree, [
    "-c",
    "user.name=Ana",
    "-c",
    "user.email=a@example.com",
    "commit",
    "-qm",
    "Begin",
  ]);
  return tree;
}

/** Runs a command; gives what it said and its exit code in one text, as a tool would. */
function run(tree: string, command: string): string {
  const env = { PATH: process.env.PATH, TMPDIR: temporaryDirectory() };
  const ended = spawnSync("bash", ["-c", `exec 2>&1\n${command}`], { cwd: tree, env });
  return `${ended.stdout}[exit ${ended.status}]`;
}

/** The product's tools, as strict as they are and no more. */
function callTool(tree: string, name: string, args: Record<string, string>): string {
  const file = path.join(tree, args.path ?? "");
  switch (name) {
    case "shell":
      return run(tree, args.command ?? "");
    case "read":
      return readFileSync(file, "utf8");
    case "write":
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, args.content ?? "");
      return "done";
    case "edit": {
      const parts = readFileSync(file, "utf8").split(args.old ?? "");
      expect(parts, `${args.path} has this once: ${args.old}`).toHaveLength(2);
      writeFileSync(file, parts.join(args.new));
      return "done";
    }
    default:
      expect(name).toBe("plan");
      return "done";
  }
}

/** Plays a script to its end on a fresh checkout. */
async function play(script: Script) {
  const tree = await checkout();
  const user = { role: "user", content: `Your task, as it was written:\n${script.task}` };
  const messages: ChatRequest["messages"] = [user];
  for (let said = 0; said < 20; said++) {
    const { content = "", toolCalls } = replyTo({ messages }, said);
    if (!toolCalls) return { tree, report: content, messages };
    messages.push({ role: "assistant", content });
    for (const call of toolCalls) {
      const args = call.arguments as Record<string, string>;
      messages.push({ role: "tool", content: callTool(tree, call.name, args) });
    }
  }
  throw new Error("the script does not end");
}

describe("the demo's scripts fit its project", () => {
  it.each([jwt, paymentTests, apiDocs])("$task", async (script) => {
    const { tree, report } = await play(script);
    expect(report).toBe(script.report);
    expect(report.split("\n")[0]?.length).toBeLessThanOrEqual(72);
    expect(report.split("\n")[1]).toBe("");
    expect(run(tree, "node --test")).toMatch(/\bfail 0\b[\s\S]*\[exit 0\]$/);
    expect(await git(tree, ["status", "--porcelain"])).not.toBe("");
  });

  it("the first one fails a test on its way and mends it", async () => {
    const { messages, tree } = await play(jwt);
    const runs = messages.filter((message) => /\bfail \d/.test(message.content ?? ""));
    expect(runs.map((message) => /\bfail 0\b/.test(message.content ?? ""))).toEqual([false, true]);
    expect(readFileSync(path.join(tree, "src/auth.js"), "utf8")).not.toContain("session");
  });

  it("the second one changes no code", async () => {
    const { tree } = await play(paymentTests);
    expect(await git(tree, ["status", "--porcelain", "-uall"])).toBe("?? test/payment.test.js");
  });

  it("the third one names every export", async () => {
    const { tree } = await play(apiDocs);
    expect(existsSync(path.join(tree, "docs/api.md"))).toBe(true);
    const page = readFileSync(path.join(tree, "docs/api.md"), "utf8");
    const names = [
      ...readFileSync(path.join(tree, "src/index.js"), "utf8").matchAll(/\{ (.*) \}/g),
    ];
    for (const name of names.flatMap((match) => match[1]?.split(", ") ?? [])) {
      expect(page).toContain(`### ${name}(`);
    }
  });

  it("a model that sees something unexpected says so instead of going on", () => {
    const messages = [
      { role: "user", content: `Your task:\n${jwt.task}` },
      { role: "assistant", content: "" },
      { role: "tool", content: "no such file" },
    ];
    expect(replyTo({ messages }, 1).content).toMatch(/^Stop half-way\n\n/);
    expect(replyTo({ messages }, 1).toolCalls).toBeUndefined();
  });
});
