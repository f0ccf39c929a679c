import { createHash, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createKnownSecrets } from "../../src/core/known-secrets.ts";

/** The same bytes in every run, as random as they come. */
function randomBytes(count: number, seed = ""): Buffer {
  return createHash("shake256", { outputLength: count }).update(`${count} ${seed}`).digest();
}

const pem = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;
const otherPem = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;
const key = "sk-Vq7/ZpB2+xT9nL4_rKw8Hd6-Yc3JmF5a";
const human = "webhook-s3cret of Ada & Eve, 2 ponies";
const token = `ghs_123456_eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.${randomBytes(90).toString("base64url")}.${randomBytes(180).toString("base64url")}`;

const find = createKnownSecrets(() => [pem, human, key, token]);
const bytesOf = (text: string) => [...Buffer.from(text)];
const hexOf = (text: string) => Buffer.from(text).toString("hex");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const rot13 = (text: string) =>
  text.replace(/[a-z]/gi, (letter) => {
    const base = letter <= "Z" ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });
const base32 = (text: string) => {
  const bits = bytesOf(text)
    .map((byte) => byte.toString(2).padStart(8, "0"))
    .join("");
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five, 2)])
    .join("");
};

/** The share of a text that was found. */
function share(text: string): number {
  return find(text).reduce((sum, { from, to }) => sum + to - from, 0) / text.length;
}

const SPELLINGS: [string, (secret: string) => string][] = [
  ["as it is", (secret) => secret],
  ["in JSON", (secret) => JSON.stringify(secret).slice(1, -1)],
  ["in JSON in JSON", (secret) => JSON.stringify(JSON.stringify(secret))],
  ["in a URL", encodeURIComponent],
  ["in a URL in a URL", (secret) => encodeURIComponent(encodeURIComponent(secret))],
  ["percent by percent", (secret) => hexOf(secret).replace(/../g, "%$&")],
  ["in HTML", (secret) => secret.replaceAll("&", "&amp;").replaceAll("+", "&#43;")],
  [
    "in decimal entities",
    (secret) =>
      bytesOf(secret)
        .map((byte) => `&#${byte};`)
        .join(""),
  ],
  ["in hex entities", (secret) => hexOf(secret).replace(/../g, "&#x$&;")],
  ["in \\u escapes", (secret) => hexOf(secret).replace(/../g, "\\u00$&")],
  ["in \\u{} escapes", (secret) => hexOf(secret).replace(/../g, "\\u{$&}")],
  ["in \\x escapes", (secret) => hexOf(secret).replace(/../g, "\\x$&")],
  ["in \\x escapes in JSON", (secret) => hexOf(secret).replace(/../g, "\\\\x$&")],
  [
    "in octal escapes",
    (secret) =>
      bytesOf(secret)
        .map((byte) => `\\${byte.toString(8).padStart(3, "0")}`)
        .join(""),
  ],
  ["in base64", base64],
  ["in base64 one byte in", (secret) => base64(`:${secret}`)],
  ["in base64 two bytes in", (secret) => base64(`::${secret}`)],
  ["in base64url", (secret) => Buffer.from(secret).toString("base64url")],
  ["in base64 wrapped", (secret) => base64(secret).replace(/.{20}/g, "$&\n    ")],
  ["in base64 of base64", (secret) => base64(base64(secret))],
  ["in base64 of hex", (secret) => base64(hexOf(secret))],
  ["in base64 of UTF-16", (secret) => Buffer.from(secret, "utf16le").toString("base64")],
  ["in base32", base32],
  ["in hex", hexOf],
  ["in capital hex", (secret) => hexOf(secret).toUpperCase()],
  ["in hex behind a letter", (secret) => `a${hexOf(secret)}`],
  ["in hex of base64", (secret) => hexOf(base64(secret))],
  ["in hex with colons", (secret) => hexOf(secret).replace(/..(?=.)/g, "$&:")],
  [
    "in hex as xxd prints it",
    (secret) => hexOf(secret).replace(/.{4}/g, "$& ").replace(/.{40}/g, "$&\n"),
  ],
  ["as a list of bytes", (secret) => JSON.stringify(bytesOf(secret))],
  ["as a list of bytes, one a line", (secret) => JSON.stringify(bytesOf(secret), null, 4)],
  ["as a list of hex bytes", (secret) => hexOf(secret).replace(/../g, "0x$&, ")],
  ["reversed", (secret) => [...secret].reverse().join("")],
  ["reversed in base64", (secret) => base64([...secret].reverse().join(""))],
  ["in ROT13", rot13],
  ["in capitals", (secret) => secret.toUpperCase()],
  ["in small letters", (secret) => secret.toLowerCase()],
  ["with spaces between", (secret) => [...secret].join(" ")],
  ["with zero-width spaces between", (secret) => [...secret].join("\u200b")],
  ["with line ends between", (secret) => secret.replace(/.{5}/g, "$&\n")],
  ["with escaped line ends between", (secret) => secret.replace(/.{5}/g, "$&\\n")],
  ["with colours between", (secret) => secret.replace(/.{5}/g, "$&\u001b[31;1m")],
  ["with escaped colours between", (secret) => secret.replace(/.{5}/g, "$&\\u001b[0m")],
  ["put together", (secret) => secret.replace(/.{5}/g, '$&" + "')],
  ["put together over lines", (secret) => secret.replace(/.{5}/g, "$&' .\n      '")],
  ["as a list of letters", (secret) => JSON.stringify([...secret])],
  ["struck through", (secret) => [...secret].join("\u0336")],
  [
    "in full width",
    (secret) =>
      secret.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0)),
  ],
];

