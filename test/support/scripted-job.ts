import { toChatBody } from "../../src/adapters/openai/chat-body.ts";
import { toResponsesBody } from "../../src/adapters/openai/responses-body.ts";
import { type AgentOptions, runAgent } from "../../src/agents/loop.ts";
import { systemPrompt, taskPrompt } from "../../src/agents/prompt.ts";
import { createTools, specsOf } from "../../src/agents/tools/index.ts";
import type { JobEvent } from "../../src/core/event.ts";
import type {
  ChatMessage,
  Model,
  ModelReply,
  ProviderRequest,
  ToolCall,
  ToolSpec,
} from "../../src/core/model.ts";
import type { ModelProfile } from "../../src/core/model-profile.ts";

type EditTool = ModelProfile["editTool"];

const SKILLS: [string, string][] = [
  [
    "refactor",
    "Changes the structure of code without changing what it does: renames, moves, splits and merges, in small steps with green tests.",
  ],
  [
    "fix",
    "Finds the cause of a bug from a report or a failing test, writes a test that shows it, mends the cause and not the symptom, and runs the checks.",
  ],
  [
    "test",
    "Adds tests for code that has none or too few, in the style of the repository, each asserting what a person would notice when it breaks.",
  ],
  [
    "docs",
    "Writes or corrects documentation next to the code it describes: READMEs, guides, doc comments and examples, checked against the code.",
  ],
  [
    "review",
    "Reads a change as a careful reviewer does and reports bugs, missing tests and risks by file and line, most important first; it changes nothing.",
  ],
  [
    "upgrade-dependencies",
    "Raises the versions of dependencies one at a time, reads their release notes for what breaks, adapts the code and runs the whole test suite.",
  ],
  [
    "ci-fix",
    "Reads the log of a failed workflow, finds the first real error in it, reproduces it in the checkout and mends the code or the configuration.",
  ],
  [
    "security-fix",
    "Mends a reported vulnerability at its root, looks for the same mistake elsewhere, adds a test with the attack in it and tells what was at risk.",
  ],
  [
    "changelog",
    "Writes the entry of a release from its commits and pull requests, grouped by what users notice, in the form the file already has, without noise.",
  ],
  [
    "pdf",
    "Reads, fills, splits, merges and creates PDF files, extracts their text and tables, and turns scans into text. Use it when a task names a PDF file.",
  ],
  [
    "xlsx",
    "Creates, reads and edits spreadsheets with formulas, formats and charts, keeps the formulas that are there and recalculates them to find errors.",
  ],
  [
    "docx",
    "Creates and edits Word documents with tracked changes, comments and styles kept. Use it for reports, letters and contracts in the .docx format.",
  ],
  [
    "pptx",
    "Creates and edits slide decks: layouts, speaker notes and comments. Use it for slides or a presentation in .pptx form.",
  ],
  [
    "mcp-builder",
    "Builds servers for the Model Context Protocol in Python or TypeScript that give a model well-designed tools for a service, with evaluations.",
  ],
  [
    "webapp-testing",
    "Drives a local web application with a headless browser to check what the interface does, with screenshots and its console.",
  ],
  [
    "sql-migrations",
    "Writes forward-only migrations for PostgreSQL and SQLite that lock little and can be run again, with the code that works before and after.",
  ],
  [
    "api-design",
    "Designs or changes an HTTP API: resources, errors, paging and versions, with an OpenAPI description that agrees with what the server answers.",
  ],
  [
    "performance",
    "Finds where time or memory goes with a profiler before it changes anything, mends the worst place and shows the figures before and after.",
  ],
  [
    "accessibility",
    "Checks pages against WCAG 2.2 at level AA, mends labels, contrast, focus order and keyboard use, and says which checks need a person to do them.",
  ],
  [
    "i18n",
    "Takes texts out of the code into message catalogues, with plurals and dates by locale, and finds those still hard-coded.",
  ],
];

/** A list of 20 skills, of descriptions as long as people write them. */
export const TWENTY_SKILLS = SKILLS.map(([name, description]) => ({ name, description }));

/** What a repository with a check and a registry is told. */
export function rules(skills: typeof TWENTY_SKILLS = []): string {
  return systemPrompt({
    ...{ skill: null, skills },
    checks: ["npm run check"],
    protectedPaths: [],
    network: ["registry.npmjs.org"],
  });
}

/** Its tools, that which reads a skill among them. */
export function toolsFor(editTool: EditTool): ToolSpec[] {
  const nobody = () => Promise.reject(new Error("no tool is called here"));
  return specsOf(createTools(editTool, { onPlan: nobody, onSkill: nobody }));
}

/** The body of a Chat Completions request. */
export function chatBody(messages: ChatMessage[], tools: ToolSpec[]): string {
  return JSON.stringify(toChatBody(requestOf(messages, tools), DIALECT));
}

