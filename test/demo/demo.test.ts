import { spawn } from "node:child_process";
import { chmodSync, readdirSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "./github-support.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const LIMIT_MS = 100_000;

describe("npm run demo", () => {
  it(
    "ends with three proven draft pull requests and leaves nothing behind",
    async () => {
      const temporary = temporaryDirectory();
      chmodSync(temporary, 0o711);
      const { OPENAI_API_KEY: _, ...env } = process.env;
      const child = spawn(process.execPath, ["demo/main.ts"], {
        cwd: ROOT,
        env: { ...env, TMPDIR: temporary },
        timeout: LIMIT_MS,
      });
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
      const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
      expect(await ended, `${output}\n${errors}`).toBe(0);
      expect(output.match(/^━━ Draft pull request #\d+: .+ ━━$/gm)).toHaveLength(3);
      expect(output).toContain("Sign in with JWT instead of sessions");
      expect(output).toContain("conflicts with");
      expect(output).not.toContain("✗");
      // npm keeps a compile cache of its own there.
      expect(readdirSync(temporary).filter((name) => name.startsWith("draftsmith"))).toEqual([]);
    },
    LIMIT_MS,
  );
});
