import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AgentOptions, runAgent } from "../../src/agents/loop.ts";
import type { AgentOutcome } from "../../src/agents/outcome.ts";
import { TransientError, UserError } from "../../src/core/errors.ts";
import type { JobEvent } from "../../src/core/event.ts";
import type { Answer, ChatMessage, Model, ModelReply, ToolCall } from "../../src/core/model.ts";
import type { Workspace } from "../../src/core/ports.ts";
import { transcriptOf } from "../../src/jobs/transcript.ts";
import { putFile } from "../support/agent-workspace.ts";
import { createAsker } from "../support/asker.ts";
import { startModelServer } from "../support/model-server.ts";
import { makeRoot, makeSandbox, makeWorkspace } from "../support/workspace.ts";

let root: Awaited<ReturnType<typeof makeRoot>>;
let sandbox: ReturnType<typeof makeSandbox>;
let workspace: Workspace;
let jobs = 0;
/** Everything that happened, in order: events, model calls and lines for the board. */
let trace: string[];
let events: JobEvent[];
let messages: ChatMessage[];
/** The transcript as the model got it, call by call. */
let seen: ChatMessage[][];

beforeAll(async () => {
  root = await makeRoot();
  sandbox = makeSandbox(root.root);
});
afterAll(async () => {
  await sandbox.stop();
  await root.remove();
});
beforeEach(async () => {
  workspace = await makeWorkspace(root.root, `job-${++jobs}`);
  trace = [];
  events = [];
  seen = [];
  messages = [
    { role: "system", content: "rules" },
    { role: "user", content: "task" },
  ];
});

type Scripted =
  | Partial<ModelReply>
  | Exclude<Answer, { status: "reply" }>
  | ((signal: AbortSignal) => Promise<ModelReply> | never);

/** A model that says these things in turn, the last one again and again. */
function scripted(replies: Scripted[], { window = 0, used = 0 } = {}): Model {
  let asked = 0;
  return {
    window: () => window,
    async ask(request) {
      seen.push(structuredClone(request.messages));
      trace.push("model");
      const reply = replies[Math.min(asked++, replies.length - 1)];
      if (typeof reply === "function") {
        return { status: "reply", reply: await reply(request.signal), origin: "p/m", used };
      }
      if (reply && "status" in reply) return reply;
      return { status: "reply", reply: { ...REPLY, ...reply }, origin: "p/m", used };
    },
  };
}

const REPLY: ModelReply = {
  content: "",
  toolCalls: [],
  refusal: null,
  truncated: false,
  usage: { inputTokens: 90, cachedTokens: 50, outputTokens: 10 },
  usageReported: true,
};

let ids = 0;
function call(name: string, args: unknown): ToolCall {
  const text = typeof args === "string" ? args : JSON.stringify(args);
  return { id: `id${++ids}`, name, arguments: text };
}
const run = (command: string): Scripted => ({ toolCalls: [call("shell", { command })] });
const REPORT = { content: "Add a greeting\n\n- it greets" };

function agent(model: Model, options: Partial<AgentOptions> = {}): Promise<AgentOutcome> {
  return runAgent({
    messages,
    started: new Set(),
    seen: { compaction: null, measured: null },
    model,
    editTool: "edit",
    sandbox,
    workspace,
    network: [],
    limits: { steps: 50, tokens: 1_000_000, deadline: Date.now() + 3_600_000 },
    spent: { steps: 0, tokens: 0 },
    signal: new AbortController().signal,
    goOn: () => undefined,
    now: Date.now,
    record: async (event, lastAction) => {
      events.push(event);
      trace.push(lastAction ? `${event.type}: ${lastAction}` : event.type);
    },
    onPlan: async (items) => {
      trace.push(`plan of ${items.length}`);
    },
    ...options,
  });
}

const results = () =>
  messages.flatMap((message) => (message.role === "tool" ? [message.content] : []));
const inTree = (name: string) => path.join(workspace.tree, name);

