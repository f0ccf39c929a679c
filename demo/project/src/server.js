import { createServer } from "node:http";
import { createApp } from "./app.js";
import { hashPassword } from "./auth.js";

// The harbour's own card terminal answers in production; this one approves everything.
const gateway = { charge: async ({ cents }) => ({ approved: true, reference: `desk-${cents}` }) };

const app = createApp({
  users: [{ name: "ana", role: "clerk", salt: "pier", hash: hashPassword("anchor", "pier") }],
  sailings: [
    { id: "N1", from: "Norrby", to: "Skarholm", departs: "2026-06-01T08:15", seats: 120, sold: 0 },
    { id: "S1", from: "Skarholm", to: "Norrby", departs: "2026-06-01T17:40", seats: 120, sold: 0 },
  ],
  gateway,
});

createServer(async (request, response) => {
  const url = new URL(request.url, "http://desk");
  let text = "";
  for await (const chunk of request) text += chunk;
  try {
    const answer = await app({
      method: request.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: text ? JSON.parse(text) : {},
    });
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(answer.body ? JSON.stringify(answer.body) : undefined);
  } catch (error) {
    const status = error instanceof SyntaxError ? 400 : 500;
    response.writeHead(status).end();
    if (status === 500) console.error(error);
  }
}).listen(3000, "127.0.0.1");
