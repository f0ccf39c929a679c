import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Database, Tables } from "./schema.ts";

/** What a column holds. */
export type Value = string | number | null;

/** A table as the database describes it, so that one that is added later is not forgotten. */
export interface TableShape {
  name: string;
  /** By name, whatever order they were added in. */
  columns: string[];
  key: string[];
}

/** Rows that are in memory at once: one may be some 10 MB. */
const PAGE = 25;

/** Those that others refer to; the rest follows by name. */
const FIRST = ["commands", "jobs"];

/** The tables of a database in an order in which they can be filled; without that of the migrations. */
export async function describeTables(
  reader: Kysely<Tables>,
  { engine }: Database,
): Promise<TableShape[]> {
  const { rows } = await (engine === "sqlite" ? ofSqlite : ofPostgres).execute(reader);
  const shapes = new Map<string, { name: string; columns: Described[] }>();
  for (const row of rows) {
    const shape = shapes.get(row.name) ?? { name: row.name, columns: [] };
    shapes.set(row.name, shape);
    shape.columns.push(row);
  }
  return [...shapes.values()]
    .map(({ name, columns }) => ({
      name,
      columns: columns.map(({ column }) => column).toSorted(),
      key: columns
        .filter(({ place }) => place > 0)
        .toSorted((a, b) => a.place - b.place)
        .map(({ column }) => column),
    }))
    .toSorted((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

function rank(name: string): number {
  const at = FIRST.indexOf(name);
  return at === -1 ? FIRST.length : at;
}

/** A column and its 1-based place in the primary key; 0 when it is not in it. */
interface Described {
  name: string;
  column: string;
  place: number;
}

const ofSqlite = sql<Described>`
  select m.name, c.name as "column", c.pk as place
  from sqlite_schema m join pragma_table_info(m.name) c
  where m.type = 'table' and m.name not like 'sqlite~_%' escape '~' and m.name <> 'migrations'`;

const ofPostgres = sql<Described>`
  select t.relname as name, a.attname as "column", coalesce(array_position(i.indkey::int[], a.attnum::int), -1) + 1 as place
  from pg_class t
  join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
  left join pg_index i on i.indrelid = t.oid and i.indisprimary
  where t.relkind = 'r' and t.relnamespace = current_schema()::regnamespace and t.relname <> 'migrations'`;

/** The rows of a table in the order of their keys, which is the same in both engines. */
export async function* rowsOf(
  reader: Kysely<Tables>,
  { engine }: Database,
  shape: TableShape,
): AsyncGenerator<Value[]> {
  const pages = engine === "sqlite" ? bySeeking(reader, shape) : byCursor(reader, shape);
  for await (const page of pages) {
    for (const row of page) yield shape.columns.map((column) => plain(row[column], shape.name));
  }
}

type Page = Record<string, unknown>[];

const selected = ({ name, columns }: TableShape): RawBuilder<Record<string, unknown>> =>
  sql`select ${sql.join(columns.map((column) => sql.ref(column)))} from ${sql.table(name)}`;

async function* bySeeking(reader: Kysely<Tables>, shape: TableShape): AsyncGenerator<Page> {
  const key = sql.join(shape.key.map((column) => sql.ref(column)));
  let after: Value[] | null = null;
  for (;;) {
    const beyond: RawBuilder<unknown> =
      after === null ? sql`` : sql`where (${key}) > (${sql.join(after)})`;
    const { rows }: { rows: Page } = await sql<
      Record<string, unknown>
    >`${selected(shape)} ${beyond} order by ${key} limit ${sql.lit(PAGE)}`.execute(reader);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = shape.key.map((column) => plain(last[column], shape.name));
  }
}

async function* byCursor(reader: Kysely<Tables>, shape: TableShape): AsyncGenerator<Page> {
  // By bytes, as SQLite has them; the order of a language is not the same on every machine.
  const types = await sql<{ column: string; text: boolean }>`
    select attname as "column", atttypid = 'text'::regtype as text from pg_attribute
    where attrelid = ${shape.name}::regclass and attnum > 0`.execute(reader);
  const isText = new Map(types.rows.map((each) => [each.column, each.text]));
  const order = sql.join(
    shape.key.map((column) =>
      isText.get(column) ? sql`${sql.ref(column)} collate "C"` : sql.ref(column),
    ),
  );
  await sql`declare page no scroll cursor for ${selected(shape)} order by ${order}`.execute(reader);
  for (;;) {
    const { rows } = await sql<Record<string, unknown>>`fetch ${sql.lit(PAGE)} from page`.execute(
      reader,
    );
    if (rows.length === 0) break;
    yield rows;
  }
  await sql`close page`.execute(reader);
}

function plain(value: unknown, table: string): Value {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  throw new Error(`table ${table} holds a ${typeof value}`);
}