describe("a job that goes well", () => {
  test("acts through its tools and ends with the report", async () => {
    const model = scripted([
      {
        content: "I plan.",
        toolCalls: [
          call("plan", { items: [{ text: "greet", status: "in_progress" }] }),
          call("write", { path: "src/hi.txt", content: "hallo\n" }),
        ],
      },
      { toolCalls: [call("edit", { path: "src/hi.txt", old: "hallo", new: "hello" })] },
      run("grep -c hello src/hi.txt"),
      REPORT,
    ]);
    expect(await agent(model)).toEqual({ status: "finished", report: REPORT.content });
    expect(await readFile(inTree("src/hi.txt"), "utf8")).toBe("hello\n");
    expect(trace).toEqual([
      "model",
      "reply",
      "tool_started",
      "plan of 1",
      "tool_finished: greet",
      "tool_started",
      "tool_finished: created src/hi.txt",
      "model",
      "reply",
      "tool_started",
      "tool_finished: edited src/hi.txt",
      "model",
      "reply",
      "tool_started: running grep -c hello src/hi.txt",
      "tool_finished: ran grep -c hello src/hi.txt (exit 0)",
      "model",
      "reply",
    ]);
    expect(events.flatMap((event) => (event.type === "reply" ? [event.step] : []))).toEqual([
      1, 2, 3, 4,
    ]);
  });

  test("only ever appends to the conversation, and stores all of it", async () => {
    const first = structuredClone(messages);
    await agent(scripted([run("echo 1"), run("echo 2"), REPORT]));
    for (const [at, transcript] of seen.entries()) {
      expect(JSON.stringify(transcript)).toBe(JSON.stringify(messages.slice(0, transcript.length)));
      expect(transcript).toHaveLength(2 + 2 * at);
    }
    const stored = events.flatMap((event) => ("message" in event ? [event.message] : []));
    expect([...first, ...stored]).toEqual(messages);
  });

  test("works over HTTP with an OpenAI-compatible server", async () => {
    const server = await startModelServer((request) =>
      request.messages.length === 2
        ? { toolCalls: [{ name: "shell", arguments: { command: "echo $((6 * 7))" } }] }
        : { content: `The answer\n\n${request.messages.at(-1)?.content}` },
    );
    try {
      const client = await createAsker({ apiKey: undefined, baseURL: server.url });
      const model: Model = {
        window: () => 100_000,
        ask: async (request) => ({
          status: "reply",
          reply: await client.complete({ ...request, model: "m-1" }),
          ...{ origin: "default/m-1", used: 0 },
        }),
      };
      expect(await agent(model)).toEqual({
        status: "finished",
        report: "The answer\n\n42\n[exit 0]",
      });
      expect(server.requests[0]?.body.tools?.map((tool) => tool.function.name)).toEqual([
        "shell",
        "read",
        "edit",
        "write",
        "plan",
      ]);
    } finally {
      await server.close();
    }
  });
});

