import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createRedactor, stripInvisible } from "../../src/core/redact.ts";

const pem = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;
const webhookSecret = "correct horse & battery/staple";
const modelKey = "local-key-0123456789abcdefghijklmnopqrstuvwxyz";
const jwt = [
  "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9",
  Buffer.from(
    JSON.stringify({ iss: "123456", permissions: { contents: "write", issues: "write" } }),
  ).toString("base64url"),
  Buffer.alloc(256, "signature-").toString("base64url"),
].join(".");
const installationToken = `ghs_123456_${jwt}`;

const redact = createRedactor(() => [pem, webhookSecret, modelKey, installationToken]);
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("a secret we hold does not get out", () => {
  it.each<[string, string]>([
    ["as it is", `key: ${modelKey}!`],
    ["twice", `${modelKey} and ${modelKey}`],
    ["with spaces and signs", `the secret is ${webhookSecret}.`],
    ["in JSON", JSON.stringify({ webhookSecret, pem })],
    ["in JSON in JSON", JSON.stringify(JSON.stringify({ pem, modelKey }))],
    ["in a URL", `https://example.com/?s=${encodeURIComponent(webhookSecret)}&k=${modelKey}`],
    ["in HTML", webhookSecret.replace("&", "&amp;")],
    ["in base64", base64(modelKey)],
    [
      "in base64 at any offset of a larger text",
      ["", "a", "ab", "abc"].map((before) => base64(`${before}${webhookSecret} after`)).join("\n"),
    ],
    ["in base64 of a header", base64(`x-access-token:${installationToken}`)],
    ["in base64url", Buffer.from(`??>${webhookSecret}`).toString("base64url")],
    ["in base64 wrapped at 76 characters", base64(pem).replace(/.{76}/g, "$&\n")],
    ["in hex", Buffer.from(modelKey).toString("hex")],
    ["in capital hex", Buffer.from(modelKey).toString("hex").toUpperCase()],
    ["without its first seven characters", `it ends in ${modelKey.slice(7)}`],
    ["without its last ten characters", modelKey.slice(0, -10)],
    ["a private key", pem],
    ["a private key with literal line ends", pem.replaceAll("\n", "\\n")],
    ["a private key without header", pem.split("\n").slice(1, -2).join("\n")],
    ["a private key quoted or indented line by line", pem.replace(/^/gm, "> + ")],
    ["one line of a private key", `found ${pem.split("\n")[5]} in a file`],
  ])("%s", (_name, text) => {
    const out = redact(text);
    expect(out).toContain("[redacted]");
    const held = [modelKey, webhookSecret, installationToken, ...pem.split("\n").slice(1, -2)];
    const spellings = (secret: string) => [
      secret,
      base64(secret).slice(4, -4),
      Buffer.from(secret).toString("hex").slice(2, -2),
    ];
    for (const piece of held.flatMap(spellings).flatMap((each) => each.match(/.{20}/g) ?? [])) {
      expect(out.toLowerCase()).not.toContain(piece.toLowerCase());
    }
  });

  it("also when it was learnt after the redactor was made", () => {
    const tokens: string[] = [];
    const later = createRedactor(() => [...tokens]);
    expect(later("token-of-an-hour")).toBe("token-of-an-hour");
    tokens.push("token-of-an-hour");
    expect(later("a token-of-an-hour b")).toBe("a [redacted] b");
  });

  it("leaves what surrounds it", () => {
    expect(redact(`before ${modelKey} after`)).toBe("before [redacted] after");
    expect(redact(`{"key":"${modelKey}","n":1}`)).toBe('{"key":"[redacted]","n":1}');
  });
});

describe("what is left is readable", () => {
  const key = "Kx92mmQ4zz17Wp83";
  const hide = createRedactor(() => [key, "webhook-secret-of-ada"]);
  it.each<[string, string, string]>([
    ["a piece", "ends in Q4zz17Wp83.", "ends in [redacted]."],
    ["parts of a sum", 'k = "Kx92mm" + "Q4zz17" + "Wp83";', 'k = "[redacted]";'],
    ["a log line", `{"msg":"no ${key}","n":1}`, '{"msg":"no [redacted]","n":1}'],
    [
      "a line with colours",
      "\u001b[1mKx92mmQ4\u001b[0mzz17Wp83\u001b[0m!",
      "\u001b[1m[redacted]\u001b[0m!",
    ],
    ["lines of bytes", [...Buffer.from(key)].join("\n"), "[redacted]"],
    [
      "words of ours",
      "the webhook of ada, a secret-of-state",
      "the webhook of ada, a secret-of-state",
    ],
    ["ours whole", "it is webhook-secret-of-ada", "it is [redacted]"],
  ])("%s", (_name, text, out) => {
    expect(hide(text)).toBe(out);
  });

  it("a log line stays one line of JSON, whatever is taken out of its texts", () => {
    const values = [
      key,
      [...key].reverse().join(""),
      Buffer.from(key).toString("base64"),
      `${key}\n"${key}`,
    ];
    for (const value of values) {
      const line = JSON.stringify({ level: 30, msg: `a ${value} b`, list: [value, { value }] });
      expect(Object.keys(JSON.parse(hide(line)))).toEqual(["level", "msg", "list"]);
    }
  });

  it("shapes are left alone where only our own count", () => {
    const own = createRedactor(() => [key], { own: true });
    expect(own(`ghp_${"a1B2".repeat(9)} and ${key}`)).toBe(
      `ghp_${"a1B2".repeat(9)} and [redacted]`,
    );
  });
});

