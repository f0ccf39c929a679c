import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** Of the one model: micro-dollars per token. */
export const PRICE = { input: 1.25, cached: 0.125, output: 10 };

/** A tokenizer counts the same text alike each time. */
const BYTES_PER_TOKEN = 2.5;

/** One call as the server billed it. */
export interface Bill {
  callId: string;
  /** Integer micro-dollars, rounded up. */
  microDollars: number;
}

/** A model server that keeps its own books, by its own way of counting tokens. */
export interface BillingServer {
  url: string;
  bills: Bill[];
  close(): Promise<void>;
}

/** Speaks Chat Completions on 127.0.0.1. It bills a call when it begins to answer, whoever hears the answer. */
export async function startBillingServer(): Promise<BillingServer> {
  const bills: Bill[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text) as {
      max_tokens?: number;
      max_completion_tokens?: number;
    };
    const limit = body.max_completion_tokens ?? body.max_tokens ?? 1_000_000;
    // One call in twenty is refused for now, and costs nothing.
    if (Math.random() < 0.05) {
      response.writeHead(429, { "retry-after-ms": "20" }).end("{}");
      return;
    }
    const prompt = Math.ceil(text.length / BYTES_PER_TOKEN);
    const cached = Math.floor(prompt * Math.random());
    // Now and then a reply goes up to its limit.
    const output =
      Math.random() < 0.1 ? limit : Math.min(limit, 1 + Math.floor(Math.random() * 900));
    const cost = (prompt - cached) * PRICE.input + cached * PRICE.cached + output * PRICE.output;
    const callId = String(request.headers["x-client-request-id"]);
    bills.push({ callId, microDollars: Math.ceil(Number(cost.toFixed(6))) });
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (chunk: object) => response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    send({ choices: [{ index: 0, delta: { role: "assistant", content: "Going on" } }] });
    await delay(Math.random() * 60);
    send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
    const usage = {
      prompt_tokens: prompt,
      prompt_tokens_details: { cached_tokens: cached },
      completion_tokens: output,
      total_tokens: prompt + output,
    };
    send({ choices: [], usage });
    response.end("data: [DONE]\n\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    bills,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