describe("a model that makes mistakes", () => {
  test("is told about each and may go on", async () => {
    const model = scripted([
      { toolCalls: [call("browser", {}), call("shell", '{"command": "ec'), call("shell", {})] },
      {
        toolCalls: [
          call("shell", "[1]"),
          call("shell", ""),
          call("edit", { path: "x", old: "a", new: "b" }),
        ],
      },
      { toolCalls: [call("shell", JSON.stringify('{"command":"echo twice encoded"}'))] },
      REPORT,
    ]);
    expect(await agent(model)).toMatchObject({ status: "finished" });
    expect(results()).toEqual([
      'There is no tool "browser". The tools are shell, read, edit, write, plan.',
      expect.stringContaining("They have to be one JSON object ("),
      expect.stringContaining("at command"),
      expect.stringContaining("They have to be one JSON object ("),
      expect.stringContaining("at command"),
      "x does not exist. To create it, leave old empty.",
      "twice encoded\n[exit 0]",
    ]);
    expect(trace.filter((line) => line.startsWith("tool_finished"))).toHaveLength(7);
  });

  test("that only makes calls that fail is stopped after ten", async () => {
    let number = 0;
    const model = scripted([
      async () => ({ ...REPLY, content: "Trying.", toolCalls: [call("fly", { to: number++ })] }),
    ]);
    expect(await agent(model)).toEqual({ status: "limit", which: "loop", report: "" });
    expect(seen).toHaveLength(10);
    expect(events.at(-1)).toEqual({ type: "note", text: "stopped after 10 failed calls in a row" });
  });

  test("may fail often, as long as something works in between", async () => {
    let number = 0;
    const fails = Array.from({ length: 7 }, () => async () => {
      return { ...REPLY, toolCalls: [call("read", { path: `no-${number++}` })] };
    });
    const model = scripted([...fails, run("true"), ...fails, REPORT]);
    expect(await agent(model)).toMatchObject({ status: "finished" });
  });

  test("that repeats one call is told, then stopped", async () => {
    const model = scripted([
      async () => ({ ...REPLY, toolCalls: [call("shell", { command: "date +%N" })] }),
    ]);
    expect(await agent(model)).toMatchObject({ status: "limit", which: "loop" });
    expect(seen).toHaveLength(8);
    const told = results().map((text) => text.includes("Try something else"));
    expect(told).toEqual([false, false, false, true, true, true, true, true]);
  });

  test("that repeats one call within a reply leaves none unanswered", async () => {
    const toolCalls = Array.from({ length: 10 }, () => call("shell", { command: "true" }));
    expect(await agent(scripted([{ toolCalls }]))).toMatchObject({ which: "loop" });
    expect(results()).toHaveLength(10);
    expect(results().at(-1)).toBe("Not run: the job was stopped.");
    expect(events.filter((event) => event.type === "tool_started")).toHaveLength(8);
  });

  test("may repeat a check between changes", async () => {
    const steps = Array.from({ length: 9 }, (_, at) => [
      run("true"),
      { toolCalls: [call("write", { path: "n", content: `${at}` })] },
    ]).flat();
    expect(await agent(scripted([...steps, REPORT]))).toMatchObject({ status: "finished" });
  });

  test("that says nothing is asked again, and given up after three times", async () => {
    expect(await agent(scripted([{}, { content: "  \n" }, REPORT]))).toMatchObject({
      status: "finished",
    });
    expect(messages.filter((message) => message.role === "user")).toHaveLength(3);
    seen = [];
    expect(await agent(scripted([{}]), { messages: [{ role: "user", content: "task" }] })).toEqual({
      status: "silent",
      report: "",
    });
    expect(seen).toHaveLength(3);
  });

  test("that is cut off again and again, without a call, ends at the fifth", async () => {
    const cut = { content: "Let me think", truncated: true };
    const outcome = await agent(scripted([cut]));
    expect(outcome).toMatchObject({ status: "limit", which: "length" });
    expect(seen).toHaveLength(5);
  });

  test("that is cut off counts on after a restart, and not over a call", async () => {
    const cut = { content: "Let me think", truncated: true };
    const acts = { toolCalls: [call("shell", { command: "true" })], truncated: true };
    await agent(scripted([cut, cut, cut, cut, acts, cut]));
    expect(seen).toHaveLength(10);
    const stop = new AbortController();
    messages.length = 2;
    const three = scripted([
      cut,
      cut,
      cut,
      async () => Promise.reject(stop.abort(new Error("bye"))),
    ]);
    await expect(agent(three, { signal: stop.signal })).rejects.toThrow("bye");
    seen = [];
    expect(await agent(scripted([cut]))).toMatchObject({ which: "length" });
    expect(seen).toHaveLength(2);
  });

  test("that never comes ends with what the server said last", async () => {
    const deaf: Model = {
      window: () => 0,
      async ask({ signal, onFail }) {
        onFail?.("models.internal answered 503");
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        throw signal.reason;
      },
    };
    const limits = { steps: 50, tokens: 1_000_000, deadline: Date.now() + 100 };
    const told =
      "the model did not answer within the job's time limit: models.internal answered 503";
    expect(await agent(deaf, { limits })).toMatchObject({ which: "unanswered", why: told });
    // Of an attempt that begins when the time is over.
    expect(await agent(deaf, { limits, unanswered: "it was away" })).toMatchObject({
      ...{ status: "limit", which: "unanswered" },
      why: expect.stringContaining("it was away"),
    });
    expect(await agent(deaf, { limits })).toMatchObject({ status: "limit", which: "minutes" });
  });

  test("that its server refuses for good ends the work with its words, and not the attempt", async () => {
    const gone = async () => Promise.reject(new UserError("the account has no quota left"));
    expect(await agent(scripted([run("true"), gone]))).toEqual({
      ...{ status: "failed", by: "refusal", reason: "the account has no quota left" },
      report: "",
    });
  });

  test("that is cut off goes on, and its half call is not made", async () => {
    const model = scripted([
      { content: "Refactor the", truncated: true },
      {
        truncated: true,
        toolCalls: [
          call("shell", { command: "echo whole" }),
          call("write", '{"path":"a","content":"ha'),
        ],
      },
      REPORT,
    ]);
    expect(await agent(model)).toEqual({ status: "finished", report: REPORT.content });
    expect(messages[3]).toEqual({
      role: "user",
      content: expect.stringContaining("cut off at the output limit"),
    });
    expect(results()).toEqual([
      "whole\n[exit 0]",
      expect.stringContaining("send less in one call"),
    ]);
    await expect(readFile(inTree("a"))).rejects.toThrow("ENOENT");
  });

  test("that declines ends the job with its words", async () => {
    const outcome = await agent(scripted([run("true"), { refusal: "I can't do that." }]));
    expect(outcome).toEqual({ status: "refused", refusal: "I can't do that.", report: "" });
    expect(messages.at(-1)).toEqual({
      role: "assistant",
      content: "I can't do that.",
      toolCalls: [],
    });
  });
});

