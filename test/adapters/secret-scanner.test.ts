import { createHash, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createSecretScanner } from "../../src/adapters/secret-scanner.ts";

const OURS = "k7Vq-ZpB2xT9nL4rKw8Hd6Yc3J";
const scanner = createSecretScanner(() => [OURS]);

/** Signs as random as they come, the same in every run. */
function random(length: number, seed = ""): string {
  const bytes = createHash("shake256", { outputLength: length })
    .update(`${length}${seed}`)
    .digest();
  return bytes.toString("base64").replace(/[+/=]/g, "x").slice(0, length);
}
const hex = (length: number) => Buffer.from(random(length)).toString("hex").slice(0, length);
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const keyPem = (type: "pkcs1" | "pkcs8") =>
  generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type, format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey;
const ecPem = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "sec1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;
const jwt = `${base64url({ alg: "RS256", typ: "JWT" })}.${base64url({ iss: "9", exp: 1_800_000_000 })}.${random(200)}`;

const scan = (text: string, where = "src/app.ts") => scanner.scan([{ where, text }]);
const kinds = async (text: string, where?: string) =>
  (await scan(text, where)).map((finding) => finding.what);

describe("a secret of ours", () => {
  it.each<[string, string]>([
    ["as it is", OURS],
    ["in base64", Buffer.from(`x${OURS}`).toString("base64")],
    ["in hex", Buffer.from(OURS).toString("hex")],
    ["reversed", [...OURS].reverse().join("")],
    ["eight characters of it", OURS.slice(9, 17)],
    ["put together", `"${OURS.slice(0, 4)}" + "${OURS.slice(4, 9)}" + "${OURS.slice(9)}"`],
  ])("is found %s, with its line and never its value", async (_name, text) => {
    for (const where of ["src/app.ts", "test/fixtures/a.json", "the commit message"]) {
      const found = await scan(`one\ntwo ${text}\nthree`, where);
      expect(found).toEqual([{ where, line: 2, what: "a secret of this server", own: true }]);
    }
  });

  it("is found in a name, which is then told without it", async () => {
    const found = await scan("nothing", `src/${OURS}.ts`);
    expect(found).toEqual([
      { where: "src/[redacted].ts", line: 1, what: "a secret of ours in its name", own: true },
    ]);
  });
});

describe("a secret of anybody", () => {
  it.each<[string, string, string]>([
    ["a classic GitHub token", `ghp_${random(36)}`, "a GitHub token"],
    ["a token in UTF-16", Buffer.from(`ghp_${random(36)}`, "utf16le").toString(), "a GitHub token"],
    [
      "an AWS key id of letters that could be a word",
      "AKIAC5XLAE5MMUITKECP",
      "an AWS access key id",
    ],
    ["a Telegram token", `1234567890:AA${random(33)}`, "a Telegram token"],
    [
      "a Discord webhook",
      `https://discord.com/api/webhooks/123456789012345678/${random(68)}`,
      "a Discord webhook",
    ],
    ["a Discord token", `M${random(23)}.${random(6)}.${random(38)}`, "a Discord token"],
    ["a Mailgun key", `key-${hex(32)}`, "a token"],
    ["a token of Terraform", `${random(14)}.atlasv1.${random(64)}`, "a token"],
    ["an installation token of 2026", `ghs_123456_${jwt}`, "a GitHub token"],
    ["a fine-grained token", `github_pat_${random(22)}_${random(59)}`, "a GitHub token"],
    ["a token in the middle of a word", `xyzghp_${random(36)}`, "a GitHub token"],
    ["an OpenAI key", `sk-proj-${random(48)}1`, "an OpenAI key"],
    ["an Anthropic key", `sk-ant-api03-${random(95)}`, "an Anthropic key"],
    ["a Google key", `AIza${random(35)}`, "a Google API key"],
    ["an AWS key id", "AKIAZ5GMH2QLX7TPVD3N", "an AWS access key id"],
    ["an AWS secret", `aws_secret_access_key = ${random(39)}q`, "an AWS key"],
    ["a live Stripe key", `sk_live_${random(24)}`, "a Stripe key"],
    ["a Slack token", `xoxb-${"123456789012-210987654321"}-${random(24)}`, "a Slack token"],
    [
      "a Slack webhook",
      `https://hooks.slack.com/services/T0${random(8)}/B0${random(8)}/${random(24)}`,
      "a Slack webhook",
    ],
    ["an npm token", `npm_${random(36)}`, "an npm token"],
    ["a PyPI token", `pypi-AgEIcHlwaS5vcmc${random(120)}`, "a PyPI token"],
    ["a GitLab token", `glpat-${random(20)}`, "a GitLab token"],
    ["a JSON web token", jwt, "a JSON web token"],
    [
      "a connection string",
      `postgres://shop:${random(14)}@db.acme.dev:5432/shop`,
      "a password in a URL",
    ],
    ["a private key", keyPem("pkcs1"), "a private key"],
    ["a private key of the newer form", keyPem("pkcs8"), "a private key"],
    ["an elliptic key", ecPem, "a private key"],
    [
      "a private key in one line",
      `KEY="${keyPem("pkcs8").replaceAll("\n", "\\n")}"`,
      "a private key",
    ],
    [
      "a private key with spaces for line ends",
      keyPem("pkcs8").replaceAll("\n", " "),
      "a private key",
    ],
    ["a private key in JSON", JSON.stringify({ private_key: keyPem("pkcs8") }), "a private key"],
    ["a private key without its end", keyPem("pkcs1").slice(0, 800), "a private key"],
    [
      "a random value by name",
      `SESSION_SECRET=${random(32)}`,
      "a random value with the name of a secret",
    ],
    [
      "a random hex value by name",
      `const signingKey = "${hex(64)}";`,
      "a random value with the name of a secret",
    ],
    [
      "a random value in YAML",
      `  api_token: ${random(40)}`,
      "a random value with the name of a secret",
    ],
    ["a password", `db.password = "vK9!mQ2#xTp4"`, "a password"],
    ["a password in JSON", `{"password": "vK9!mQ2#xTp4"}`, "a password"],
  ])("is found: %s", async (_name, text, what) => {
    expect(await kinds(`a\n${text}\n`)).toContain(what);
    for (const finding of await scan(text)) {
      expect(finding.own).toBe(false);
      expect(JSON.stringify(finding)).not.toContain(text.slice(-12));
    }
  });

  it("whatever a comment beside it says", async () => {
    const token = `ghp_${random(36)}`;
    for (const text of [
      `/* secretlint-disable */\n${token}`,
      `# secretlint-disable-next-line\n${token}`,
      `${token} // secretlint-disable-line`,
      `<!-- secretlint-disable @secretlint/secretlint-rule-github -->\n${token} # gitleaks:allow # nosec # pragma: allowlist secret`,
    ]) {
      expect(await kinds(text)).toEqual(["a GitHub token"]);
    }
  });

  it("reads no file of this machine, whatever the name of the text", async () => {
    expect(await scan("x", "/etc/passwd.p12")).toEqual([]);
    expect(await scan("x", "../../../etc/hostname.json")).toEqual([]);
  });

  it("once for each line", async () => {
    const token = `ghp_${random(36)}`;
    const found = await scan(`${token} ${token}\n\n${token}`);
    expect(found.map(({ line }) => line)).toEqual([1, 3]);
  });
});

