import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const ROOT = path.resolve(import.meta.dirname, "..");
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");

interface Locked {
  version?: string;
  resolved?: string;
  integrity?: string;
  hasInstallScript?: boolean;
  link?: boolean;
}

const manifest = JSON.parse(read("package.json")) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
};
const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, Locked> };
const locked = Object.entries(lock.packages).filter(([place]) => place !== "");

describe("what is installed", () => {
  it("is named by exact versions only", () => {
    const versions = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const [name, version] of Object.entries(versions)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
  });

  it("is pinned by content, and comes from whatever registry the machine uses", () => {
    expect(locked.length).toBeGreaterThan(100);
    for (const [place, entry] of locked) {
      expect(entry.integrity, place).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
      expect(entry.resolved, place).toBeUndefined();
      expect(entry.link, place).toBeUndefined();
    }
  });

  it("runs install scripts of packages allowed by name only", () => {
    const scripted = locked.filter(([, entry]) => entry.hasInstallScript).map(([place]) => place);
    const allowed = Object.keys(manifest.allowScripts).map((name) => `node_modules/${name}`);
    expect(scripted).toEqual(allowed);
  });
});

describe("the workflow", () => {
  const workflow = parse(read(".github/workflows/ci.yml")) as {
    permissions: Record<string, string>;
    jobs: Record<string, { permissions?: unknown; steps: { uses?: string; run?: string }[] }>;
  };

  it("may read the repository and nothing else, and runs actions of one content only", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    const steps = Object.values(workflow.jobs).flatMap((job) => {
      expect(job.permissions).toBeUndefined();
      return job.steps;
    });
    for (const { uses } of steps.filter((step) => step.uses !== undefined)) {
      expect(uses).toMatch(/^actions\/[\w-]+@[0-9a-f]{40}$/);
    }
    expect(steps.map((step) => step.run)).toContain("npm run audit");
  });
});
