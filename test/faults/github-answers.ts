import type { Fault } from "../../demo/github/serve.ts";

const inSeconds = (s: number) => String(Math.floor(Date.now() / 1000) + s);
const SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes.";
const json = (status: number, message: string, headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: { message },
});

/** What GitHub may answer to one call, by its name. */
export const ANSWERS: Record<string, () => Fault> = {
  "500": () => ({ when: "before", answer: json(500, "Server Error") }),
  "502 after success": () => ({ when: "after", answer: json(502, "Bad Gateway") }),
  timeout: () => ({ when: "before", answer: "hang" }),
  "timeout after success": () => ({ when: "after", answer: "hang" }),
  "connection reset": () => ({ when: "before", answer: "drop" }),
  "connection reset after success": () => ({ when: "after", answer: "drop" }),
  "401 expired token": () => ({ when: "before", answer: json(401, "Bad credentials") }),
  "403 primary limit": () => ({
    when: "before",
    answer: json(403, "API rate limit exceeded for installation.", {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": inSeconds(3),
    }),
  }),
  "403 secondary limit, retry-after": () => ({
    when: "before",
    answer: json(403, SECONDARY, { "retry-after": "3" }),
  }),
  "403 secondary limit": () => ({ when: "before", answer: json(403, SECONDARY) }),
  "404": () => ({ when: "before", answer: json(404, "Not Found") }),
  "422": () => ({ when: "before", answer: json(422, "Validation Failed") }),
};