describe("limits", () => {
  test("steps are counted over rounds and end the job without another call", async () => {
    const model = scripted([{ content: "I look at it.", ...run("true") }]);
    const limits = { steps: 3, tokens: 1e9, deadline: Date.now() + 1e6 };
    const outcome = await agent(model, { limits, spent: { steps: 1, tokens: 0 } });
    expect(outcome).toEqual({ status: "limit", which: "steps", report: "" });
    expect(seen).toHaveLength(2);
    expect(results()).toHaveLength(2);
  });

  test("end a later round with the report of the earlier one", async () => {
    messages.push({ role: "assistant", content: "Add a greeting", toolCalls: [] });
    messages.push({ role: "user", content: "A check failed." });
    const limits = { steps: 1, tokens: 1e9, deadline: Date.now() + 1e6 };
    const model = scripted([{ content: "Hm.", ...run("true") }]);
    expect(await agent(model, { limits })).toMatchObject({
      which: "steps",
      report: "Add a greeting",
    });
  });

  test("tokens count input and output", async () => {
    const limits = { steps: 50, tokens: 300, deadline: Date.now() + 1e6 };
    expect(await agent(scripted([run("true")]), { limits })).toMatchObject({ which: "tokens" });
    expect(seen).toHaveLength(3);
  });

  test("time ends the job between steps", async () => {
    let time = 1000;
    const model = scripted([
      async () => {
        time += 600;
        return { ...REPLY, toolCalls: [call("shell", { command: "true" })] };
      },
    ]);
    const limits = { steps: 50, tokens: 1e9, deadline: 2000 };
    expect(await agent(model, { limits, now: () => time })).toMatchObject({ which: "minutes" });
    expect(seen).toHaveLength(2);
  });

  test("time ends a reply with many calls", async () => {
    let time = 1000;
    const calls = [call("plan", { items: [] }), call("shell", { command: "touch late" })];
    const onPlan = async () => {
      time = 5000;
    };
    const limits = { steps: 50, tokens: 1e9, deadline: 4000 };
    const outcome = await agent(scripted([{ toolCalls: calls }]), {
      limits,
      onPlan,
      now: () => time,
    });
    expect(outcome).toMatchObject({ which: "minutes" });
    expect(results()).toEqual(["0 of 0 done", "Not run: the job was stopped."]);
    await expect(readFile(inTree("late"))).rejects.toThrow("ENOENT");
  });

  test("time ends a request that hangs", async () => {
    const model = scripted([
      (signal) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    ]);
    const limits = { steps: 50, tokens: 1e9, deadline: Date.now() + 100 };
    expect(await agent(model, { limits })).toEqual({
      status: "limit",
      which: "minutes",
      report: "",
    });
  });

  test("one notice asks to wrap up when most is used, in each conversation once", async () => {
    const limits = { steps: 10, tokens: 1e9, deadline: Date.now() + 1e6 };
    const replies = Array.from({ length: 9 }, (_, at) =>
      run(`echo ${at}; true ${"abcdefghi"[at]}`),
    );
    await agent(scripted([...replies, REPORT]), { limits });
    const notices = () =>
      messages.flatMap((message, at) =>
        message.role === "user" && message.content.includes("most of your budget")
          ? [[at, message.content]]
          : [],
      );
    expect(notices()).toEqual([[18, expect.stringContaining("2 steps")]]);
    messages.push({ role: "user", content: "a check failed" });
    await agent(scripted([REPORT]), {
      limits: { ...limits, steps: 12 },
      spent: { steps: 10, tokens: 0 },
    });
    expect(notices()).toHaveLength(1);
  });
});

