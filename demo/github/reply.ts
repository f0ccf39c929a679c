const DOCS = "https://docs.github.com/rest";

/** An HTTP answer; `body` is sent as it is when it is bytes, else as JSON. */
export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Thrown where a request cannot be answered as asked; carries GitHub's answer. */
export class Problem extends Error {
  readonly reply: Reply;

  constructor(status: number, message: string, more: Record<string, unknown> = {}) {
    super(message);
    this.reply = {
      status,
      body: { message, ...more, documentation_url: DOCS, status: String(status) },
    };
  }
}

/** 404, also for what exists but may not be seen. */
export function notFound(): Problem {
  return new Problem(404, "Not Found");
}

/** 403: the token lacks a permission. */
export function notAccessible(): Problem {
  return new Problem(403, "Resource not accessible by integration");
}

/** One entry of `errors` in a 422. */
export interface FieldError {
  resource: string;
  code: string;
  field?: string;
  message?: string;
}

/** 422 "Validation Failed" with its errors. */
export function invalid(...errors: FieldError[]): Problem {
  return new Problem(422, "Validation Failed", { errors });
}

export function ok(body: unknown): Reply {
  return { status: 200, body };
}

export function created(body: unknown): Reply {
  return { status: 201, body };
}
