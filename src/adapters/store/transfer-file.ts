import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { z } from "zod";
import { toError, UserError } from "../../core/errors.ts";
import type { TableShape, Value } from "./table-rows.ts";

const FORMAT = 1;
/** Written in pieces of about this many characters. */
const PIECE = 1 << 20;

const header = z.object({
  draftsmith: z.literal("export"),
  format: z.number().int(),
  /** Number of the last migration that the rows went through. */
  schema: z.number().int().positive(),
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()).min(1) })).min(1),
});
const row = z.tuple([z.string()], z.union([z.string(), z.number(), z.null()]));
const tally = z.object({ rows: z.number().int(), sha256: z.string() });
const trailer = z.object({ end: z.record(z.string(), tally) });

/** What a file says at its beginning. */
export type Header = z.infer<typeof header>;
/** How many rows a table has, and the SHA-256 of their lines. */
export type Tally = z.infer<typeof tally>;

/** Counts the lines of a table. */
export function counter(): { add(line: string): void; tally(): Tally } {
  const hash: Hash = createHash("sha256");
  let rows = 0;
  return {
    add(line) {
      rows += 1;
      hash.update(`${line}\n`);
    },
    tally: () => ({ rows, sha256: hash.digest("hex") }),
  };
}

/** A row as its line. */
export function lineOf(table: string, values: Value[]): string {
  return JSON.stringify([table, ...values]);
}

/**
 * Writes a file of lines of JSON: a header, a line per row, a trailer with counts and digests. It has its
 * name only once it is whole and on the disk; one of that name is a UserError.
 */
export async function writeTransfer(
  file: string,
  schema: number,
  tables: TableShape[],
  rowsOf: (table: TableShape) => AsyncIterable<Value[]>,
): Promise<Record<string, Tally>> {
  const partial = `${file}.partial`;
  const handle = await create(file, partial);
  let piece = "";
  async function write(line: string): Promise<void> {
    piece += `${line}\n`;
    if (piece.length < PIECE) return;
    await handle.writeFile(piece);
    piece = "";
  }
  try {
    const named = tables.map(({ name, columns }) => ({ name, columns }));
    const first: Header = { draftsmith: "export", format: FORMAT, schema, tables: named };
    await write(JSON.stringify(first));
    const end: Record<string, Tally> = {};
    for (const table of tables) {
      const counted = counter();
      for await (const values of rowsOf(table)) {
        const line = lineOf(table.name, values);
        counted.add(line);
        await write(line);
      }
      end[table.name] = counted.tally();
    }
    await write(JSON.stringify({ end }));
    await handle.writeFile(piece);
    await handle.sync();
    await handle.close();
    await rename(partial, file);
    return end;
  } catch (thrown) {
    await handle.close().catch(() => undefined);
    await rm(partial, { force: true });
    throw thrown;
  }
}

async function create(file: string, partial: string): Promise<FileHandle> {
  try {
    // The name is taken from now on; the rows are its owner's alone.
    await (await open(file, "wx", 0o600)).close();
    await rm(file);
    return await open(partial, "w", 0o600);
  } catch (thrown) {
    const error = toError(thrown);
    if ("code" in error && error.code === "EEXIST") {
      throw new UserError(`${file} is there already; give another name or remove it`);
    }
    throw new UserError(`${file} cannot be written (${error.message})`, { cause: error });
  }
}

/** Reads a whole file without keeping it; one that is not whole and unchanged is a UserError. */
export async function checkTransfer(
  file: string,
): Promise<{ header: Header; end: Record<string, Tally> }> {
  let first: Header | null = null;
  let told: Record<string, Tally> | null = null;
  const counted = new Map<string, ReturnType<typeof counter>>();
  for await (const line of linesOf(file)) {
    if (first === null) {
      first = readHeader(line, file);
      for (const { name } of first.tables) counted.set(name, counter());
      continue;
    }
    if (told !== null) throw new UserError(`${file} goes on behind its end; export once more`);
    const value = json(line);
    const last = trailer.safeParse(value);
    if (last.success) {
      told = last.data.end;
      continue;
    }
    const parsed = row.safeParse(value);
    const table = parsed.success ? counted.get(parsed.data[0]) : undefined;
    if (table === undefined)
      throw new UserError(`${file} was changed or is cut off in a line; export once more`);
    table.add(line);
  }
  if (first === null) throw new UserError(`${file} is empty; it is no export`);
  if (told === null) throw new UserError(`${file} ends too early; export once more`);
  for (const [name, { tally }] of counted) {
    const found = tally();
    const wanted = told[name];
    if (wanted?.rows !== found.rows) {
      throw new UserError(
        `${file} has ${found.rows} rows of ${name} and says ${wanted?.rows ?? "nothing of them"}; export once more`,
      );
    }
    if (wanted.sha256 !== found.sha256) {
      throw new UserError(`${file} was changed: the digest of ${name} differs; export once more`);
    }
  }
  return { header: first, end: told };
}

/** The rows of a file that was checked. */
export async function* transferredRows(
  file: string,
): AsyncGenerator<{ table: string; values: Value[] }> {
  let isFirst = true;
  for await (const line of linesOf(file)) {
    const parsed = isFirst ? null : row.safeParse(json(line));
    isFirst = false;
    if (!parsed?.success) continue;
    const [table, ...values] = parsed.data;
    yield { table, values };
  }
}

function readHeader(line: string, file: string): Header {
  const parsed = header.safeParse(json(line));
  if (!parsed.success) throw new UserError(`${file} is no export of Draftsmith`);
  if (parsed.data.format !== FORMAT) {
    throw new UserError(
      `${file} has format ${parsed.data.format}; import it with the version that wrote it`,
    );
  }
  return parsed.data;
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (thrown) {
    // What is no JSON is told as what it should have been.
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}

/** Not by readline: it ends lines at U+2028 too, which JSON leaves as it is. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const stream = createReadStream(file, { encoding: "utf8", highWaterMark: PIECE });
  let rest = "";
  try {
    for await (const chunk of stream) {
      const lines = `${rest}${chunk}`.split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (thrown) {
    if (thrown instanceof UserError) throw thrown;
    throw new UserError(`${file} cannot be read (${toError(thrown).message})`, { cause: thrown });
  } finally {
    stream.destroy();
  }
  if (rest !== "") yield rest;
}
