import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readConfig } from "../src/config.ts";

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const cwd = mkdtempSync(path.join(tmpdir(), "draftsmith-config-"));
const complete = {
  APP_ID: "12",
  PRIVATE_KEY: privateKey,
  WEBHOOK_SECRET: "s3cret",
  OPENAI_API_KEY: "sk-1",
};

const read = (env: Record<string, string>, uid = 1000) => readConfig(env, cwd, uid);

describe("readConfig", () => {
  it("takes the documented variables", () => {
    const config = read({
      ...complete,
      HOST: "0.0.0.0",
      PORT: "8080",
      LOG_LEVEL: "warn",
      DATA_DIR: "state",
      GHE_HOST: "github.example.com",
      OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
      DRAFTSMITH_MODEL: "my-model",
      DRAFTSMITH_CONCURRENCY: "7",
      DRAFTSMITH_REPOSITORIES: "acme/shop, acme/tools.js\nother/*",
      DRAFTSMITH_JOBS_PER_PERSON: "5",
      DRAFTSMITH_JOBS_PER_REPOSITORY: "6",
      DRAFTSMITH_JOBS_PER_INSTALLATION: "7",
      DRAFTSMITH_COMMANDS_PER_HOUR: "8",
      DRAFTSMITH_NETWORK: "packages.example.org *.Example.NET",
    });
    expect(config).toMatchObject({
      credentials: { appId: 12, webhookSecret: "s3cret" },
      host: "0.0.0.0",
      port: 8080,
      logLevel: "warn",
      dataDir: path.join(cwd, "state"),
      apiUrl: "https://github.example.com/api/v3",
      webUrl: "https://github.example.com",
      openaiUrl: "http://127.0.0.1:1/v1",
      model: "my-model",
      concurrency: 7,
      repositories: ["acme/shop", "acme/tools.js", "other/*"],
      quotas: { person: 5, repository: 6, installation: 7, commandsPerHour: 8 },
      network: ["packages.example.org", "*.example.net"],
      sandboxUser: null,
    });
  });

  it("works for every repository, within quotas, unless the operator says otherwise", () => {
    expect(read(complete)).toMatchObject({
      repositories: null,
      network: null,
      quotas: { person: 30, repository: 100, installation: 300, commandsPerHour: 60 },
    });
  });

  it.each([
    "*",
    "*/*",
    "acme",
    "acme/",
    "https://github.com/acme/shop",
    "acme/shop;evil/*",
    " ",
    ",",
  ])("takes %j for no list of repositories", (list) => {
    expect(() => read({ ...complete, DRAFTSMITH_REPOSITORIES: list })).toThrow(
      /DRAFTSMITH_REPOSITORIES: must be a list such as/,
    );
  });

  it("takes none for no network, and refuses domains that anybody could have a name below", () => {
    expect(read({ ...complete, DRAFTSMITH_NETWORK: "none" }).network).toEqual([]);
    expect(() =>
      read({ ...complete, DRAFTSMITH_NETWORK: "a.example.org *.amazonaws.com 10.0.0.1" }),
    ).toThrow(
      /DRAFTSMITH_NETWORK: "\*\.amazonaws\.com" is too wide: .*"10\.0\.0\.1" is an address/,
    );
  });

  it.each(["0", "-1", "many", "1.5"])("takes %j for no quota", (text) => {
    expect(() => read({ ...complete, DRAFTSMITH_JOBS_PER_PERSON: text })).toThrow(
      /DRAFTSMITH_JOBS_PER_PERSON: must be a whole number/,
    );
  });

  it("talks to github.com without GHE_HOST and honours GHE_PROTOCOL", () => {
    expect(read(complete)).toMatchObject({
      apiUrl: "https://api.github.com",
      webUrl: "https://github.com",
    });
    expect(read({ ...complete, GHE_HOST: "127.0.0.1:3", GHE_PROTOCOL: "http" }).apiUrl).toBe(
      "http://127.0.0.1:3/api/v3",
    );
  });

  it("gives sandboxed commands a uid of their own when the server is root", () => {
    expect(read(complete, 0).sandboxUser).toEqual({ uid: 60801, gid: 60801 });
  });

  it("shows the set-up page without credentials, whatever else is missing", () => {
    expect(read({}).credentials).toBeNull();
  });

  it("takes a key with escaped newlines or in base64, and a model server without a key", () => {
    expect(
      read({ ...complete, PRIVATE_KEY: privateKey.replaceAll("\n", "\\n") }).credentials
        ?.privateKey,
    ).toContain("\n");
    expect(
      read({ ...complete, PRIVATE_KEY: Buffer.from(privateKey).toString("base64") }).credentials,
    ).not.toBeNull();
    const { OPENAI_API_KEY: _, ...keyless } = complete;
    expect(
      read({ ...keyless, OPENAI_BASE_URL: "http://127.0.0.1:11434/v1" }).openaiKey,
    ).toBeUndefined();
  });

  it.each([
    ["GHE_HOST", "gh.example.com:99999", "must be a host name"],
    ["GHE_HOST", "1.2.3.999", "must be a host name"],
    ["OPENAI_BASE_URL", "http://user:word@127.0.0.1:1/v1", "must be a URL such as"],
    ["OPENAI_BASE_URL", "https://models.example.com/v1?key=word", "must be a URL such as"],
    ["OPENAI_BASE_URL", "ftp://models.example.com", "must be a URL such as"],
    ["OPENAI_API_KEY", "word\n", "must be in plain ASCII, without spaces and line ends"],
    ["OPENAI_API_KEY", "wörd", "must be in plain ASCII, without spaces and line ends"],
    ["PORT", "99999999999999999999", "must be a port number"],
  ])("takes no %s of %j, and does not repeat it", (name, value, remedy) => {
    const wrong = () => read({ ...complete, [name]: value });
    expect(wrong).toThrow(`\n  ${name}: ${remedy}`);
    expect(wrong).not.toThrow(/word(?!,)|(PORT: .*\n.*){2}/);
  });

  it("refuses to serve without a webhook secret", () => {
    expect(() => read({ ...complete, WEBHOOK_SECRET: "" })).toThrow(/WEBHOOK_SECRET: is missing/);
  });

  it("names every wrong variable with its remedy, all at once", () => {
    const wrong = () =>
      read({
        APP_ID: "abc",
        PRIVATE_KEY: "-----BEGIN RSA PRIVATE KEY-----\nno\n-----END RSA PRIVATE KEY-----",
        PORT: "99999",
        LOG_LEVEL: "loud",
        GHE_HOST: "https://github.example.com/",
        OPENAI_BASE_URL: "models",
        DRAFTSMITH_CONCURRENCY: "0",
        DRAFTSMITH_CONCURENCY: "3",
      });
    for (const name of [
      "APP_ID",
      "PRIVATE_KEY",
      "WEBHOOK_SECRET",
      "PORT",
      "LOG_LEVEL",
      "GHE_HOST",
      "OPENAI_BASE_URL",
      "DRAFTSMITH_CONCURRENCY",
      "DRAFTSMITH_CONCURENCY",
    ]) {
      expect(wrong).toThrow(new RegExp(`^ {2}${name}: `, "m"));
    }
  });

  it("leaves our own packages out of the PATH of the sandbox", () => {
    const config = read({
      ...complete,
      PATH: "/x/node_modules/.bin:/usr/lib/node_modules/npm/bin/node-gyp-bin:/usr/bin:.:/usr/bin",
    });
    expect(config.toolPath).toBe("/usr/bin");
  });

  it("counts the proxies in front, and takes the webhook secret before this one", () => {
    expect(read(complete)).toMatchObject({
      trustProxy: 0,
      credentials: { oldWebhookSecret: null },
    });
    const rotating = { ...complete, WEBHOOK_SECRET_OLD: "before", DRAFTSMITH_TRUST_PROXY: "2" };
    expect(read(rotating)).toMatchObject({
      trustProxy: 2,
      credentials: { webhookSecret: "s3cret", oldWebhookSecret: "before" },
    });
    for (const wrong of ["true", "-1", "11"]) {
      const odd = { ...complete, DRAFTSMITH_TRUST_PROXY: wrong };
      expect(() => read(odd)).toThrow(/DRAFTSMITH_TRUST_PROXY: must be the number of reverse/);
    }
  });

  it("names the page that registers Apps, of a person, an organisation or an own host", () => {
    expect(read({}).registerUrl).toBe("https://github.com/settings/apps/new");
    expect(read({ GH_ORG: "acme", GHE_HOST: "ghe.example" }).registerUrl).toBe(
      "https://ghe.example/organizations/acme/settings/apps/new",
    );
    expect(() => read({ GH_ORG: "acme/../x" })).toThrow(/GH_ORG: must be the name of an org/);
  });

  it("shows no set-up page in production", () => {
    expect(() => read({ NODE_ENV: "production" })).toThrow(/APP_ID: is missing; .*NODE_ENV/);
    expect(read({ ...complete, NODE_ENV: "production" }).credentials).not.toBeNull();
  });

  it("warns of files with secrets that others may read, and of a short webhook secret", () => {
    const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-config-"));
    const key = path.join(dir, "app.private-key.pem");
    writeFileSync(key, privateKey);
    chmodSync(key, 0o644);
    writeFileSync(path.join(dir, ".env"), "");
    chmodSync(path.join(dir, ".env"), 0o640);
    const { PRIVATE_KEY: _, ...rest } = { ...complete, WEBHOOK_SECRET: "0123456789abcdef" };
    const warned = (env: Record<string, string>) => readConfig(env, dir, 1000).warnings;
    const open = (file: string, mode: string) =>
      `${file} holds secrets and is open to others (mode ${mode}); run: chmod 600 ${file}`;
    const env = path.join(dir, ".env");
    expect(warned(rest)).toEqual([open(key, "644"), open(env, "640")]);
    expect(warned({ ...rest, PRIVATE_KEY_PATH: "app.private-key.pem" })).toHaveLength(2);
    expect(warned({ ...rest, PRIVATE_KEY: privateKey })).toEqual([open(env, "640")]);
    chmodSync(key, 0o600);
    chmodSync(env, 0o600);
    expect(warned(rest)).toEqual([]);
    expect(warned({ ...rest, WEBHOOK_SECRET: "short" })).toEqual([
      "WEBHOOK_SECRET is short; set a random one of 32 characters here and on the App's settings page",
    ]);
  });
});
