import OpenAI from "openai";
import { UserError } from "../../core/errors.ts";
import { readError } from "./error-body.ts";
import { shortened } from "./response-body.ts";

/** What messages call the settings that an operator may have to mend. */
export interface SettingNames {
  key: string;
  baseURL: string;
  model: string;
}

/** Where requests go, and with what. */
export interface ClientOptions {
  apiKey: string | undefined;
  /** Includes its version path, such as `/v1`. */
  baseURL: string;
  /** Sent with every request; they win over ours. */
  headers: Record<string, string>;
  settings: SettingNames;
}

/** Header of OpenAI's by which its support finds a request of ours. */
export const REQUEST_ID = "x-client-request-id";

/**
 * Everything is passed explicitly, so that the SDK takes nothing from the environment. Throws UserError
 * on headers that cannot be sent, and on a base URL that holds a password.
 */
export function createClient({ apiKey, baseURL, headers, settings }: ClientOptions): OpenAI {
  const key = apiKey || "none";
  const url = new URL(baseURL);
  if (url.username || url.password) {
    throw new UserError(`${settings.baseURL} must not hold a user or password: use a header`);
  }
  const query = Object.fromEntries(url.searchParams);
  url.search = "";
  const fixed = readHeaders(headers);
  return new OpenAI({
    apiKey: key,
    baseURL: url.href,
    defaultQuery: query,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: "off",
    timeout: 24 * 3_600_000,
    // The SDK would add OPENAI_CUSTOM_HEADERS and a description of this machine.
    fetch: async (to, init) => {
      const sent = new Headers({
        accept: "text/event-stream, application/json",
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        "user-agent": "draftsmith",
        [REQUEST_ID]: new Headers(init?.headers).get(REQUEST_ID) ?? "",
      });
      for (const [name, value] of fixed) sent.set(name, value);
      // Prompt and key go where the operator said, and nobody chooses another address from there.
      const response = await fetch(to, { ...init, redirect: "manual", headers: sent });
      return response.ok ? response : withOneForm(await shortened(response));
    },
  });
}

/** Shorter ones are no secrets ("x", "none", "ollama"), and stand in any text. */
const MIN_SECRET = 8;

/** Servers like to quote what they were sent. */
export function withoutSecrets(
  message: string,
  { apiKey, headers }: Pick<ClientOptions, "apiKey" | "headers">,
): string {
  const values = Object.values(headers).flatMap((value) => [value, value.replace(/^\w+ /, "")]);
  const isSecret = (value: string) => value.length >= MIN_SECRET;
  let kept = apiKey && isSecret(apiKey) ? message.replaceAll(apiKey, "(key)") : message;
  for (const value of values.filter(isSecret)) kept = kept.replaceAll(value, "(header)");
  return kept;
}

function readHeaders(headers: Record<string, string>): Headers {
  try {
    return new Headers(headers);
  } catch {
    // The runtime quotes the value, which may be a secret.
    const names = Object.keys(headers).join(", ");
    throw new UserError(`a header of a provider cannot be sent, one of: ${names}`);
  }
}

/** The SDK looks for `error` at the top alone, and would lose what else servers say. */
async function withOneForm(response: Response): Promise<Response> {
  const body = await response.text();
  const { status, statusText, headers } = response;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined;
  }
  const sent = parsed === undefined ? body : JSON.stringify({ error: readError(parsed) });
  return new Response(status === 304 ? null : sent, { status, statusText, headers });
}
