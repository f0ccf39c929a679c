import type { Fault } from "../../demo/github/serve.ts";

const inSeconds = (s: number) => String(Math.floor(Date.now() / 1000) + s);
const SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes.";
const json = (status: number, message: string, headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: { message },
});

/** One thing that GitHub may answer to a call. */
interface Answer {
  make: () => Fault;
  /** Whether the same call gets another answer later: then what was asked for is done in the end. */
  passes: boolean;
  /** Whether it takes long until the call is made again: a minute, or what git waits for an answer. */
  slow: boolean;
}

const passing = (make: () => Fault): Answer => ({ make, passes: true, slow: false });
const slow = (make: () => Fault): Answer => ({ make, passes: true, slow: true });
const final = (make: () => Fault): Answer => ({ make, passes: false, slow: false });

/** What GitHub may answer to one call, by its name. */
export const ANSWERS: Record<string, Answer> = {
  "500": passing(() => ({ when: "before", answer: json(500, "Server Error") })),
  "502 after success": passing(() => ({ when: "after", answer: json(502, "Bad Gateway") })),
  timeout: slow(() => ({ when: "before", answer: "hang" })),
  "timeout after success": slow(() => ({ when: "after", answer: "hang" })),
  "connection reset": passing(() => ({ when: "before", answer: "drop" })),
  "connection reset after success": passing(() => ({ when: "after", answer: "drop" })),
  "401 expired token": final(() => ({ when: "before", answer: json(401, "Bad credentials") })),
  "403 primary limit": passing(() => ({
    when: "before",
    answer: json(403, "API rate limit exceeded for installation.", {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": inSeconds(3),
    }),
  })),
  "403 secondary limit, retry-after": passing(() => ({
    when: "before",
    answer: json(403, SECONDARY, { "retry-after": "3" }),
  })),
  "429, retry-after": passing(() => ({
    when: "before",
    answer: json(429, SECONDARY, { "retry-after": "2" }),
  })),
  "403 secondary limit": slow(() => ({ when: "before", answer: json(403, SECONDARY) })),
  "403 lacks permission": final(() => ({
    when: "before",
    answer: json(403, "Resource not accessible by integration"),
  })),
  "404": final(() => ({ when: "before", answer: json(404, "Not Found") })),
  "422": final(() => ({ when: "before", answer: json(422, "Validation Failed") })),
};