describe("what has the shape of a secret does not get out", () => {
  const long = "a1B2c3D4e5F6g7H8i9J0".repeat(2);
  it.each<[string, string]>([
    ["a classic token", `ghp_${long.slice(0, 36)}`],
    ["an OAuth token", `gho_${long.slice(0, 36)}`],
    ["a user-to-server token", `ghu_${long.slice(0, 36)}`],
    ["an old installation token", `ghs_${long.slice(0, 36)}`],
    ["a refresh token", `ghr_${long.repeat(2)}`],
    ["a new installation token of 520 characters", `ghs_987654_${jwt.replaceAll("c", "d")}`],
    ["a fine-grained token", `github_pat_${long}_${long}`],
    ["an OpenAI key", `sk-proj-${long}_-x`],
    ["an Anthropic key", `sk-ant-api03-${long}`],
    ["an AWS key id", "AKIAIOSFODNN7EXAMPLE"],
    ["a Slack token", "xoxb-123456789012-abcdefABCDEF"],
    ["an npm token", `npm_${long.slice(0, 36)}`],
    ["a JWT", jwt.replaceAll("c", "d")],
    [
      "a key without its end",
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${"b3BlbnNzaC1rZXktdjEA".repeat(3)}\n${"QUJDREVGR0hJSktMTU5P".repeat(3)}`,
    ],
  ])("%s, wherever it stands", (_name, token) => {
    const around: [string, string][] = [
      ["", ""],
      ["token=", "\n"],
      ['"', '"'],
      ["\u001b[31m", "\u001b[0m"],
      ["line\\n", "\\nline"],
      ["a%3D", "%26"],
      ["(", ")"],
    ];
    for (const [before, after] of around) {
      expect(redact(`${before}${token}${after}`)).toBe(`${before}[redacted]${after}`);
    }
  });

  it("a private key of someone else, whole", () => {
    const key = `-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n${"QUJD".repeat(16)}\nQUI=\n-----END EC PRIVATE KEY-----`;
    expect(redact(`a\n${key}\nb\n${key}\nc`)).toBe("a\n[redacted]\nb\n[redacted]\nc");
  });

  it("a password in a URL and a token in a header", () => {
    expect(redact("https://x-access-token:short@github.com/o/r")).toBe(
      "https://x-access-token:[redacted]@github.com/o/r",
    );
    expect(redact("Authorization: Bearer abc.def-ghi")).toBe("Authorization: Bearer [redacted]");
  });

  it.each([
    "a task-1234567890-abcdefghijkl and a disk-0-partition-label-name",
    "sk-learn is fine, and so is sk-some-branch-name-without-digits-in-it",
    "weighs_more_than_you_would_expect_of_it",
    "commit 0123456789abcdef0123456789abcdef01234567",
    "sha512-Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4==",
    "src/core/redact.ts:12:34 at Object.<anonymous> (http://localhost:3000/app.js:1:2)",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END PUBLIC KEY-----",
    "mail bob@example.com at 10:30",
    "eyJ is how a JWT begins; xoxb- is Slack; AKIA is AWS",
  ])("but ordinary text stays: %s", (text) => {
    expect(redact(text)).toBe(text);
  });

  it("a secret too short to tell from ordinary text is left to its length", () => {
    expect(createRedactor(() => ["", "short"])("a short text")).toBe("a short text");
  });
});

describe("a megabyte is no matter", () => {
  const fill = (text: string) => text.repeat(Math.ceil(2 ** 20 / text.length));
  it.each([
    "x",
    "sk-",
    "eyJ",
    "eyJaaaaaaaaa.",
    "ghs_1_a",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "://a:",
    "\u001b[3",
    "xoxb-",
    "QUJD+/",
  ])("of %j", { timeout: 5000 }, (text) => {
    redact(stripInvisible(fill(text)));
  });
});

describe("stripInvisible", () => {
  it.each<[string, string, string]>([
    ["line ends of all systems become one", "a\r\nb\rc\u2028d\u2029e\vf\fg", "a\nb\nc\nd\ne\nf\ng"],
    ["tabs and line ends stay", "a\tb\n", "a\tb\n"],
    ["emoji with presentation selector stay", "❤️", "❤️"],
    [
      "colours, cursor moves and links of terminals go",
      "\u001b[1;31mred\u001b[0m\u001b[2K\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\\u001b(B",
      "redlink",
    ],
    ["an unfinished sequence takes no more than its line", "a\u001b]0;title\nb", "a\nb"],
    ["annotations and fillers go", "a\uFFF9b\u3164\u115F\u180Ec", "abc"],
  ])("%s", (_name, text, seen) => {
    expect(stripInvisible(text)).toBe(seen);
    expect(stripInvisible(seen)).toBe(seen);
  });
});
