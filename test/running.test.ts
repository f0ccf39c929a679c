import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { PROCESS_ROLES } from "../src/core/process-role.ts";
import { settings } from "../src/settings/settings.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const texts = ["README.md", ...readdirSync(path.join(ROOT, "docs")).map((name) => `docs/${name}`)]
  .filter((file) => file.endsWith(".md"))
  .map((file) => ({ file, text: read(file) }));

/** Names that are read from the environment beside the settings. */
const known = new Set([
  ...Object.keys(settings.shape),
  "PRIVATE_KEY",
  "PRIVATE_KEY_PATH",
  "NODE_ENV",
]);

interface Service {
  build?: { context: string; dockerfile: string };
  command?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  healthcheck: { test: string[] };
  stop_grace_period?: string;
  security_opt?: string[];
}

const compose = parse(read("deploy/compose.yaml"), { merge: true }) as {
  services: Record<"database" | "web" | "worker", Service>;
  volumes: Record<string, null>;
};
const dockerfile = read("deploy/Dockerfile").replaceAll(/\\\n/g, " ").split("\n");
const unit = read("deploy/draftsmith.service");

/** How long a stop takes at most, in s. */
const stopS = Number(/STOP_MS = (\d+)_000/.exec(read("src/main.ts"))?.[1]);

describe("what is started from deploy/", () => {
  it("sets nothing that the server does not know", () => {
    const { web, worker } = compose.services;
    const image = dockerfile.filter((line) => line.startsWith("ENV ")).join(" ");
    const names = [
      ...Object.keys({ ...web.environment, ...worker.environment }),
      ...[...image.matchAll(/(\w+)=/g)].map(([, name]) => name ?? ""),
      ...Object.keys(parseEnv((/^Environment=(.*)$/m.exec(unit)?.[1] ?? "").replaceAll(" ", "\n"))),
    ];
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });

  it("starts files that are there, in roles that there are", () => {
    const copied = dockerfile
      .filter((line) => line.startsWith("COPY "))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(copied).toContain("src");
    expect(copied.filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([]);
    expect(dockerfile).toContain('ENTRYPOINT ["node", "src/main.ts"]');
    expect(unit).toMatch(/^ExecStart=\S+\/node_modules\/\.bin\/node src\/main\.ts$/m);
    const roles = [compose.services.web, compose.services.worker].flatMap(({ command }) => command);
    expect(roles).toEqual(["web", "worker"]);
    expect(PROCESS_ROLES).toEqual(expect.arrayContaining(roles));
    // Those that a dependency of the server's own would be missing without.
    expect(dockerfile.join("\n")).toMatch(/bubblewrap socat git/);
  });

  it("asks each process for its health where it tells it", () => {
    const { web, worker } = compose.services;
    expect(web.healthcheck.test.join(" ")).toContain(`:${web.environment?.PORT}/healthz`);
    const port = worker.environment?.DRAFTSMITH_HEALTH_PORT;
    expect(worker.healthcheck.test.join(" ")).toContain(`:${port}/healthz`);
  });

  it("waits for a stop as long as it takes, and lets the server end its own commands", () => {
    expect(stopS).toBeGreaterThan(0);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(stopS);
    expect(unit).toMatch(/^KillMode=mixed$/m);
    expect(unit).toMatch(/^Restart=always$/m);
    for (const { stop_grace_period: grace } of [compose.services.web, compose.services.worker]) {
      expect(Number.parseInt(grace ?? "", 10)).toBeGreaterThan(stopS);
    }
  });

  it("gives each worker files of its own, and only workers fewer walls", () => {
    const { web, worker } = compose.services;
    // A named volume would be shared by all replicas, and the second of them refused.
    expect(worker.volumes).toContain("/data");
    expect(web.security_opt).toBeUndefined();
    for (const option of worker.security_opt ?? [])
      expect(read("docs/sandbox.md")).toContain(option);
    expect(worker.security_opt).toHaveLength(3);
  });
});

describe("what the texts tell people to do", () => {
  it("names scripts that there are", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = texts.flatMap(({ file, text }) =>
      [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => ({ file, name: name ?? "" })),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(({ name }) => scripts[name] === undefined)).toEqual([]);
  });

  it("quotes the log as it is", () => {
    const rows = [...read("docs/running.md").matchAll(/^\| `([a-z][^`]{7,})`/gm)];
    const lines = rows.map(([, line]) => line ?? "");
    expect(lines.length).toBeGreaterThan(3);
    const sources = readdirSync(path.join(ROOT, "src/jobs")).map((name) =>
      read(`src/jobs/${name}`),
    );
    expect(lines.filter((line) => !sources.some((source) => source.includes(line)))).toEqual([]);
  });

  it("names settings that there are", () => {
    const named = texts.flatMap(({ file, text }) =>
      [...text.matchAll(/\bDRAFTSMITH_(?!TEST_)[A-Z_]*[A-Z]\b/g)].map(([name]) => ({ file, name })),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(({ name }) => !known.has(name))).toEqual([]);
  });

  it("names files that there are", () => {
    const named = texts.flatMap(({ file, text }) =>
      [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, name]) => ({
        file,
        name: path.join(path.dirname(file), name ?? ""),
      })),
    );
    const tests = texts.flatMap(({ file, text }) =>
      [...text.matchAll(/`((?:test|src|deploy|docs)\/[\w./-]+\.\w+)`/g)].map(([, name]) => ({
        file,
        name: name ?? "",
      })),
    );
    expect([...named, ...tests].filter(({ name }) => !existsSync(path.join(ROOT, name)))).toEqual(
      [],
    );
  });
});