describe("a window that fills, and money that ends", () => {
  const size = (list: ChatMessage[]) => JSON.stringify(list).length;
  const print = (from = 1): Scripted => run(`seq ${from} 3000`);

  test("old results are shortened before the next call, and what comes after a restart is the same", async () => {
    const failure: ChatMessage = { role: "user", content: "checks failed: parser.test.ts" };
    messages.push({ role: "assistant", content: "A report", toolCalls: [] }, failure);
    const plan = { toolCalls: [call("plan", { items: [{ text: "mend it", status: "pending" }] })] };
    const model = scripted(
      [plan, ...Array.from({ length: 16 }, (_, at) => print(at + 1)), REPORT],
      {
        window: 16_000,
      },
    );
    const start = structuredClone(messages);
    expect(await agent(model)).toMatchObject({ status: "finished" });
    const at = events.findIndex(({ type }) => type === "compacted");
    expect(at).toBeGreaterThan(0);
    expect(trace[trace.indexOf("compacted") + 1]).toBe("model");
    const last = seen.at(-1) ?? [];
    expect(last.slice(0, 2)).toEqual(messages.slice(0, 2));
    expect(last).toContainEqual(failure);
    expect(JSON.stringify(last)).toContain("mend it");
    expect(last.at(-1)).toEqual(messages.at(-2));
    expect(Math.max(...seen.map(size))).toBeLessThan(size(messages) * 0.7);
    const told = start.map((message): JobEvent => ({ type: "message", message }));
    const read: JobEvent[] = JSON.parse(
      JSON.stringify([{ type: "opened", sha: "a" }, ...told, ...events.slice(0, -1)]),
    );
    const resumed = transcriptOf(read);
    expect(resumed.messages).toEqual(messages.slice(0, -1));
    seen = [];
    const again = scripted([REPORT], { window: 16_000 });
    await agent(again, { ...resumed, resumed, spent: { steps: 17, tokens: 0 } });
    expect(JSON.stringify(seen[0])).toBe(JSON.stringify(last));
  });

  test("an answer that it is too long makes it shorter, and the call is made again", async () => {
    const model = scripted([print(), print(), print(), { status: "too_long", due: null }, REPORT]);
    expect(await agent(model)).toMatchObject({ status: "finished" });
    expect(seen).toHaveLength(5);
    expect(size(seen[4] ?? [])).toBeLessThan(size(seen[3] ?? []) / 2);
    expect(events.filter(({ type }) => type === "compacted")).toHaveLength(1);
    expect(results().every((text) => text.includes("exit 0"))).toBe(true);
  });

  test("with nothing left to shorten the job ends and says so, also at its first call", async () => {
    const first = await agent(scripted([{ status: "too_long", due: null }]));
    expect(first).toEqual({ status: "limit", which: "context", report: "" });
    expect(seen).toHaveLength(1);
    expect(events).toEqual([{ type: "note", text: expect.stringContaining("does not fit") }]);
    const later = await agent(scripted([print(), { status: "too_long", due: null }]));
    expect(later).toMatchObject({ status: "limit", which: "context" });
    expect(seen.length).toBeLessThan(12);
  });

  test("with nothing left to shorten it waits for a larger model that comes back", async () => {
    const due = Date.now() + 600_000;
    const waiting = agent(scripted([{ status: "too_long", due }]));
    await expect(waiting).rejects.toMatchObject({ name: "NoReply", retryAt: due });
    expect(events).toEqual([]);
  });

  const ROOM = "room under the budget of $1 for this command, which calls under way hold";

  test("a wait for money that others hold shows, until the model answered", async () => {
    const model = scripted([REPORT]);
    await agent({
      ...model,
      async ask(request) {
        await request.onWait?.(ROOM);
        return model.ask(request);
      },
    });
    expect(trace).toEqual([`note: waiting for ${ROOM}`, "model", "reply: the model answered"]);
  });

  test("a job whose time ends while it waits for money says for which", async () => {
    const model: Model = {
      window: () => 0,
      async ask({ onWait, signal }) {
        await onWait?.(ROOM);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        throw signal.reason;
      },
    };
    const limits = { steps: 50, tokens: 1_000_000, deadline: Date.now() + 100 };
    expect(await agent(model, { limits })).toEqual({
      status: "limit",
      which: "room",
      why: `the time limit was reached while it waited for ${ROOM}`,
      report: "",
    });
  });

  test("a call that may not be paid ends the job with why; the calls before it were made", async () => {
    const why = { cap: "job", spent: 1_980_000, limit: 2_000_000 } as const;
    const outcome = await agent(scripted([print(), { status: "over_budget", why }]));
    expect(outcome).toEqual({ status: "limit", which: "budget", why, report: "" });
    expect(results()).toHaveLength(1);
    expect(trace.filter((each) => each === "reply")).toHaveLength(1);
  });

  test("at four fifths of the money the model is told what is left, once", async () => {
    await agent(scripted([run("true"), run("echo a"), run("echo b"), REPORT], { used: 0.87 }));
    const notices = messages.filter(
      ({ role, content }) => role === "user" && content.includes("most of your budget"),
    );
    expect(notices).toEqual([
      {
        role: "user",
        content: expect.stringContaining("49 steps, 999900 tokens and 13 % of the money are left"),
      },
    ]);
    expect(seen[1]?.at(-1)).toEqual(notices[0]);
  });

  test("a budget that a skill lowers counts from the next call on", async () => {
    let budget = 2_000_000;
    const record = async (event: JobEvent) => {
      if (event.type === "tool_finished" && event.step === 2) budget = 1_000_000;
    };
    const model = scripted([run("true"), run("echo a"), REPORT], { used: 0.4375 });
    await agent(model, { budget: () => budget, record });
    expect(JSON.stringify(seen[1])).not.toContain("most of your budget");
    expect(seen[2]?.at(-1)?.content).toContain("12 % of the money");
  });

  test("the form a provider gave its reply in goes back to it and into the events", async () => {
    const native = { origin: "p/m", items: [{ type: "reasoning", encrypted_content: "abc" }] };
    await agent(scripted([{ ...run("true"), native }, REPORT]));
    expect(seen[1]?.[2]).toMatchObject({ role: "assistant", native });
    expect(events[0]).toMatchObject({ type: "reply", message: { native } });
  });

  test("a model that patches gets the tool for it in place of edit", async () => {
    const names: string[][] = [];
    const model = scripted([REPORT]);
    const asked: Model = {
      ...model,
      ask: (request) => {
        names.push(request.tools.map(({ name }) => name));
        return model.ask(request);
      },
    };
    await agent(asked, { editTool: "apply_patch" });
    expect(names).toEqual([["shell", "read", "apply_patch", "write", "plan"]]);
  });
});

