import { amiss, type Finding, fine } from "./finding.ts";

/** What GitHub said of the App when it was asked with the App's key. */
export type AppAnswer =
  | {
      status: "known";
      slug: string;
      permissions: Record<string, string>;
      events: string[];
      /** How far our clock is ahead of GitHub's, in ms; null when GitHub did not say the time. */
      aheadMs: number | null;
    }
  | { status: "refused"; code: number; said: string; aheadMs: number | null }
  | { status: "silent"; why: string };

/** What the model server said when it was asked for its models. */
export type ModelAnswer =
  | { status: "known"; models: string[] }
  /** It answered well, and no list of models: a page for people (`html`), or something else. */
  | { status: "no_list"; html: boolean }
  | { status: "refused"; code: number }
  | { status: "silent"; why: string };

/** What app.yml asks of GitHub. */
export interface Manifest {
  permissions: Record<string, string>;
  events: string[];
}

/** A JWT is good for ten minutes and begins half a minute early, so this much is still taken. */
const SKEW_MS = 25_000;
const SETTINGS = "on the App's settings page";
const ACCEPT = "then accept the change in the settings of each installation";

/** Whether the App's credentials work, and whether it may do and hears what it needs. */
export function appFindings(answer: AppAnswer, api: string, manifest: Manifest): Finding[] {
  const { status } = answer;
  if (status === "silent") {
    const remedy = `See that this machine reaches ${api}; for GitHub Enterprise set GHE_HOST.`;
    return [amiss("fail", "GitHub", `${api} does not answer: ${answer.why}`, remedy)];
  }
  const clock = clockFinding(answer.aheadMs);
  if (status === "refused") {
    const remedy =
      answer.code === 401
        ? `See that APP_ID and PRIVATE_KEY belong to the same App${clock.level === "ok" ? "" : ", and set the clock"}; a new key can be made ${SETTINGS}.`
        : `See that ${api} is the API of GitHub; for GitHub Enterprise set GHE_HOST.`;
    return [amiss("fail", "App", `GitHub answered ${answer.code}: ${answer.said}`, remedy), clock];
  }
  return [
    fine("App", `${answer.slug}: GitHub takes its key`),
    ...permissionFindings(answer.permissions, manifest.permissions),
    ...eventFindings(answer.events, manifest.events),
    clock,
  ];
}

function clockFinding(aheadMs: number | null): Finding {
  if (aheadMs === null) return amiss("warn", "clock", "GitHub did not tell the time", null);
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (Math.abs(aheadMs) <= SKEW_MS) return fine("clock", `within ${seconds} s of GitHub's`);
  const said = `${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} GitHub's`;
  return amiss("fail", "clock", said, "Set it, for instance with: timedatectl set-ntp true");
}

function permissionFindings(
  granted: Record<string, string>,
  wanted: Record<string, string>,
): Finding[] {
  const rank = (access: string | undefined) => ["read", "write", "admin"].indexOf(access ?? "");
  const lacking = Object.entries(wanted).filter(
    ([name, access]) => rank(granted[name]) < rank(access),
  );
  const beyond = Object.entries(granted).filter(
    ([name, access]) => rank(access) > rank(wanted[name]),
  );
  const list = (pairs: [string, string][]) => pairs.map((pair) => pair.join(": ")).join(", ");
  const about = "App's permissions";
  if (lacking.length > 0) {
    const remedy = `Grant them ${SETTINGS} under Permissions & events, ${ACCEPT}.`;
    return [amiss("fail", about, `lacking ${list(lacking)}`, remedy)];
  }
  if (beyond.length === 0) return [fine(about, "those of app.yml")];
  const remedy = `Nothing here needs them: take them away ${SETTINGS} under Permissions & events.`;
  return [amiss("warn", about, `more than needed: ${list(beyond)}`, remedy)];
}

function eventFindings(heard: string[], wanted: string[]): Finding[] {
  const lacking = wanted.filter((event) => !heard.includes(event));
  const about = "App's events";
  if (lacking.length === 0) return [fine(about, wanted.join(", "))];
  const remedy = `Subscribe to them ${SETTINGS} under Permissions & events.`;
  return [amiss("fail", about, `not subscribed: ${lacking.join(", ")}`, remedy)];
}

/** A provider as the doctor tells of it: what people call it, and the settings that remedies name. */
export interface AskedProvider {
  name: string;
  settings: { key: string; baseURL: string; model: string };
}

/**
 * What a provider answered about the models that are to be used there, one finding for each that it knows
 * or lacks. The server starts without, so only a key that is refused fails.
 */
export function modelFindings(
  answer: ModelAnswer,
  { name, settings }: AskedProvider,
  models: string[],
): Finding[] {
  const told = (level: "warn" | "fail", said: string, remedy: string) => [
    amiss(level, "model server", `${name} ${said}`, remedy),
  ];
  switch (answer.status) {
    case "silent":
      return told(
        "warn",
        `does not answer: ${answer.why}`,
        `See that this machine reaches it, and that ${settings.baseURL} is right.`,
      );
    case "no_list":
      return told(
        "warn",
        `answered GET /models with ${answer.html ? "an HTML page, as servers do for people" : "something else than a list of models"}`,
        `See that ${settings.baseURL} is the address of its API, mostly ending in /v1${answer.html ? ", and that no login page stands in front of it" : "; some servers do not list their models, and if jobs work, all is well"}.`,
      );
    case "refused":
      return refusedFinding(answer.code, settings, told);
    case "known":
      return models.length === 0
        ? [fine("model server", `${name} answers; no model here is its own`)]
        : models.map((model) => listedFinding(model, answer.models, name, settings));
  }
}

function refusedFinding(
  code: number,
  { key, baseURL }: AskedProvider["settings"],
  told: (level: "warn" | "fail", said: string, remedy: string) => Finding[],
): Finding[] {
  const said = `answered ${code} to GET /models`;
  if (code === 401) {
    return told(
      "fail",
      `${said}: it does not take the key`,
      `See that ${key} is right and not expired.`,
    );
  }
  if (code === 403) {
    const remedy = `See that ${key} is right and may be used; one that may not list models can still work.`;
    return told("warn", said, remedy);
  }
  return told(
    "warn",
    said,
    `Some servers do not list their models; if jobs work, all is well. Else see that ${baseURL} ends as the server wants it, mostly in /v1.`,
  );
}

function listedFinding(
  model: string,
  known: string[],
  name: string,
  settings: AskedProvider["settings"],
): Finding {
  if (known.includes(model)) return fine("model server", `${name} offers ${model}`);
  const some = known.slice(0, 5).join(", ");
  return amiss(
    "warn",
    "model server",
    `${name} does not list ${model}`,
    `Name one that it has in ${settings.model}${some === "" ? "" : `, such as ${some}`}.`,
  );
}