/** The body of a Responses request. */
export function responsesBody(messages: ChatMessage[], tools: ToolSpec[]): string {
  return JSON.stringify(toResponsesBody(requestOf(messages, tools), DIALECT));
}

const DIALECT = { origin: "default/m", openai: true, adapted: new Set<never>() };

function requestOf(messages: ChatMessage[], tools: ToolSpec[]): ProviderRequest {
  const { signal } = new AbortController();
  return { model: "m", effort: null, maxOutput: 16_384, callId: "1", messages, tools, signal };
}

const WORDS =
  "const result await store jobs find where status running return value error message from import type expect that it does the same again when list of files path".split(
    " ",
  );

/** Text like code, of about so many bytes; the same for the same seed. */
function code(bytes: number, seed: number): string {
  let state = seed * 7919 + 17;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  let text = "";
  while (text.length < bytes) {
    const count = 4 + (next() % 8);
    const words = Array.from({ length: count }, () => WORDS[(next() >>> 8) % WORDS.length]);
    text += `${"  ".repeat(next() % 4)}${words.join(" ")};\n`;
  }
  return text;
}

/** Bytes that a step brings in: searches and test runs are short, files are not. */
const RESULTS = [500, 250, 2600, 600, 1500, 300, 1000, 200, 1800, 400];

/**
 * Plays a job of `steps` steps of usual size with a scripted model and tools that need no machine: about
 * 38 kB of rules, guidance and task, then searches, reads, edits and test runs. Gives the messages of each request.
 */
export async function playJob(
  steps: number,
  window: number,
  tokensOf: (body: string) => number,
): Promise<{ requests: ChatMessage[][]; tools: ToolSpec[]; events: JobEvent[] }> {
  const requests: ChatMessage[][] = [];
  const events: JobEvent[] = [];
  const messages: ChatMessage[] = [
    { role: "system", content: rules(TWENTY_SKILLS) },
    {
      role: "user",
      content: taskPrompt({
        repository: "acme/shop",
        task: "Let customers pay by invoice",
        issue: {
          number: 7,
          texts: [
            {
              kind: "subject",
              author: { name: "ada", role: "member", trusted: true },
              at: null,
              place: null,
              text: code(8000, 1),
            },
          ],
          leftOut: [],
        },
        pull: null,
        earlier: null,
        guidance: { files: [{ path: "AGENTS.md", text: code(20_000, 2) }], inCheckout: true },
      }),
    },
  ];
  const tools = toolsFor("edit");
  const model: Model = {
    window: () => window,
    async ask({ messages: shown, tools: specs, step }) {
      requests.push([...shown]);
      const calls = step >= steps ? [] : [callOf(step)];
      const reply: ModelReply = {
        content: calls.length === 0 ? "Let customers pay by invoice" : code(120, step),
        toolCalls: calls,
        refusal: null,
        truncated: false,
        usageReported: true,
        usage: {
          inputTokens: tokensOf(chatBody(shown, specs)),
          cachedTokens: 0,
          outputTokens: 150,
        },
      };
      return { status: "reply", reply, origin: "default/m", used: 0 };
    },
  };
  const options: AgentOptions = {
    messages,
    started: new Set(),
    seen: { compaction: null, measured: null },
    model,
    editTool: "edit",
    sandbox: {
      run: async ({ script }: { script: string }) => ({
        exitCode: 0,
        output: code(
          RESULTS[Number(/\d+$/.exec(script)?.[0] ?? 0) % RESULTS.length] ?? 0,
          script.length,
        ),
        stopped: null,
        deniedHosts: [],
      }),
    } as unknown as AgentOptions["sandbox"],
    workspace: { tree: "/tree" } as AgentOptions["workspace"],
    network: [],
    limits: { steps: steps * 2, tokens: 1e9, deadline: 3_600_000 },
    spent: { steps: 0, tokens: 0 },
    signal: new AbortController().signal,
    goOn: () => undefined,
    now: () => 0,
    record: async (event) => {
      events.push(event);
    },
    onPlan: async () => undefined,
  };
  const outcome = await runAgent(options);
  if (outcome.status !== "finished") throw new Error(`the job ended: ${JSON.stringify(outcome)}`);
  return { requests, tools, events };
}

function callOf(step: number): ToolCall {
  const id = `call_${step}`;
  const command =
    step % 4 === 3
      ? `cat > src/f${step}.ts <<'E'\n${code(900, step)}E\n: ${step}`
      : `sed -n 1,${step}`;
  return { id, name: "shell", arguments: JSON.stringify({ command }) };
}

/** Bytes of all requests, and how many of them stood at the beginning of the request before. */
export function prefixShare(bodies: string[]): number {
  let bytes = 0;
  let same = 0;
  for (const [at, body] of bodies.entries()) {
    const before = bodies[at - 1];
    if (before === undefined) continue;
    bytes += body.length;
    same += commonPrefix(before, body);
  }
  return same / bytes;
}

function commonPrefix(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return at;
}
