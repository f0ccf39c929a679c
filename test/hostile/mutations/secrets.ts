import type { Edit, Mutation } from "./mutation.ts";

const KNOWN = "src/core/known-secrets.ts";
const DECODE = "src/core/secret-decode.ts";
const FORMS = "src/core/secret-forms.ts";
const SCANNER = "src/adapters/secret-scanner.ts";
const INSPECT = "src/jobs/inspect.ts";

const edit = (file: string, find: string, replace = ""): Edit => ({ file, find, replace });

const OPENS_NOTHING = edit(
  KNOWN,
  "const inner = depth < MAX_DEPTH ? decoded(seen) : null;",
  "const inner = depth < 0 ? decoded(seen) : null;",
);
const NO_WORDS = edit(
  INSPECT,
  "for (const text of new Set(words)) {",
  "for (const text of new Set(words.slice(words.length))) {",
);
const NO_CLAIMS = edit(SCANNER, "...(madeUp ? [] : claimedSecrets(text)),");

const mutations: Mutation[] = [
  {
    attack: "secrets-01",
    defence: "base64 is known at every offset, and opened",
    edits: [
      edit(
        FORMS,
        "for (const offset of [0, 1, 2]) squeezed",
        "for (const offset of [0].slice(1)) squeezed",
      ),
      OPENS_NOTHING,
    ],
  },
  {
    attack: "secrets-02",
    defence: "bytes in hex are read",
    ...edit(DECODE, "    pushHex(hex, view, at, end);\n"),
  },
  {
    attack: "secrets-03",
    defence: "lists of numbers are read as bytes",
    ...edit(DECODE, "    pushDecimal(decimal, view, at, end);\n"),
  },
  {
    attack: "secrets-04",
    defence: "secrets are known backwards",
    ...edit(FORMS, "form(reversed(plain), Uint8Array", "form(plain, Uint8Array"),
  },
  {
    attack: "secrets-05",
    defence: "what stands between letters and digits does not matter",
    ...edit(KNOWN, "    ...found(letters, tables.squeezed),\n"),
  },
  {
    attack: "secrets-06",
    defence: "eight characters count",
    ...edit("src/core/secret-strength.ts", "MIN_PIECE = 8;", "MIN_PIECE = 16;"),
  },
  {
    attack: "secrets-07",
    defence: "letters of other widths are plain ones",
    ...edit(
      "src/core/secret-view.ts",
      "if (OTHER_FACE.test(sign)) {",
      'if (OTHER_FACE.test("")) {',
    ),
  },
  {
    attack: "secrets-08",
    defence: "an encoding inside another is opened",
    ...OPENS_NOTHING,
  },
  {
    attack: "secrets-09",
    defence: "names of files are scanned",
    edits: [
      edit(
        INSPECT,
        '[{ where: "file names", text: names }]',
        '[{ where: "file names", text: "" }]',
      ),
      edit(SCANNER, "if (ours(where).length > 0) {", 'if (ours("").length > 0) {'),
    ],
  },
  { attack: "secrets-10", defence: "titles are scanned", ...NO_WORDS },
  { attack: "secrets-11", defence: "reports are scanned", ...NO_WORDS },
  {
    attack: "secrets-12",
    defence: "rows and events pass the redactor",
    ...edit(
      "src/jobs/attempt.ts",
      "redacted({ patch: given, events: said }, deps.redact)",
      "{ patch: given, events: said }",
    ),
  },
  {
    attack: "secrets-13",
    defence: "the redactor knows our secrets by value",
    ...edit("src/core/redact.ts", "united([...known(text), ", "united(["),
  },
  {
    attack: "secrets-14",
    defence: "log lines pass the redactor",
    ...edit("src/log.ts", "hooks: { streamWrite: redact },", "hooks: { streamWrite: String },"),
  },
  {
    attack: "secrets-15",
    defence: "installation tokens are known by value",
    ...edit(
      "src/compose/compose.ts",
      "    onToken: remember,",
      "    onToken: (token) => remember(token, false),",
    ),
  },
  {
    attack: "secrets-16",
    defence: "what people say passes the redactor before it is stored",
    ...edit("src/jobs/submit.ts", "= redacted(given, deps.redact);", "= redacted(given, String);"),
  },
  {
    attack: "secrets-17",
    defence: "the webhook secret is known by value",
    ...edit(
      "src/settings/secrets.ts",
      "[privateKey, webhookSecret, oldWebhookSecret,",
      "[privateKey, oldWebhookSecret,",
    ),
  },
  {
    attack: "secrets-18",
    defence: "no comment turns a scanner off: neither ours nor secretlint's",
    edits: [
      edit(
        SCANNER,
        '.filter((rule) => rule.meta.id !== "@secretlint/secretlint-rule-filter-comments")',
      ),
      edit(SCANNER, "...shapesIn(text).filter((each) => isReal(each, text, madeUp)),"),
      NO_CLAIMS,
    ],
  },
  {
    attack: "secrets-19",
    defence: "private keys are known in one line, too",
    ...edit(
      "src/core/secret-shapes.ts",
      "const found = privateKeys(text);",
      "const found = privateKeys(text).slice(0, 0);",
    ),
  },
  { attack: "secrets-20", defence: "random values by name", ...NO_CLAIMS },
  {
    attack: "secrets-21",
    defence: "examples are no secrets",
    ...edit(
      "src/core/secret-claims.ts",
      "  return (\n    EXAMPLES.has(value) ||",
      '  if (value !== "") return false;\n  return (\n    EXAMPLES.has(value) ||',
    ),
  },
];

export default mutations;
