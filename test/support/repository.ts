import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

/** What a commit puts at a path; null removes it. */
export type Entry = string | Uint8Array | { link: string } | { executable: string } | null;

/** A repository as GitHub would hold it (bare, served over HTTP) with a checkout to commit in. */
export interface Remote {
  bare: string;
  git(...args: string[]): string;
  /** Commits files on a branch and returns the commit; the branch is made when missing. */
  commit(files: Record<string, Entry>, options?: { branch?: string; message?: string }): string;
  /** A tree object from lines as `git ls-tree` prints them, whatever they say. */
  tree(lines: string): string;
  /** Commit a ref of the served repository stands at; null without one. */
  refSha(ref: string): string | null;
}

const GIT_ENV = {
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
};

/** Runs git with no configuration but its own; standard output without the last line end. */
export function runGit(cwd: string, ...args: string[]): string {
  const settings = ["-c", "core.protectHFS=false", "-c", "core.quotePath=false"];
  return execFileSync("git", [...settings, ...args], {
    cwd,
    env: GIT_ENV,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  }).replace(/\n$/, "");
}

/** Makes an empty repository `owner/name` below `root`. */
export function makeRemote(root: string, name: string): Remote {
  const bare = path.join(root, "remotes", `${name}.git`);
  const checkout = path.join(root, "checkouts", name);
  mkdirSync(bare, { recursive: true });
  mkdirSync(checkout, { recursive: true });
  runGit(bare, "init", "-q", "--bare", "--initial-branch=main");
  runGit(bare, "config", "http.receivepack", "true");
  runGit(bare, "config", "uploadpack.allowAnySHA1InWant", "true");
  runGit(checkout, "init", "-q", "--initial-branch=main");
  const git = (...args: string[]) => runGit(checkout, ...args);
  return {
    bare,
    git,
    commit(files, { branch = "main", message = "A commit" } = {}) {
      const onBranch = git("symbolic-ref", "--short", "HEAD") === branch;
      const known = git("branch", "--list", branch) !== "";
      if (!onBranch) git("checkout", "-q", ...(known ? [branch] : ["-b", branch]));
      for (const [file, entry] of Object.entries(files)) put(path.join(checkout, file), entry);
      git("add", "-A", "-f");
      git("commit", "-q", "--allow-empty", "-m", message);
      git("push", "-q", "--force", bare, `HEAD:refs/heads/${branch}`);
      return git("rev-parse", "HEAD");
    },
    tree(lines) {
      const options = { cwd: bare, env: GIT_ENV, input: lines, encoding: "utf8" } as const;
      return execFileSync("git", ["mktree", "--missing"], options).trim();
    },
    refSha(ref) {
      return runGit(bare, "for-each-ref", "--format=%(objectname)", ref) || null;
    },
  };
}

function put(file: string, entry: Entry): void {
  rmSync(file, { recursive: true, force: true });
  if (entry === null) return;
  mkdirSync(path.dirname(file), { recursive: true });
  if (typeof entry === "string" || entry instanceof Uint8Array) {
    writeFileSync(file, entry);
  } else if ("link" in entry) {
    symlinkSync(entry.link, file);
  } else {
    writeFileSync(file, entry.executable);
    chmodSync(file, 0o755);
  }
}

/** A request of git, as the server saw it. */
interface GitRequest {
  method: string;
  url: string;
  authorization: string | undefined;
}

/** What a request is answered with instead: a status, with headers; or its line is cut. */
type GitFault = number | { status: number; headers?: Record<string, string> } | "drop";

/** git's smart HTTP over every repository below `root/remotes`, for whoever holds the token. */
export interface GitServer {
  origin: string;
  requests: GitRequest[];
  /** The token it takes now. */
  token: string;
  /** Called before each request: an answer instead, "drop" to cut the line, null to serve. */
  before: (request: GitRequest) => Promise<GitFault | null>;
  close(): Promise<void>;
}

/** Starts the server on 127.0.0.1. */
export async function serveGit(root: string, token: string): Promise<GitServer> {
  const http = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const seen = { method, url, authorization: headers.authorization };
    server.requests.push(seen);
    const fault = await server.before(seen);
    if (fault === "drop") return void request.socket.destroy();
    if (fault !== null) {
      const { status, headers: told = {} } = typeof fault === "number" ? { status: fault } : fault;
      return void response.writeHead(status, told).end(`fault ${status}`);
    }
    const wanted = `Basic ${Buffer.from(`x-access-token:${server.token}`).toString("base64")}`;
    if (headers.authorization !== wanted) {
      return void response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    }
    await backend(root, request, response);
  }
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const server: GitServer = {
    origin: `http://127.0.0.1:${port}`,
    requests: [],
    token,
    before: async () => null,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return server;
}

/** Speaks CGI with `git http-backend`. */
async function backend(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const { headers } = request;
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: GIT_ENV.PATH,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_PROJECT_ROOT: path.join(root, "remotes"),
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      REMOTE_USER: "x-access-token",
      CONTENT_TYPE: headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
      ...(headers["content-length"] ? { CONTENT_LENGTH: headers["content-length"] } : {}),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => child.stdin.destroy());
  request.pipe(child.stdin);
  let head = Buffer.alloc(0);
  for await (const chunk of child.stdout) {
    if (response.headersSent) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) continue;
    let status = 200;
    for (const line of head.subarray(0, end).toString().split("\r\n")) {
      const [name = "", value = ""] = line.split(/:\s*/, 2);
      if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
  }
  response.end();
}
