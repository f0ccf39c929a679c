import { spawnSync } from "node:child_process";
import { z } from "zod";

/** Statuses by which a registry says that it has no such service. */
const NOT_OFFERED = [404, 405, 410, 501];

const advisories = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({
      severity: z.string(),
      range: z.string(),
      via: z.array(z.union([z.string(), z.object({ title: z.string(), url: z.string() })])),
    }),
  ),
});
const signatures = z.object({
  invalid: z.array(z.object({ name: z.string(), version: z.string() })),
  missing: z.array(z.object({ name: z.string(), version: z.string() })),
});
const failure = z.object({
  statusCode: z.number().optional(),
  message: z.string().optional(),
  error: z.object({ summary: z.string() }).optional(),
});

/** What one question to the registry gave: what is wrong, or why nothing was checked. */
type Finding = { asked: true; wrong: string[] } | { asked: false; why: string };

/**
 * Asks the registry which pinned packages have known vulnerabilities and whether their signatures hold
 * (`npm audit`). Fails when something is wrong; what could not be asked is told and fails nothing, since
 * not every registry offers it.
 */
function audit(): number {
  const questions: [string, Finding][] = [
    ["Known vulnerabilities", ask(["audit", "--json"], vulnerable)],
    ["Signatures of the registry", ask(["audit", "signatures", "--json"], unsigned)],
  ];
  let failed = false;
  for (const [what, found] of questions) {
    if (!found.asked) {
      console.log(`${what}: NOT CHECKED. ${found.why}`);
      continue;
    }
    console.log(`${what}: ${found.wrong.length} packages.`);
    for (const line of found.wrong) console.log(`  ${line}`);
    failed ||= found.wrong.length > 0;
  }
  return failed ? 1 : 0;
}

function ask(args: string[], read: (report: unknown) => string[] | null): Finding {
  const { stdout, stderr } = spawnSync("npm", args, { encoding: "utf8" });
  const report = parse(stdout);
  const wrong = read(report);
  if (wrong !== null) return { asked: true, wrong };
  const { statusCode, message, error } = failure.safeParse(report).data ?? {};
  if (statusCode !== undefined && NOT_OFFERED.includes(statusCode)) {
    return { asked: false, why: `This registry does not offer it (it answered ${statusCode}).` };
  }
  const said = error?.summary || /npm error (.*)/.exec(stderr)?.[1];
  return { asked: false, why: message ?? said ?? "npm gave no report." };
}

function vulnerable(report: unknown): string[] | null {
  const parsed = advisories.safeParse(report);
  if (!parsed.success) return null;
  return Object.entries(parsed.data.vulnerabilities).map(([name, { severity, range, via }]) => {
    const why = via.map((each) => (typeof each === "string" ? each : `${each.title} ${each.url}`));
    return `${name} ${range} (${severity}): ${why.join("; ")}`;
  });
}

function unsigned(report: unknown): string[] | null {
  const parsed = signatures.safeParse(report);
  if (!parsed.success) return null;
  const list = (packages: { name: string; version: string }[], how: string) =>
    packages.map(({ name, version }) => `${name}@${version}: ${how}`);
  return [
    ...list(parsed.data.invalid, "the signature is not the registry's"),
    ...list(parsed.data.missing, "no signature"),
  ];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

process.exitCode = audit();
