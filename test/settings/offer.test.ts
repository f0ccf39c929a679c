import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openModels } from "../../src/compose/models.ts";
import { readConfig } from "../../src/config.ts";
import { createRedactor } from "../../src/core/redact.ts";
import { createSecrets } from "../../src/settings/secrets.ts";
import { rsaKey } from "../support/rsa-key.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "offer-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const SERVER = { APP_ID: "12", PRIVATE_KEY: rsaKey, WEBHOOK_SECRET: "s3cret-s3cret-s3cret-s3cret" };

/** The settings with this draftsmith.yml. */
function read(yaml: string | null, env: Record<string, string> = {}, args: string[] = []) {
  if (yaml !== null) writeFileSync(path.join(dir, "draftsmith.yml"), yaml);
  return readConfig({ ...SERVER, ...env }, dir, 1000, args);
}

/** The lines of what a start would say. */
function problems(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    return error instanceof Error ? error.message.split("\n  ").slice(1) : ["?"];
  }
}

const TWO = `providers:
  - id: openai
    key: OPENAI_API_KEY
  - id: house
    base_url: http://models.example.com:8000/v1
    key: HOUSE_KEY
    headers: {X-Team: shop, X-Key: {env: HOUSE_HEADER}}
    concurrency: 4
    requests_per_minute: 60
    tokens_per_minute: 100000
models:
  - {name: gpt-5.1, provider: openai}
  - {name: big, provider: openai, id: gpt-5.1-codex, price: {input: 1, output: 8}}
  - {name: house, provider: house, id: qwen3-coder, unpriced: true, context_window: 64000, max_output: 8000, efforts: [low]}
default: {model: house}
routes:
  - {match: {labels: hard}, use: {model: big, effort: high, fallback: [house/house]}}
budgets: {job: 1, repository_day: none}
`;
const KEYS = { OPENAI_API_KEY: "sk-1", HOUSE_KEY: "house-key-1", HOUSE_HEADER: "house-header-1" };