describe("a secret of ours is found", () => {
  describe.each(SPELLINGS)("%s", (_name, spell) => {
    it.each([
      ["a key", key],
      ["an installation token", token],
      ["a private key", pem],
      ["one a person made up", human],
    ])("%s", (_what, secret) => {
      const spelt = spell(secret);
      expect(share(spelt)).toBeGreaterThan(0.8);
      const around = `It says: «${spelt}» and more.`;
      const [first, ...rest] = find(around);
      expect(first?.from).toBeGreaterThanOrEqual(10);
      expect(rest.at(-1)?.to ?? first?.to).toBeLessThanOrEqual(around.length - 11);
    });
  });

  it("in pieces of eight characters, wherever they were cut", () => {
    const random = `${randomBytes(48).toString("base64url")}`;
    const look = createKnownSecrets(() => [random, key, token]);
    for (const secret of [random, key.slice(3), token.slice(60)]) {
      const pieces = Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8));
      const missed = pieces.filter((piece) => look(`see ${piece}!`).length === 0);
      // A piece may happen to look like a word.
      expect(missed.length, missed.join(" ")).toBeLessThanOrEqual(pieces.length / 25);
    }
  });

  it("in pieces of eight bytes of base64 and hex", () => {
    for (const at of [5, 6, 7, 8, 9, 10]) {
      const piece = key.slice(at, at + 8);
      for (const text of [base64(piece), base64(`.${piece}`), base64(`..${piece}`), hexOf(piece)]) {
        expect(find(`see ${text}!`), text).not.toEqual([]);
      }
    }
  });

  it("when it was learnt later, and no longer when it was forgotten", () => {
    const held = ["Xk29-fLq8-77bz"];
    const look = createKnownSecrets(() => held);
    expect(look("Xk29-fLq8-77bz, Wm41-pPo3-19vv")).toEqual([{ from: 0, to: 14 }]);
    held.push("Wm41-pPo3-19vv");
    expect(look("Xk29-fLq8-77bz, Wm41-pPo3-19vv")).toHaveLength(2);
    held.shift();
    expect(look("Xk29-fLq8-77bz, Wm41-pPo3-19vv")).toEqual([{ from: 16, to: 30 }]);
  });

  it("across the parts in which a large text is read", () => {
    for (const at of [0x40000 - 300, 0x40000 - 20, 0x40000 - 8, 0x40000 - 1, 0x40000]) {
      const text = `${".".repeat(at)}${key}${".".repeat(1000)}`;
      expect(find(text)).toEqual([{ from: at, to: at + key.length }]);
    }
  });
});

describe("ordinary text is none of it", () => {
  const wordy = [
    "webhook-secret-of-the-test",
    "correct horse battery staple",
    "sk-model-key-0123456789",
  ];
  const look = createKnownSecrets(() => [...wordy, pem, token]);

  it.each([
    "The webhook answers with a secret of the test; see test/webhook-secret.test.ts",
    "a correct battery for the horse",
    "state-of-the-art models, model-key pairs, 0123456789, 123456789",
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhY21lIiwiaWF0IjoxNjAwMDAwMDAwfQ",
    "-----BEGIN RSA PRIVATE KEY-----",
    "const alphabet = 'abcdefghijklmnopqrstuvwxyz';",
    "ghs_ and ghp_ begin tokens of GitHub",
  ])("%s", (text) => {
    expect(look(text)).toEqual([]);
  });

  it("nor is a key of somebody else", () => {
    expect(look(otherPem)).toEqual([]);
    expect(look(base64(otherPem))).toEqual([]);
  });

  it("nor a megabyte of random text beside 200 tokens", () => {
    const tokens = Array.from({ length: 200 }, (_, at) =>
      randomBytes(390, `token ${at}`).toString("base64url"),
    );
    const among = createKnownSecrets(() => tokens);
    expect(among(randomBytes(2 ** 19).toString("base64"))).toEqual([]);
    expect(among(randomBytes(2 ** 19).toString("hex"))).toEqual([]);
  });

  it("but the whole value counts, however ordinary it is", () => {
    expect(look("it is webhook-secret-of-the-test!")).toEqual([{ from: 6, to: 32 }]);
    expect(createKnownSecrets(() => ["password"])("a password b")).toEqual([{ from: 2, to: 10 }]);
    expect(createKnownSecrets(() => ["short"])("a short b")).toEqual([]);
  });
});