describe("ordinary work is not held up", () => {
  it.each<[string, string, string?]>([
    ["AWS's example id", "AKIAIOSFODNN7EXAMPLE"],
    ["AWS's example key", "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
    ["a placeholder token", "GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
    ["a token that counts", "ghp_0123456789abcdefghijABCDEFGHIJ012345"],
    ["a token to be filled in", 'token: "your-token-goes-here-12345"'],
    ["a variable", `PASSWORD=\${DB_PASSWORD_2024}`],
    ["a variable of the environment", "const apiKey = process.env.API_KEY_V2_PRODUCTION;"],
    ["a template", "password: {{ vault_db_password_2024 }}"],
    ["a call", 'const token = createToken("session", 3600);'],
    ["a message key", 'resetToken: "auth.reset-token.expired.v2"'],
    ["a sentence", 'secret: "The secret is that there are 2 of them"'],
    ["a short password of a test", 'password: "hunter2"'],
    ["a type", "password: string; token?: Promise<Token2>;"],
    ["a git sha", "commit = 0123456789abcdef0123456789abcdef01234567"],
    ["a sha in a lock file", `resolved "https://x.example/a#${hex(40)}"`, "yarn.lock"],
    ["an integrity", `"integrity": "sha512-${random(86)}=="`, "package-lock.json"],
    ["a checksum", `sha256 = "${hex(64)}"`, "Cargo.toml"],
    ["a UUID", 'token = "123e4567-e89b-12d3-a456-426614174000"'],
    ["a version", 'secret_version = "2024.10.11-rc.1234567"'],
    ["a fixture", `API_TOKEN=${random(32)}`, "test/fixtures/env.txt"],
    ["a test", `expect(sign({ secret: "${random(24)}" }))`, "src/sign.test.ts"],
    ["a URL with a common password", "postgres://postgres:postgres@db:5432/app"],
    ["a URL of documentation", "https://user:pa55w0rd@example.com/x"],
    ["a URL with a variable", `https://x-access-token:\${TOKEN}@github.com/acme/shop`],
    ["a header with a variable", `Authorization: Bearer \${token}", "Bearer <token>"`],
    [
      "the example of jwt.io",
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    ],
    ["the mention of a key", 'if (pem.startsWith("-----BEGIN RSA PRIVATE KEY-----")) return;'],
    ["a public key", `-----BEGIN PUBLIC KEY-----\n${random(300)}\n-----END PUBLIC KEY-----`],
    ["a certificate", `-----BEGIN CERTIFICATE-----\n${random(300)}\n-----END CERTIFICATE-----`],
    ["an image in a page", `<img src="data:image/png;base64,${random(400)}">`],
    ["a minified script", `!function(t,e){var a9=t.token,b8=e.secret;return a9==b8}(k7,l3);`],
    ["pieces of words of ours", "the key and the secret of the server"],
  ])("%s", async (_name, text, where) => {
    expect(await scan(text, where)).toEqual([]);
  });

  it("four megabytes take no noticeable time", { timeout: 20_000 }, async () => {
    const line = 'const token = await sign({ user: "ada", secret }, "1h"); // 0123456789\n';
    expect(await scan(line.repeat(Math.ceil(2 ** 22 / line.length)))).toEqual([]);
    for (const piece of [
      "x",
      "password=",
      "secret:'",
      "://a:b",
      "SG.x.aaaaaaaa",
      "eyJa.",
      "\\u00",
      "a1",
    ]) {
      await scan(piece.repeat(Math.ceil(2 ** 20 / piece.length)));
    }
  });
});