describe("after a restart", () => {
  test("calls without a result are made, save those that had begun", async () => {
    await putFile(workspace, "log", "");
    const calls = [
      call("shell", { command: "echo one >> log" }),
      call("shell", { command: "echo two >> log" }),
      call("shell", { command: "echo three >> log" }),
    ];
    const [first, second] = calls;
    messages.push({ role: "assistant", content: "", toolCalls: calls });
    messages.push({ role: "tool", callId: first?.id ?? "", content: "done before the restart" });
    const started = new Set([second?.id ?? ""]);
    const outcome = await agent(scripted([REPORT]), { started, spent: { steps: 4, tokens: 400 } });
    expect(outcome).toMatchObject({ status: "finished" });
    expect(await readFile(inTree("log"), "utf8")).toBe("three\n");
    expect(results()).toEqual([
      "done before the restart",
      expect.stringContaining("interrupted by a restart"),
      "[exit 0, no output]",
    ]);
    expect(events.flatMap((event) => ("step" in event ? [event.step] : []))).toEqual([4, 4, 4, 5]);
  });

  test("a conversation that ended in its report asks nobody", async () => {
    messages.push({ role: "assistant", content: "Done it\n\nAll of it.", toolCalls: [] });
    expect(await agent(scripted([REPORT]))).toEqual({
      status: "finished",
      report: "Done it\n\nAll of it.",
    });
    expect(seen).toEqual([]);
  });
});

