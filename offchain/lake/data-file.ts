/** New data files, with the statistics by which readers skip them. */
import { randomUUID } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '@duckdb/node-api';
import { HokusaiError } from '../errors.ts';
import { storageError } from '../run/journal.ts';
import type { Add, Cdc } from './actions.ts';
import { type Duck, sqlFile } from './duck.ts';
import { type Field, literal, quoted, sqlType } from './schema.ts';
import type { Store } from './store.ts';

/** What new files are written with. */
export interface Writer {
  readonly duck: Duck;
  readonly store: Store;
  /** Files that no commit names yet. */
  readonly written: Set<string>;
}

export interface NewFile {
  readonly add: Add;
  readonly rows: number;
}

/** Rows of a Parquet file that somebody gives. Its own path says nothing of its columns. */
export const given = (file: string): string =>
  `SELECT * FROM read_parquet(${sqlFile(file)}, hive_partitioning = false)`;

/** Columns of a query as the table has them: in its order, with its types. */
export const asTable = (schema: readonly Field[], query: string): string =>
  `SELECT ${schema.map(({ name, type }) => `CAST(${quoted(name)} AS ${sqlType(type)}) AS ${quoted(name)}`).join(', ')}
    FROM (${query})`;

/**
 * Puts a Parquet file of somebody's into the table: as it is where DuckDB wrote it with the columns of the table, else
 * rewritten. Other writers leave NaN out of the bounds that they write, which DuckDB answers queries by.
 *
 * @returns undefined where it has no rows
 */
export async function takeFile(writer: Writer, schema: readonly Field[], file: string): Promise<NewFile | undefined> {
  const { duck, store } = writer;
  const columns = [...(await duck.columns(given(file)))];
  const [[creator]] = (await duck.rows(`SELECT created_by FROM parquet_file_metadata(${sqlFile(file)})`)) as [[string]];
  const asItIs =
    creator?.startsWith('DuckDB') &&
    columns.length === schema.length &&
    schema.every(({ name, type }, at) => columns[at]![0] === name && String(columns[at]![1]) === sqlType(type));
  if (!asItIs) return writeRows(writer, schema, given(file));
  const copy = join(duck.folder, `${randomUUID()}.parquet`);
  await copyFile(file, copy).catch((error) => {
    throw storageError(error, store.location);
  });
  return putData(writer, schema, copy);
}

/**
 * Puts the rows of a query into a new file of the table.
 *
 * @returns undefined where there are none
 */
export async function writeRows(writer: Writer, schema: readonly Field[], query: string): Promise<NewFile | undefined> {
  return putData(writer, schema, await writeParquet(writer, asTable(schema, query)));
}

/**
 * Puts changed rows, with the column `_change_type`, where readers of the change feed look for them.
 *
 * @returns undefined where there are none, with how many there are of each type
 */
export async function writeChanges(
  writer: Writer,
  query: string,
): Promise<{ cdc: Cdc | undefined; counts: ReadonlyMap<string, number> }> {
  const file = await writeParquet(writer, query);
  const rows = await writer.duck.rows(`SELECT _change_type, count(*)::INTEGER FROM (${given(file)}) GROUP BY 1`);
  const counts = new Map(rows as [string, number][]);
  if (counts.size === 0) return { cdc: undefined, counts };
  const path = `_change_data/cdc-${randomUUID()}.parquet`;
  const size = await putFile(writer, path, file);
  return { cdc: { path, partitionValues: {}, size, dataChange: false }, counts };
}

async function writeParquet({ duck }: Writer, query: string): Promise<string> {
  const file = join(duck.folder, `${randomUUID()}.parquet`);
  await duck.run(`COPY (${query}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`);
  return file;
}

async function putData(writer: Writer, schema: readonly Field[], file: string): Promise<NewFile | undefined> {
  const { duck, store } = writer;
  const { numRecords, stats, nullCount } = await statistics(duck, schema, file);
  if (numRecords === 0) return undefined;
  const nulls = schema.filter(({ nullable }, at) => !nullable && nullCount[at]! > 0).map(({ name }) => name);
  if (nulls.length > 0) {
    throw new HokusaiError('configuration', 'LAKE_NULLS', `${store.location} takes no empty ${nulls.join(', ')}.`, {
      details: { columns: nulls },
      next: 'Leave out the rows in which these are empty.',
    });
  }
  const path = `part-${randomUUID()}.parquet`;
  const size = await putFile(writer, path, file);
  const add = { path, partitionValues: {}, size, modificationTime: Date.now(), dataChange: true, stats };
  return { add, rows: numRecords };
}

