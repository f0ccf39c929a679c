import { plan, type Script, type ScriptedCall, TESTS_PASS } from "./script.ts";

const PLAN = [
  "Read what is public",
  "Write docs/api.md",
  "Try the examples",
  "Comment the exports",
];

const API = `# API

What \`ferry-desk\` exports, and the requests the desk answers. Amounts are whole cents.

## In code

    import { charge, createApp, findSailings, quote, seatsLeft } from "ferry-desk";

### findSailings(sailings, { from, to, day })

Sailings with seats left, in order of departure. Every condition may be left out; \`day\` is the
beginning of \`departs\`, such as \`2026-06-01\`.

### seatsLeft(sailing)

Seats that can still be sold, never less than 0.

### quote(items)

The price of an order. \`items\` counts \`adult\`, \`child\` and \`bicycle\`.

    quote({ adult: 2, bicycle: 1 })   // { cents: 2850, discount: 0 }
    quote({ adult: 10 })              // { cents: 11250, discount: 1250 }

Throws a \`RangeError\` for an unknown kind, a number that is no whole number, or an order without
a passenger. \`discount\` is already taken off \`cents\`.

### charge(items, card, gateway)

Prices an order and charges the card. Never throws for a bad order or a refused card:

    { ok: true, receipt: { cents, discount, reference } }
    { ok: false, error: "card refused: stolen" }

\`gateway.charge({ cents, card })\` answers \`{ approved: true, reference }\` or
\`{ approved: false, reason }\`. The reason \`timeout\` is tried again, three times in all.

### createApp({ users, sailings, gateway, now })

Gives \`handle(request)\`, which answers a request of the table below without a socket.
\`now\` defaults to \`Date.now\`.

## Requests

| request | needs | answer |
| --- | --- | --- |
| \`GET /sailings?from=&to=&day=\` | – | 200, a list of sailings |
| \`POST /login\` \`{ name, password }\` | – | 200 and the cookie \`session\`; 401 |
| \`POST /logout\` | – | 204 |
| \`GET /me\` | session | 200 \`{ name, role }\` |
| \`POST /orders\` \`{ items, card }\` | session | 201, a receipt; 402 \`{ ok: false, error }\` |

Without a session, \`/me\`, \`/orders\` and unknown paths answer 401; with one, an unknown path is 404.
`;

const TRY = `node --input-type=module <<'END'
import { quote, seatsLeft } from "ferry-desk";
console.log(quote({ adult: 2, bicycle: 1 }), quote({ adult: 10 }), seatsLeft({ seats: 2, sold: 3 }));
END`;

const comment = (path: string, signature: string, text: string): ScriptedCall => [
  "edit",
  { path, old: signature, new: `/** ${text} */\n${signature}` },
];

/** The third task of the demo. It tells of sessions, which the first task abolishes: the two collide. */
export const apiDocs: Script = {
  task: "document the public API",
  steps: [
    {
      say: "What is public is what src/index.js exports, and the requests of the app.",
      calls: [
        plan(PLAN, 0),
        ["shell", { command: "cat src/index.js src/payment.js src/sailings.js" }],
        ["read", { path: "src/app.js" }],
        ["read", { path: "README.md" }],
      ],
    },
    {
      expect: /export function seatsLeft/,
      say: "One page: exports first, then requests.",
      calls: [plan(PLAN, 1), ["write", { path: "docs/api.md", content: API }]],
    },
    {
      say: "Examples in documentation are claims, so I run them.",
      calls: [plan(PLAN, 2), ["shell", { command: TRY }]],
    },
    {
      expect: /cents: 2850, discount: 0.*cents: 11250, discount: 1250.* 0/s,
      say: "They hold. Now the exports themselves, for editors.",
      calls: [
        plan(PLAN, 3),
        comment(
          "src/payment.js",
          "export function quote(items) {",
          "Price of an order in cents; throws a RangeError for one that makes no sense.",
        ),
        comment(
          "src/payment.js",
          "export async function charge(items, card, gateway) {",
          "Charges an order to a card: `{ ok: true, receipt }`, or `{ ok: false, error }` in words.",
        ),
        comment(
          "src/sailings.js",
          "export function findSailings(sailings, { from, to, day } = {}) {",
          "Sailings with seats left, in order of departure; every condition may be left out.",
        ),
        comment(
          "src/sailings.js",
          "export function seatsLeft(sailing) {",
          "Seats that can still be sold.",
        ),
        comment(
          "src/app.js",
          "export function createApp({ users, sailings, gateway, now = Date.now }) {",
          "The desk as a function from request to answer; see docs/api.md for the requests.",
        ),
      ],
    },
    {
      say: "The README leads to the page, and to what a session is for.",
      calls: [
        [
          "edit",
          {
            path: "README.md",
            old: "signs everyone out, and two desks behind one balancer do not know each other's sessions.\n",
            new: "signs everyone out, and two desks behind one balancer do not know each other's sessions.\nOrders and `GET /me` need one.\n\n## API\n\nEvery export and every request is described in [docs/api.md](docs/api.md).\n",
          },
        ],
        ["shell", { command: "node --test" }],
      ],
    },
    {
      expect: TESTS_PASS,
      say: "",
      calls: [plan(PLAN, 4), ["shell", { command: "git status --short && git diff --stat" }]],
    },
  ],
  report: `Document the public API

- \`docs/api.md\` describes every export of \`src/index.js\` and every request of the desk: arguments, answers, status codes and what is thrown. The examples with numbers were run.
- Each export has a one-line comment for editors, and the README leads to the page.
- It describes signing in as it is now, with sessions. No behaviour was changed.`,
};