describe("what stops the loop from outside", () => {
  const reason = new Error("cancelled by alice");

  test("an abort during a tool is thrown, and the call stays open", async () => {
    const abort = new AbortController();
    const model = scripted([run("sleep 600")]);
    const record: AgentOptions["record"] = async (event) => {
      trace.push(event.type);
      if (event.type === "tool_started") setTimeout(() => abort.abort(reason), 50);
    };
    await expect(agent(model, { signal: abort.signal, record })).rejects.toBe(reason);
    expect(trace).toEqual(["model", "reply", "tool_started"]);
  });

  test("an abort during a request is thrown with its reason", async () => {
    const abort = new AbortController();
    const model = scripted([
      async () => {
        abort.abort(reason);
        throw new DOMException("This operation was aborted", "AbortError");
      },
    ]);
    await expect(agent(model, { signal: abort.signal })).rejects.toBe(reason);
  });

  test("a reply that was paid for is stored before an abort counts", async () => {
    const abort = new AbortController();
    const model = scripted([
      async () => {
        abort.abort(reason);
        return { ...REPLY, toolCalls: [call("shell", { command: "touch acted" })] };
      },
    ]);
    await expect(agent(model, { signal: abort.signal })).rejects.toBe(reason);
    expect(trace).toEqual(["model", "reply"]);
    await expect(readFile(inTree("acted"))).rejects.toThrow("ENOENT");
  });

  test("an event that cannot be stored stops the next act", async () => {
    const lost = new Error("another attempt holds the job");
    const record: AgentOptions["record"] = async (event) => {
      if (event.type === "tool_started") throw lost;
    };
    await expect(agent(scripted([run("touch acted")]), { record })).rejects.toBe(lost);
    await expect(readFile(inTree("acted"))).rejects.toThrow("ENOENT");
  });

  test("failures of the model server pass through; those of a tool are told to the model", async () => {
    const down = new TransientError("no reply");
    await expect(agent(scripted([async () => Promise.reject(down)]))).rejects.toBe(down);
    const broken = {
      ...sandbox,
      run: async () => Promise.reject(new Error("spawn EAGAIN")),
    };
    expect(await agent(scripted([run("true"), REPORT]), { sandbox: broken })).toMatchObject({
      status: "finished",
    });
    expect(results()).toEqual(["shell failed: spawn EAGAIN"]);
    const none = {
      ...sandbox,
      run: async () => Promise.reject(new UserError("no sandbox here")),
    };
    await expect(agent(scripted([run("true")]), { sandbox: none, messages: [] })).rejects.toThrow(
      "no sandbox here",
    );
  });
});
