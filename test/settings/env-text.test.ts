import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { readEnvText } from "../../src/settings/env-text.ts";

const dir = mkdtempSync(path.join(tmpdir(), "draftsmith-env-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function read(bytes: string | Buffer) {
  const file = path.join(dir, ".env");
  writeFileSync(file, bytes);
  return readEnvText(file);
}

describe("a file of settings", () => {
  it("needs not be there", () => {
    expect(readEnvText(path.join(dir, "none"))).toEqual({});
  });

  it("may begin with the mark of an editor and end its lines in two signs", () => {
    expect(read("\uFEFFDRAFTSMITH_NETWORK=none\r\nPORT=1\r\n")).toEqual({
      DRAFTSMITH_NETWORK: "none",
      PORT: "1",
    });
  });

  it.each([
    ["UTF-16", Buffer.from("PORT=1\n", "utf16le")],
    ["no text", Buffer.from([0xff, 0xfe, 0x41])],
  ])("is told when it is in %s", (_name, bytes) => {
    expect(() => read(bytes)).toThrow(UserError);
    expect(() => read(bytes)).toThrow(/\.env: is no text in UTF-8; save it as such$/);
  });

  it("is told when it is a directory", () => {
    expect(() => readEnvText(dir)).toThrow(/cannot be read \(EISDIR.*\); it has to be a file/);
  });
});