async function putFile({ store, written }: Writer, path: string, file: string): Promise<number> {
  written.add(path);
  await store.putFile(path, file);
  return (await store.localFile(path)).bytes;
}

/** Types whose least and greatest value JSON holds exactly, and how. Texts may be personal, and a log is kept for good. */
const BOUNDED: Readonly<Record<string, (value: string) => string>> = {
  long: (value) => value,
  integer: (value) => value,
  short: (value) => value,
  byte: (value) => value,
  float: (value) => `CASE WHEN isfinite(${value}) THEN ${value}::DOUBLE END`,
  double: (value) => `CASE WHEN isfinite(${value}) THEN ${value} END`,
  date: (value) => `strftime(${value}, '"%Y-%m-%d"')`,
  timestamp: (value) => `strftime(${value}, '"%Y-%m-%dT%H:%M:%S.%fZ"')`,
  timestamp_ntz: (value) => `strftime(${value}, '"%Y-%m-%dT%H:%M:%S.%f"')`,
};
/** A number, or a date of a year of four digits. */
const EXACT = /^(-?\d+(\.\d+)?(e[+-]\d+)?|"\d{4}-[^"]+")$/;

/** DuckDB sets memory aside for each column that is asked about. */
const COLUMNS_AT_ONCE = 500;

/** Readers never look into a file whose bounds exclude what they seek: bounds are exact, or they are left out. */
async function statistics(duck: Duck, schema: readonly Field[], file: string) {
  const wanted = schema.map(({ name, type }) => {
    const bound = typeof type === 'string' ? BOUNDED[type] : undefined;
    const column = quoted(name);
    const [least, most] = bound ? [bound(`min(${column})`), bound(`max(${column})`)] : ['NULL', 'NULL'];
    return `count(${column})::DOUBLE, (${least})::VARCHAR, (${most})::VARCHAR`;
  });
  const [[rows]] = (await duck.rows(`SELECT count(*)::DOUBLE FROM (${given(file)})`)) as [[number]];
  const found: Json[] = [];
  for (let at = 0; at < wanted.length; at += COLUMNS_AT_ONCE) {
    const some = wanted.slice(at, at + COLUMNS_AT_ONCE);
    found.push(...(await duck.rows(`SELECT ${some.join(', ')} FROM (${given(file)})`))[0]!);
  }
  const nullCount = schema.map((_, at) => rows - (found[3 * at] as number));
  const bounds = (which: 1 | 2) =>
    schema.flatMap(({ name }, at) => {
      const [least, most] = [found[3 * at + 1], found[3 * at + 2]] as (string | null)[];
      if (!EXACT.test(least ?? '') || !EXACT.test(most ?? '')) return [];
      return [`${JSON.stringify(name)}:${signedZero([least!, most!][which - 1]!, which)}`];
    });
  const counted = schema.flatMap(({ name, type }, at) =>
    typeof type === 'string' ? [`${JSON.stringify(name)}:${nullCount[at]}`] : [],
  );
  const stats = `{"numRecords":${rows},"minValues":{${bounds(1)}},"maxValues":{${bounds(2)}},"nullCount":{${counted}}}`;
  return { numRecords: rows, stats, nullCount };
}

/** 0.0 and -0.0 are equal to DuckDB, and in this order to others. */
const signedZero = (bound: string, which: 1 | 2): string => {
  if (bound !== '0.0' && bound !== '-0.0') return bound;
  return which === 1 ? '-0.0' : '0.0';
};

/** How many rows a file has, by what its writer says; undefined where it does not say. */
export function rowsOfStats(stats: string | null | undefined): number | undefined {
  if (!stats) return undefined;
  const { numRecords } = JSON.parse(stats) as { numRecords?: number };
  return numRecords;
}

/** A condition: the column holds one of the values. Values are compared as the column's type. */
export const isAmong = (
  { name, type }: Field,
  values: readonly (string | number | bigint | boolean | null)[],
): string =>
  `(${values
    .map((value) =>
      value === null
        ? `${quoted(name)} IS NULL`
        : `${quoted(name)} IS NOT DISTINCT FROM CAST(${literal(String(value))} AS ${sqlType(type)})`,
    )
    .join(' OR ')})`;
