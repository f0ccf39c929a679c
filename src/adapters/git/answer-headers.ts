import type { Readable } from "node:stream";
import type { HeaderOf } from "../../core/rate-limit.ts";

/**
 * Lets git tell on descriptor 3 which headers it sends and gets (git-scm.com/docs/git, GIT_TRACE_CURL): nothing
 * else says for how long GitHub wants to be left alone. It takes the token out itself; no body is told.
 */
export const TELLS_HEADERS = { GIT_TRACE_CURL: "3", GIT_TRACE_CURL_NO_DATA: "1" };

const RECEIVED = /<= Recv header: (.*)$/;
/** Beyond it a line is no header that is looked for. */
const LINE_CHARS = 8 * 1024;

/** The last answer that git got. */
export interface LastAnswer {
  /** 0 before the first one. */
  readonly status: number;
  headerOf: HeaderOf;
}

/** Follows what git tells of headers; only those of the last answer are kept, and nothing that was sent. */
export function followHeaders(told: Readable): LastAnswer {
  let status = 0;
  const headers = new Map<string, string>();
  let rest = "";

  function heed(line: string): void {
    const [, header] = RECEIVED.exec(line) ?? [];
    if (header === undefined) return;
    const [, code] = /^HTTP\/\S+ (\d{3})/.exec(header) ?? [];
    if (code !== undefined) {
      status = Number(code);
      headers.clear();
      return;
    }
    const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(header) ?? [];
    if (name !== undefined && value !== undefined) headers.set(name.toLowerCase(), value.trim());
  }

  told.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(0, LINE_CHARS);
    for (const line of lines) heed(line);
  });
  return {
    get status() {
      return status;
    },
    headerOf: (name) => headers.get(name),
  };
}