describe("draftsmith.yml", () => {
  it("names providers, models, rules and budgets", () => {
    const config = read(TWO, KEYS);
    expect(config.model).toBe("house");
    expect(config.offer.providers).toEqual([
      {
        id: "openai",
        baseUrl: null,
        key: "sk-1",
        api: "responses",
        headers: {},
        concurrency: null,
        requestsPerMinute: null,
        tokensPerMinute: null,
        // What an operator is told to mend.
        settings: {
          key: "OPENAI_API_KEY",
          baseURL: "`base_url` of openai in draftsmith.yml",
          model: "`models` in draftsmith.yml",
        },
      },
      {
        id: "house",
        baseUrl: "http://models.example.com:8000/v1",
        key: "house-key-1",
        api: "chat",
        headers: { "X-Team": "shop", "X-Key": "house-header-1" },
        concurrency: 4,
        requestsPerMinute: 60,
        tokensPerMinute: 100_000,
        settings: {
          key: "HOUSE_KEY",
          baseURL: "`base_url` of house in draftsmith.yml",
          model: "`models` in draftsmith.yml",
        },
      },
    ]);
    expect(config.offer.budgets).toEqual({ job: 1, repository_day: "none" });
    expect(config.offer.routes).toHaveLength(1);
    const { resolve } = openModels(config.offer);
    expect(resolve("house/house")).toEqual({
      ok: true,
      profile: {
        name: "house",
        provider: "house",
        id: "qwen3-coder",
        contextWindow: 64_000,
        maxOutput: 8_000,
        price: "unpriced",
        editTool: "edit",
        efforts: ["low"],
      },
    });
    expect(resolve("big")).toMatchObject({
      profile: {
        id: "gpt-5.1-codex",
        price: { input: 1, cached: 1, output: 8 },
        editTool: "apply_patch",
        contextWindow: 400_000,
      },
    });
    expect(resolve("bgi")).toEqual({
      ok: false,
      problem:
        "there is no model `bgi`; did you mean `big`? The models here: `gpt-5.1`, `big`, `house`",
    });
    // Each of the two is a model of one provider.
    expect(resolve("house/big")).toMatchObject({ ok: false });
  });

  it("takes a name that holds a slash as it stands, before it reads a provider in it", () => {
    const { offer } = read(`providers: [{id: openai}, {id: router}]
models:
  - {name: gpt-5, provider: openai, unpriced: true}
  - {name: openai/gpt-5, provider: router, unpriced: true}
default: {model: gpt-5}
`);
    const { resolve } = openModels(offer);
    const providerOf = (name: string) => {
      const found = resolve(name);
      return found.ok ? [found.profile.provider, found.profile.name] : found.problem;
    };
    expect(providerOf("openai/gpt-5")).toEqual(["router", "openai/gpt-5"]);
    expect(providerOf("router/openai/gpt-5")).toEqual(["router", "openai/gpt-5"]);
    expect(providerOf("gpt-5")).toEqual(["openai", "gpt-5"]);
    expect(providerOf("router/gpt-5")).toMatch(/^there is no model `router\/gpt-5`; did you mean/);
  });

  it("keeps its keys out of every text", () => {
    const config = read(TWO, KEYS);
    const { credentials } = config;
    if (credentials === null) throw new Error("no credentials");
    const { secrets } = createSecrets({ ...config, credentials });
    expect(secrets()).toEqual(expect.arrayContaining(Object.values(KEYS)));
    expect(config.modelSecrets.map(({ variable }) => variable).sort()).toEqual(
      Object.keys(KEYS).sort(),
    );
  });

  it("needs no keys where no model is asked", () => {
    const config = read(TWO, { DATABASE_URL: "postgres://u:p@127.0.0.1:1/d" }, ["web"]);
    expect(config.modelSecrets).toEqual([]);
    expect(openModels(config.offer).resolve("house")).toMatchObject({ ok: true });
  });

  it("lies where DRAFTSMITH_CONFIG says", () => {
    writeFileSync(path.join(dir, "other.yml"), "default: {model: gpt-5-mini}");
    const env = { OPENAI_API_KEY: "k", DRAFTSMITH_CONFIG: "other.yml" };
    expect(read(null, env).model).toBe("gpt-5-mini");
    expect(problems(() => read(null, { ...env, DRAFTSMITH_CONFIG: "none.yml" }))).toEqual([
      expect.stringMatching(/^DRAFTSMITH_CONFIG: none\.yml cannot be read \(ENOENT/),
    ]);
  });

  it("tells all mistakes at once, on their lines, and no key that stands in it", () => {
    const yaml = `providers:
  - id: Open AI
    base_url: https://user:pw@models.example.com/v1?x=1
    key: sk-proj-not-a-name
    api: completions
    headers: {Authorization: Bearer abc, X-Ok: {env: lower}, "bad name": x}
    concurrency: 0
models:
  - {name: a, price: {input: 1}, unpriced: true}
  - {name: b c, edit_tool: sed, context_window: 1e99}
budgets: {job: 0, command: .nan, call: .inf, person_day: 1e99, month: 2}
route: []
`;
    const told = problems(() => read(yaml));
    expect(told).toMatchInlineSnapshot(`
      [
        "draftsmith.yml:2: \`id\` in entry 1 of \`providers\` must be a short name: lower-case letters, digits, \`.\`, \`_\`, \`-\`, at most 64",
        "draftsmith.yml:3: \`base_url\` in entry 1 of \`providers\` must be a URL such as https://models.example.com/v1, without user name, password, ? and #",
        "draftsmith.yml:4: \`key\` in entry 1 of \`providers\` must be the name of an environment variable that holds the key, such as \`ACME_KEY\`; a key itself may not stand in this file",
        "draftsmith.yml:5: \`api\` in entry 1 of \`providers\` must be \`chat\` or \`responses\`",
        "draftsmith.yml:6: \`headers.X-Ok.env\` in entry 1 of \`providers\` must be the name of an environment variable that holds the key, such as \`ACME_KEY\`; a key itself may not stand in this file",
        "draftsmith.yml:6: \`headers.bad name\` in entry 1 of \`providers\` is no name of a header; use letters, digits and hyphens",
        "draftsmith.yml:6: \`headers.Authorization\` in entry 1 of \`providers\` seems to be a secret, which may not stand in this file; write \`{env: NAME}\`",
        "draftsmith.yml:7: \`concurrency\` in entry 1 of \`providers\` must be at least 1, not 0; raise it",
        "draftsmith.yml:9: \`price.output\` in entry 1 of \`models\` is missing; fill it in",
        "draftsmith.yml:9: \`unpriced\` in entry 1 of \`models\` contradicts \`price\`; keep one of them",
        "draftsmith.yml:10: \`name\` in entry 2 of \`models\` must be the name of a model: printable ASCII without spaces",
        "draftsmith.yml:10: \`context_window\` in entry 2 of \`models\` must be at most 100,000,000, not 1e+99; lower it",
        "draftsmith.yml:10: \`edit_tool\` in entry 2 of \`models\` must be \`edit\` or \`apply_patch\`",
        "draftsmith.yml:11: \`budgets.call\` must be dollars from 0.01 to 1,000,000, such as 2.5, or \`none\` for no bound",
        "draftsmith.yml:11: \`budgets.job\` must be at least 0.01, not 0; raise it",
        "draftsmith.yml:11: \`budgets.command\` must be dollars from 0.01 to 1,000,000, such as 2.5, or \`none\` for no bound",
        "draftsmith.yml:11: \`budgets.person_day\` must be at most 1,000,000, not 1e+99; lower it",
        "draftsmith.yml:11: unknown key \`month\` in \`budgets\`; known here: \`call\`, \`job\`, \`command\`, \`person_day\`, \`repository_day\`, \`repository_month\`, \`installation_month\`, \`operator_month\`",
        "draftsmith.yml:12: unknown key \`route\`; did you mean \`routes\`?",
      ]
    `);
    expect(told.join()).not.toMatch(/sk-proj|Bearer abc|pw@/);
  });

  it("tells what does not fit together", () => {
    const yaml = `providers:
  - {id: a, key: PRIVATE_KEY}
  - {id: a, key: MISSING}
models:
  - {name: m, provider: b}
  - {name: m}
`;
    expect(problems(() => read(yaml))).toMatchInlineSnapshot(`
      [
        "draftsmith.yml:2: names PRIVATE_KEY, which is another secret of this server; use a variable of its own",
        "draftsmith.yml:3: there is another provider \`a\`; give it another id",
        "draftsmith.yml:3: names the variable MISSING, which is not set; set it, or leave this line out",
        "draftsmith.yml:4: \`models\` is a list without \`gpt-5.1\`, so \`default\` has to say which one jobs use that no rule chooses for; add \`default: {model: m}\`",
        "draftsmith.yml:5: there is no provider \`b\`; there are: a",
        "draftsmith.yml:6: there is another model \`m\`; give it another name, and its provider's name for it as \`id\`",
      ]
    `);
    expect(problems(() => read("providers: [{id: a}, {id: b}]"))).toEqual([
      "draftsmith.yml:1: there are several providers, so `models` has to list which model is whose; add it",
    ]);
  });

  it("tells what the catalogue does not know beside it, in the order of lines", () => {
    const yaml = `providers:
  - {id: a, base_url: "http://localhost:8000/v1"}
  - {id: b, base_url: "http://localhost:8001/v1"}
models:
  - {name: m, provider: b, unpriced: true}
  - {name: unk, provider: c, unpriced: true}
  - {name: foo, provider: a}
routes:
  - {use: {model: zz, fallback: [unk]}}
  - {use: {model: m, effort: high}}
default: {model: m}
budgets: {job: 1}
`;
    const told = problems(() => read(yaml));
    expect(told).toEqual([
      expect.stringMatching(/^draftsmith\.yml:6: there is no provider `c`; there are: a, b$/),
      expect.stringMatching(/^draftsmith\.yml:7: nobody knows what the model `a\/foo` costs/),
      expect.stringMatching(/^draftsmith\.yml:9: there is no model `zz`/),
      expect.stringMatching(
        /^draftsmith\.yml:10: the model `m` does not take the effort `high`; it takes none; leave/,
      ),
    ]);
    expect(told.join()).not.toContain("operator");
  });

  it("names `default` where a list of models has none, and no variable that nobody set", () => {
    const env = { OPENAI_API_KEY: "k" };
    const { offer } = read("models: [{name: gpt-5-mini}, {name: gpt-5-nano}]", env);
    expect(problems(() => openModels(offer))).toEqual([
      "draftsmith.yml:1: `models` is a list without `gpt-5.1`, so `default` has to say which one jobs use that no rule chooses for; add `default: {model: gpt-5-mini}`",
    ]);
    const set = read("models: [{name: gpt-5-mini}]", { ...env, DRAFTSMITH_MODEL: "gpt-5-mnii" });
    expect(problems(() => openModels(set.offer))).toEqual([
      expect.stringMatching(/^DRAFTSMITH_MODEL: there is no model `gpt-5-mnii`; did you mean/),
    ]);
  });

  it.each(["chat/completions", "responses", "responses/"])(
    "refuses a base_url that ends in /%s",
    (end) => {
      const url = `http://localhost:8000/v1/${end}`;
      const remedy = /must end before `\/chat\/completions`, .* mostly in `\/v1`$/;
      const yaml = `providers: [{id: d, base_url: "${url}"}]`;
      expect(problems(() => read(yaml))).toEqual([expect.stringMatching(remedy)]);
      rmSync(path.join(dir, "draftsmith.yml"));
      const env = { OPENAI_BASE_URL: url };
      expect(problems(() => read(null, env))).toEqual([expect.stringMatching(remedy)]);
    },
  );

  it("shows examples that no redactor takes for a password", () => {
    const redact = createRedactor(() => []);
    for (const told of [
      ...problems(() => read(null, { OPENAI_API_KEY: "k" }, ["web"])),
      ...problems(() => read(null, { OPENAI_API_KEY: "k", DATABASE_URL: "mysql://x" })),
    ]) {
      expect(redact(told)).toBe(told);
      expect(told).toContain("postgres://user");
    }
  });

  it("refuses at the start what could not be used, with its place", () => {
    const yaml = `models:
  - {name: gpt-5-mini}
  - {name: gpt-5-foo}
default: {model: gpt-5-mini, effort: huge}
routes:
  - use: {model: gpt-5-mnii}
  - use: {model: gpt-5-mini, fallback: [{model: gpt-5-mini, effort: xx}]}
    escalate: {model: nobody}
`;
    const { offer } = read(yaml, { OPENAI_API_KEY: "k" });
    expect(problems(() => openModels(offer))).toMatchInlineSnapshot(`
      [
        "draftsmith.yml:3: nobody knows what the model \`default/gpt-5-foo\` costs, so it is not used; give its \`price\` in the server's \`draftsmith.yml\`, or \`unpriced: true\`",
        "draftsmith.yml:4: the model \`gpt-5-mini\` does not take the effort \`huge\`; it takes \`minimal\`, \`low\`, \`medium\`, \`high\`",
        "draftsmith.yml:6: there is no model \`gpt-5-mnii\`; did you mean \`gpt-5-mini\`? The models here: \`gpt-5-mini\`, \`gpt-5-foo\`",
        "draftsmith.yml:7: the model \`gpt-5-mini\` does not take the effort \`xx\`; it takes \`minimal\`, \`low\`, \`medium\`, \`high\`",
        "draftsmith.yml:8: there is no model \`nobody\`. The models here: \`gpt-5-mini\`, \`gpt-5-foo\`",
      ]
    `);
  });

  it.each([
    ["a bomb of aliases", "a: &a [x, x]\nb: *a", /^draftsmith\.yml:\d+: anchors/],
    ["no mapping", "- a\n", /^draftsmith\.yml:1: the file must hold keys/],
    ["a huge file", `# ${"x".repeat(70_000)}`, /^draftsmith\.yml:1: the file is larger than 64 kB/],
  ])("is refused: %s", (_what, yaml, told) => {
    expect(problems(() => read(yaml, { OPENAI_API_KEY: "k" }))[0]).toMatch(told);
  });

  it("says which settings have no effect beside it", () => {
    const idle = { OPENAI_API: "chat", DRAFTSMITH_MODEL: "x", DRAFTSMITH_PRICES: "1/1/1" };
    const env = { ...KEYS, OPENAI_BASE_URL: "http://127.0.0.1:1/v1", ...idle };
    const warnings = read(TWO, env).warnings.join("\n");
    expect(warnings).toMatch(/OPENAI_BASE_URL and OPENAI_API have no effect, .*; remove them/);
    expect(warnings).toMatch(/DRAFTSMITH_PRICES has no effect, .*; remove it/);
    expect(warnings).toMatch(/DRAFTSMITH_MODEL has no effect/);
  });
});

describe("without draftsmith.yml", () => {
  const open = (env: Record<string, string>) => openModels(read(null, env).offer);

  it("there is one provider, of which any model at a known price may be used", () => {
    const { offer, resolve } = open({ OPENAI_API_KEY: "sk-1" });
    expect(offer.providers).toMatchObject([
      { id: "default", baseUrl: null, key: "sk-1", api: "responses" },
    ]);
    expect(resolve("gpt-5-mini")).toMatchObject({ profile: { provider: "default" } });
    expect(resolve("default/gpt-5-mini")).toMatchObject({ profile: { id: "gpt-5-mini" } });
    expect(resolve("gpt-5-foo")).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^nobody knows what the model `gpt-5-foo` costs/),
    });
  });

  it.each<[Record<string, string>, string]>([
    [{ OPENAI_API_KEY: "k" }, "responses"],
    [{ OPENAI_BASE_URL: "https://api.openai.com/v1" }, "responses"],
    [{ OPENAI_BASE_URL: "http://127.0.0.1:1/v1" }, "chat"],
    [{ OPENAI_API_KEY: "k", OPENAI_API: "chat" }, "chat"],
    [{ OPENAI_BASE_URL: "http://127.0.0.1:1/v1", OPENAI_API: "responses" }, "responses"],
  ])("%j speaks %s", (env, api) => {
    expect(read(null, env).offer.providers[0]?.api).toBe(api);
  });

  it("a default model of no known price stops the start, and both remedies let it", () => {
    const env = { OPENAI_BASE_URL: "http://127.0.0.1:1/v1", DRAFTSMITH_MODEL: "qwen3:8b" };
    expect(problems(() => open(env))).toEqual([
      "DRAFTSMITH_MODEL: nobody knows what the model `qwen3:8b` costs, so it is not used; set `DRAFTSMITH_PRICES` to its dollars per million tokens as input/cached/output, such as `1.25/0.125/10`, or to `unpriced`",
    ]);
    expect(open({ ...env, DRAFTSMITH_PRICES: "0.5/0.05/2" }).resolve("qwen3:8b")).toMatchObject({
      profile: {
        price: { input: 0.5, cached: 0.05, output: 2 },
        contextWindow: 128_000,
        maxOutput: 16_384,
      },
    });
    const written = open({ ...env, DRAFTSMITH_PRICES: "3/0.3/15/3.75" }).resolve("qwen3:8b");
    expect(written).toMatchObject({
      profile: { price: { input: 3, cached: 0.3, output: 15, cacheWrite: 3.75 } },
    });
    const { resolve } = open({ ...env, DRAFTSMITH_PRICES: "unpriced" });
    expect(resolve("qwen3:8b")).toMatchObject({ profile: { price: "unpriced" } });
    // Of that model, not of whatever a person names.
    expect(resolve("another")).toMatchObject({ ok: false });
  });

  it.each(["1.25", "1/2", "1/2/3/4/5", "-1/0/1", "1e9/1/1", "NaN/1/1", "999999/1/1", "free"])(
    "%s is no price",
    (DRAFTSMITH_PRICES) => {
      expect(problems(() => read(null, { OPENAI_API_KEY: "k", DRAFTSMITH_PRICES }))).toEqual([
        expect.stringMatching(/^DRAFTSMITH_PRICES: must be dollars per million tokens/),
      ]);
    },
  );
});
