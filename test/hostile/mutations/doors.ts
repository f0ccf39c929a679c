import type { Mutation } from "./mutation.ts";

const WEBHOOK = "src/api/webhook.ts";
const SERVER = "src/api/server.ts";
const GUARD = "src/api/setup-guard.ts";
const SETUP = "src/api/setup-page.ts";
const CONFIG = "src/config.ts";
const COMPOSE = "src/compose/doors.ts";
const PING = '    "/ping": { GET: async () => new Response("PONG") },\n    "/healthz": {';

const mutations: Mutation[] = [
  {
    attack: "doors-01",
    defence: "the signature decides",
    file: "src/api/signature.ts",
    find: "return fits.includes(true);",
    replace: "return fits.length > 0;",
  },
  {
    attack: "doors-02",
    defence: "the bytes that came are signed, not their text",
    file: "src/api/signature.ts",
    find: ".update(body).digest()",
    replace: '.update(body.toString("utf8")).digest()',
  },
  {
    attack: "doors-03",
    defence: "a comment is taken once, under whatever delivery id",
    edits: [
      {
        file: "src/jobs/submit.ts",
        find: "const key = requestKey(request);",
        replace: "const key = `${requestKey(request)}/${delivery.guid}`;",
      },
      {
        file: "src/jobs/intake.ts",
        find: "    key: requestKey(request),",
        replace: "    key: uuidv7(),",
      },
    ],
  },
  {
    attack: "doors-04",
    defence: "a delivery id is taken once",
    file: "src/adapters/store/intake.ts",
    find: '.where("guid", "=", guid);',
    replace: '.where("guid", "=", "");',
  },
  {
    attack: "doors-05",
    defence: "refused deliveries are counted by client",
    file: WEBHOOK,
    find: "if (refusals.take(client.address) && !client.greedy) return answer(status, reason);",
    replace: "return answer(status, reason);",
  },
  {
    attack: "doors-06",
    defence: "a body has a largest size, and needs room",
    edits: [
      {
        file: "src/api/read-body.ts",
        find: 'if (status === "read" && size > most) status = "too_large";',
        replace: "",
      },
      {
        file: "src/api/read-body.ts",
        find: 'if (status === "read" && place?.take(chunk.length) === false) status = "no_room";',
        replace: "",
      },
    ],
  },
  {
    attack: "doors-07",
    defence: "one client holds so much, and no more",
    file: "src/api/room.ts",
    find: "if (more > 0 && (own > CLIENT_BYTES || total + more > TOTAL_BYTES)) return false;",
    replace: "if (own < 0) return false;",
  },
  {
    attack: "doors-08",
    defence: "who keeps the server waiting makes room for who does not",
    file: "src/api/connections.ts",
    find: "    const full = open.size >= MOST;\n",
    replace: "    if (own >= MOST_OF_ONE) return false;\n    const full = open.size >= MOST;\n",
  },
  {
    attack: "doors-09",
    defence: "the parser is strict, and one Host and one length are demanded",
    edits: [
      { file: SERVER, find: "insecureHTTPParser: false,", replace: "insecureHTTPParser: true," },
      {
        file: SERVER,
        find: "if (isAmbiguous(request)) {",
        replace: "if (request.method === '') {",
      },
    ],
  },
  {
    attack: "doors-10",
    defence: "headers have a largest size",
    file: SERVER,
    find: "maxHeaderSize: 16 * 1024,",
    replace: "maxHeaderSize: 16 * 1024 * 1024,",
  },
  {
    attack: "doors-11",
    defence: "what is handed on has the form of an event",
    file: WEBHOOK,
    find: 'return "action" in value && typeof value.action !== "string" ? null : value;',
    replace: "return value;",
  },
  {
    attack: "doors-12",
    defence:
      "the limit of requests lies above GitHub's bursts, and the signature decides beyond it",
    edits: [
      {
        file: SERVER,
        find: "const REQUESTS = { capacity: 2000, perSecond: 50 };",
        replace: "const REQUESTS = { capacity: 200, perSecond: 5 };",
      },
      {
        file: SERVER,
        find: 'if (greedy && request.method !== "POST") {',
        replace: "if (greedy) {",
      },
    ],
  },
  {
    attack: "doors-13",
    defence: "the old secret leaves the environment like the new one",
    file: CONFIG,
    find: '  "WEBHOOK_SECRET_OLD",\n  "OPENAI_API_KEY",',
    replace: '  "OPENAI_API_KEY",',
  },
  {
    attack: "doors-14",
    defence: "health has no detail",
    file: COMPOSE,
    find: 'Response.json({ status: "ok" })',
    replace: 'Response.json({ status: "ok", store: config.dataDir })',
  },
  {
    attack: "doors-15",
    defence: "every answer carries the headers",
    file: "src/api/answers.ts",
    find: '  "x-content-type-options": "nosniff",\n',
    replace: "",
  },
  {
    attack: "doors-15",
    defence: "Node answers nothing by itself",
    file: "src/api/server.ts",
    find: "send(answered, request, response).catch(() => response.destroy());",
    replace: "response.writeHead(answered.status).end();",
  },
  {
    attack: "doors-16",
    defence: "a configured server has no set-up page",
    file: COMPOSE,
    find: PING,
    replace: `    "/probot": { GET: async () => new Response("set up") },\n${PING}`,
  },
  {
    attack: "doors-17",
    defence: "no delivery takes the name of an event of Octokit's own",
    file: WEBHOOK,
    find: "/^(?!error$)[a-z]",
    replace: "/^[a-z]",
  },
  {
    attack: "doors-17",
    defence: "what is talkative of others stays out of the log",
    file: COMPOSE,
    find: '["debug", "trace"].includes(config.logLevel) ? "info" : config.logLevel',
    replace: "config.logLevel",
  },
  {
    attack: "doors-18",
    defence: "of an error its message is written, not what hangs on it",
    file: "src/log.ts",
    find: "serializers: { err: (error: unknown) => errorFields(error, MAX_CAUSES) },",
    replace: "serializers: { none: (error: unknown) => errorFields(error, MAX_CAUSES) },",
  },
  {
    attack: "doors-19",
    defence: "a crash is told once through the redactor, and ends the server in order",
    file: "src/main.ts",
    find: 'process.on("uncaughtException", (thrown) => {',
    replace: 'process.on("SIGWINCH", (thrown) => {',
  },
  {
    attack: "doors-20",
    defence: "what changes something proves that it came from our own page",
    file: GUARD,
    find: "known(request) && isOwn(request) && same(given, proof),",
    replace: "known(request) || isOwn(request) || same(given, proof),",
  },
  {
    attack: "doors-21",
    defence: "local is this machine's own name, and nothing a proxy hands on",
    file: GUARD,
    find: 'options.bound && isLocalName(request.headers.host ?? "") && !isForwarded(request);',
    replace:
      'options.bound && !(isLocalName(request.headers.host ?? "") && isForwarded(request) && false);',
  },
  {
    attack: "doors-22",
    defence: "a page that others reach needs the token",
    file: GUARD,
    find: "options.bound && isLocalName",
    replace: "isLocalName",
  },
  {
    attack: "doors-23",
    defence: "the page closes once credentials are written",
    file: SETUP,
    find: "if (closed || deps.configured())",
    replace: "if (closed && !closed)",
  },
  {
    attack: "doors-24",
    defence: "the page looks whether there are credentials by now",
    file: SETUP,
    find: "if (closed || deps.configured())",
    replace: "if (closed)",
  },
];

export default mutations;
