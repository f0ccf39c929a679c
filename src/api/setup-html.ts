import { createHash } from "node:crypto";

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}" +
  "input,textarea{font:inherit;width:100%;box-sizing:border-box;margin:.2rem 0 1rem}" +
  "button{font:inherit;padding:.4rem 1rem}code{background:#eee;padding:0 .2rem}";
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** A page of the set-up; its forms may go to this server and to `github` (an origin) only. */
function page(body: string, github: string): Response {
  const text = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Set up Draftsmith</title><style>${STYLE}</style></head>
<body><h1>Set up Draftsmith</h1>
${body}
</body></html>
`;
  return new Response(text, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self' ${github}`,
    },
  });
}

/** Where the App is registered: one button, and what it will be told about webhooks. */
export function registerPage(given: {
  /** The page of GitHub that takes the manifest, with our state. */
  action: string;
  manifest: string;
  /** Address under which GitHub reaches the server; null while it is not known. */
  address: string | null;
  github: string;
}): Response {
  const hook =
    given.address === null
      ? `<p>GitHub cannot reach this address, so the App is registered with its webhook switched off. Say here
where it will reach the server, or set it later in the App's settings:</p>`
      : `<p>Webhooks will go to <code>${escapeHtml(given.address)}/api/github/webhooks</code>.</p>`;
  return page(
    `<p>One click registers a GitHub App of your own with the permissions of <code>app.yml</code>; GitHub shows them first.
Its credentials are then written to <code>.env</code> here.</p>
<form action="${escapeHtml(given.action)}" method="post">
<input type="hidden" name="manifest" value="${escapeHtml(given.manifest)}">
<button>Register the GitHub App</button></form>
${hook}
<form action="/probot" method="get"><label>Public address of this server
<input name="address" type="url" placeholder="https://draftsmith.example.com" value="${escapeHtml(given.address ?? "")}"></label>
<button>Use this address</button></form>
<p><a href="/probot/import">Use an App that exists already</a></p>`,
    given.github,
  );
}

/** Where the credentials of an App that exists are given; `problem` says what was wrong with the last ones. */
export function importPage(proof: string, problem: string | null, github: string): Response {
  return page(
    `${problem === null ? "" : `<p><strong>${escapeHtml(problem)}</strong></p>`}
<form action="/probot/import" method="post">
<input type="hidden" name="proof" value="${escapeHtml(proof)}">
<label>App ID <input name="app_id" required inputmode="numeric"></label>
<label>Webhook secret <input name="webhook_secret" type="password" required autocomplete="off"></label>
<label>Private key (the text of the .pem file) <textarea name="private_key" required rows="8" autocomplete="off"></textarea></label>
<button>Save</button></form>`,
    github,
  );
}

/** What is left to do once the credentials are written. */
export function savedPage(notice: string, github: string): Response {
  return page(
    `<p>The credentials are written to <code>.env</code>. ${escapeHtml(notice)}</p>
<p>Stop the server, set <code>OPENAI_API_KEY</code> in <code>.env</code> if it is not there yet, and start it again. This page is closed now.</p>`,
    github,
  );
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
