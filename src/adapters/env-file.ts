import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { toError, UserError } from "../core/errors.ts";

/** The `.env` of a directory, as far as the App's credentials stand in it. */
export interface EnvFile {
  configured(): boolean;
  /** Adds credentials, readable by their owner only. Throws UserError when there are some already. */
  save(app: { appId: number; privateKey: string; webhookSecret: string | null }): void;
}

const CREDENTIALS = ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET"];

/** Opens the `.env` of `dir`, which need not exist. */
export function createEnvFile(dir: string): EnvFile {
  const file = path.join(dir, ".env");
  const lines = () => (existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : []);
  const configured = () => lines().some((line) => /^\s*(APP_ID|PRIVATE_KEY)\s*=\s*\S/.test(line));
  return {
    configured,
    save({ appId, privateKey, webhookSecret }) {
      if (configured()) throw new UserError("There are credentials in .env already.");
      const kept = lines().filter(
        (line) => !CREDENTIALS.includes(line.split("=", 1)[0]?.trim() ?? ""),
      );
      const secret = webhookSecret ?? randomBytes(32).toString("hex");
      const added = [
        `APP_ID=${appId}`,
        `PRIVATE_KEY="${privateKey.replaceAll("\n", "\\n")}"`,
        `WEBHOOK_SECRET=${quoted(secret)}`,
      ];
      const fresh = `${file}.${randomBytes(8).toString("hex")}`;
      try {
        // Written aside and moved, so that no half of it is ever read.
        writeFileSync(fresh, `${[...kept, ...added].filter(Boolean).join("\n")}\n`, {
          mode: 0o600,
          flag: "wx",
        });
        renameSync(fresh, file);
      } catch (thrown) {
        rmSync(fresh, { force: true });
        throw new UserError(`.env cannot be written: ${toError(thrown).message}`, {
          cause: thrown,
        });
      }
    },
  };
}

/** In a quotation mark that does not occur in it; Node reads what stands between them as it is. */
function quoted(value: string): string {
  const mark = ["'", "`"].find((each) => !value.includes(each));
  if (mark === undefined) throw new UserError("The webhook secret holds both ' and `.");
  return `${mark}${value}${mark}`;
}
