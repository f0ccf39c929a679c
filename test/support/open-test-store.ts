import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openStore, type Store } from "../../src/adapters/store/store.ts";

/** A fresh directory that goes when the test ends. */
export function storeDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), "draftsmith-store-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A store on a file, closed when the test ends; a new file unless one is given. */
export async function storeOn(file = join(storeDirectory(), "draftsmith.db")): Promise<Store> {
  const store = await openStore({ file });
  onTestFinished(() => store.close());
  return store;
}
