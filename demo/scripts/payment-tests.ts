import { plan, type Script, TESTS_FAIL, TESTS_PASS } from "./script.ts";

const PLAN = ["Read the payment code", "Write the tests", "See that they notice a mistake"];

const TESTS = `import assert from "node:assert/strict";
import test from "node:test";
import { charge, FARES, quote } from "../src/payment.js";

/** A bank that gives these answers in turn and remembers what it was asked. */
function bank(...answers) {
  const asked = [];
  return {
    asked,
    charge: async (request) => {
      asked.push(request);
      return answers[asked.length - 1];
    },
  };
}

const approved = { approved: true, reference: "r-7" };
const timeout = { approved: false, reason: "timeout" };

test("an order costs the sum of its fares", () => {
  const items = { adult: 2, child: 1, bicycle: 3 };
  const cents = 2 * FARES.adult + FARES.child + 3 * FARES.bicycle;
  assert.deepEqual(quote(items), { cents, discount: 0 });
});

test("ten passengers get a tenth off, nine do not", () => {
  assert.deepEqual(quote({ adult: 9 }), { cents: 11250, discount: 0 });
  assert.deepEqual(quote({ adult: 10 }), { cents: 11250, discount: 1250 });
});

test("bicycles are discounted with a group but make none", () => {
  assert.equal(quote({ adult: 1, bicycle: 9 }).discount, 0);
  assert.equal(quote({ child: 10, bicycle: 1 }).discount, 635);
});

test("an order that makes no sense has no price", () => {
  assert.throws(() => quote({}), /needs a passenger/);
  assert.throws(() => quote({ bicycle: 2 }), /needs a passenger/);
  assert.throws(() => quote({ adult: -1 }), /bad number of adult/);
  assert.throws(() => quote({ adult: 1.5 }), /bad number of adult/);
  assert.throws(() => quote({ dog: 1 }), /no fare for dog/);
  assert.throws(() => quote({ toString: 1 }), /no fare for toString/);
});

test("an approved card gives a receipt and is asked for the exact price", async () => {
  const gateway = bank(approved);
  const result = await charge({ adult: 10 }, "4242", gateway);
  assert.deepEqual(result, {
    ok: true,
    receipt: { cents: 11250, discount: 1250, reference: "r-7" },
  });
  assert.deepEqual(gateway.asked, [{ cents: 11250, card: "4242" }]);
});

test("a refused card is not tried again", async () => {
  const gateway = bank({ approved: false, reason: "stolen" }, approved);
  assert.deepEqual(await charge({ adult: 1 }, "4242", gateway), {
    ok: false,
    error: "card refused: stolen",
  });
  assert.equal(gateway.asked.length, 1);
});

test("a silent bank is asked three times, no more", async () => {
  const slow = bank(timeout, timeout, approved);
  assert.equal((await charge({ adult: 1 }, "4242", slow)).ok, true);
  assert.equal(slow.asked.length, 3);

  const dead = bank(timeout, timeout, timeout, approved);
  assert.deepEqual(await charge({ adult: 1 }, "4242", dead), {
    ok: false,
    error: "the bank does not answer",
  });
  assert.equal(dead.asked.length, 3);
});

test("a bad order never reaches the bank", async () => {
  const gateway = bank(approved);
  assert.equal((await charge({ bicycle: 1 }, "4242", gateway)).ok, false);
  assert.equal((await charge(undefined, "4242", gateway)).ok, false);
  assert.equal(gateway.asked.length, 0);
});
`;

/** The second task of the demo: tests for code that has none. */
export const paymentTests: Script = {
  task: "write unit tests for the payment function",
  steps: [
    {
      say: "I start with the payment code and the tests there are.",
      calls: [
        plan(PLAN, 0),
        ["read", { path: "src/payment.js" }],
        ["shell", { command: "ls test && grep -rn 'payment\\|charge' test src --include=*.js" }],
      ],
    },
    {
      expect: /the bank does not answer/,
      say: "Pricing, the group discount, refusals and the retry all lack tests.",
      calls: [plan(PLAN, 1), ["write", { path: "test/payment.test.js", content: TESTS }]],
    },
    {
      say: "",
      calls: [["shell", { command: "node --test test/payment.test.js" }]],
    },
    {
      expect: TESTS_PASS,
      say: "They pass. Passing proves little by itself, so I break the code on purpose.",
      calls: [
        plan(PLAN, 2),
        [
          "shell",
          {
            command: [
              'cp src/payment.js "$TMPDIR/payment.js"',
              "sed -i 's/TRIES = 3/TRIES = 4/; s/GROUP = 10/GROUP = 11/' src/payment.js",
              "node --test test/payment.test.js",
              'cp "$TMPDIR/payment.js" src/payment.js',
            ].join("\n"),
          },
        ],
      ],
    },
    {
      expect: TESTS_FAIL,
      say: "Both mistakes are noticed, and the code is back as it was.",
      calls: [
        plan(PLAN, 3),
        ["shell", { command: "node --test && git status --short && git diff --stat" }],
      ],
    },
  ],
  report: `Test the prices and charging of an order

- \`test/payment.test.js\` covers the fares, the group discount at nine and ten passengers, orders that make no sense, a refused card, and the retry when the bank does not answer (three tries, no more).
- No code was changed. To see that the tests notice mistakes, the number of tries and the size of a group were changed for one run: tests failed, and the code was put back.
- The gateway is a stand-in inside the tests; nothing talks to a bank.`,
};
