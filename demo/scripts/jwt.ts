import { APP_TEST_EDITS, AUTH, AUTH_TEST, JWT, README_AFTER, README_BEFORE } from "./jwt-files.ts";
import { plan, type Script, type ScriptedCall, TESTS_FAIL, TESTS_PASS } from "./script.ts";

const PLAN = [
  "See how sessions are used",
  "Sign and check tokens",
  "Use them in the app",
  "Bring the tests and the README up to date",
];

const edit = (path: string, before: string, after: string): ScriptedCall => [
  "edit",
  { path, old: before, new: after },
];

/** The first task of the demo; it makes a mistake, sees a test fail, and mends it. */
export const jwt: Script = {
  task: "refactor auth to use JWT instead of sessions",
  steps: [
    {
      say: "First, how sessions work here and who relies on them.",
      calls: [
        plan(PLAN, 0),
        ["read", { path: "src/auth.js" }],
        ["read", { path: "src/app.js" }],
        ["shell", { command: "grep -rn -i 'session\\|cookie' src test README.md" }],
      ],
    },
    {
      expect: /const sessions = new Map/,
      say: "Sessions are a map in memory. A signed token needs no map.",
      calls: [
        plan(PLAN, 1),
        ["write", { path: "src/jwt.js", content: JWT }],
        ["write", { path: "src/auth.js", content: AUTH }],
      ],
    },
    {
      say: "Now the app: the token goes out in the answer and comes back in a header.",
      calls: [
        plan(PLAN, 2),
        edit(
          "src/app.js",
          'import { authenticate, login, logout } from "./auth.js";',
          'import { authenticate, login } from "./auth.js";',
        ),
        edit(
          "src/app.js",
          "{ users, sailings, gateway, now = Date.now }",
          "{ users, sailings, gateway, tokenSecret, now = Date.now }",
        ),
        edit(
          "src/app.js",
          `        const session = login(users, body.name, body.password, now());
        if (!session) return { status: 401, body: { error: "wrong name or password" } };
        const cookie = \`session=\${session}; HttpOnly; SameSite=Lax; Path=/\`;
        return { status: 200, headers: { "set-cookie": cookie }, body: { name: body.name } };
      }
      case "POST /logout":
        logout(sessionOf(headers));
        return { status: 204 };
    }

    const user = authenticate(sessionOf(headers), now());`,
          `        const token = login(users, body.name, body.password, tokenSecret, now());
        if (!token) return { status: 401, body: { error: "wrong name or password" } };
        return { status: 200, body: { token } };
      }
    }

    const user = authenticate(tokenOf(headers), tokenSecret, now());`,
        ),
        edit(
          "src/app.js",
          `function sessionOf(headers) {
  return /(?:^|;\\s*)session=([^;]+)/.exec(headers.cookie ?? "")?.[1];
}`,
          `function tokenOf(headers) {
  return /^Bearer (\\S+)$/i.exec(headers.authorization ?? "")?.[1];
}`,
        ),
        edit(
          "src/server.js",
          'import { createServer } from "node:http";\n',
          'import { randomBytes } from "node:crypto";\nimport { createServer } from "node:http";\n',
        ),
        edit(
          "src/server.js",
          "  gateway,\n});",
          '  gateway,\n  // Without a secret of its own a desk signs everyone out when it restarts.\n  tokenSecret: process.env.TOKEN_SECRET ?? randomBytes(32).toString("hex"),\n});',
        ),
      ],
    },
    {
      say: "The tests: tokens instead of cookies, and what a token must not survive.",
      calls: [
        plan(PLAN, 3),
        ["write", { path: "test/auth.test.js", content: AUTH_TEST }],
        ...APP_TEST_EDITS.map(([before, after]) => edit("test/app.test.js", before, after)),
      ],
    },
    { say: "", calls: [["shell", { command: "node --test" }]] },
    {
      expect: TESTS_FAIL,
      say: "Nobody can sign in: `exp` counts seconds, `now` milliseconds. I compared them as they are.",
      calls: [
        edit("src/jwt.js", "return claims.exp > now", "return claims.exp * 1000 > now"),
        ["shell", { command: "node --test" }],
      ],
    },
    {
      expect: TESTS_PASS,
      say: "All pass. The README still tells of sessions.",
      calls: [
        edit("README.md", README_BEFORE, README_AFTER),
        edit(
          "README.md",
          "    src/auth.js       signing in\n",
          "    src/auth.js       signing in\n    src/jwt.js        signed tokens\n",
        ),
        [
          "shell",
          { command: "grep -rn -i 'session\\|cookie' src test README.md; git diff --stat" },
        ],
        plan(PLAN, 4),
      ],
    },
  ],
  report: `Sign in with JWT instead of sessions

- \`POST /login\` answers with a signed token (HS256 by \`node:crypto\`, no dependency) that is good for 30 minutes; requests carry it as \`Authorization: Bearer …\`. Nothing is kept in memory, so a restart or a second desk changes nothing as long as \`TOKEN_SECRET\` stays the same.
- A changed token, one signed with another secret, one that names another algorithm and one that has ended are all refused, with a test for each.
- **What callers notice:** the cookie is gone, and so is \`POST /logout\`: a token cannot be taken back before it ends. If that is needed, it takes a list of revoked tokens.
- \`createApp\` has the new option \`tokenSecret\`. Without \`TOKEN_SECRET\` the server draws a random one at each start.`,
};
