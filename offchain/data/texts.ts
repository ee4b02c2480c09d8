import { collect, type Database } from './database.ts';

/** Consecutive cells of a column. */
export interface Texts {
  /** Of the first value; rows count from 1. */
  readonly firstRow: number;
  readonly values: readonly (string | null)[];
}

/** Some cells of consecutive rows of a column. */
export interface SomeTexts {
  readonly rows: readonly number[];
  readonly values: readonly string[];
  /** How many cells that are not missing are left out. */
  readonly passed: number;
}

interface Column {
  /** Has a rowid for each of its rows, from 0. */
  readonly table: string;
  readonly rows: number;
  readonly column: string;
  /** Bytes of the longest cell. */
  readonly longest: number;
}

const ROWS = 8192;
/** UTF-16 units that are wanted in memory at a time. */
const MOST = 2 ** 23;

/** A power of two, so that a block is part of one of DuckDB's row groups, of 15 x 8192 rows, and comes in order. */
const stepOf = (longest: number): number =>
  2 ** (31 - Math.clz32(Math.max(1, Math.min(ROWS, MOST / Math.max(longest, 1)))));

/** Consecutive cells of a column in UTF-8, with a NUL between them, which no cell holds; an empty one is a missing one. */
export interface Bytes {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** The cells of a column as bytes, block by block; they are good until the next. */
export async function* bytesOf(db: Database, { table, rows, column, longest }: Column): AsyncGenerator<Bytes> {
  const step = stepOf(longest);
  for (let from = 0; from < rows; from += step) {
    const bytes = await db.bytes(`SELECT encode(texts) FROM (SELECT ${joined(column, table, from, step)})`);
    yield { bytes, count: Math.min(step, rows - from) };
    if ((from / step) % 256 === 255) collect();
  }
}

/** Blocks lie in one row group, which comes in order. */
const joined = (column: string, table: string, from: number, step: number): string =>
  `string_agg(coalesce(${column}, ''), chr(0)) AS texts FROM ${table} WHERE rowid >= ${from} AND rowid < ${from + step}`;

/**
 * The cells of a column in JavaScript, block by block. A block comes as one string, because each string that DuckDB hands
 * over costs 2 microseconds. NUL, which no cell holds, is between the cells; an empty one is a missing one.
 */
export async function* textsOf(db: Database, { table, rows, column, longest }: Column): AsyncGenerator<Texts> {
  const step = stepOf(longest);
  for (let from = 0; from < rows; from += step) {
    const [[texts]] = (await db.rows<[string]>(`SELECT ${joined(column, table, from, step)}`)) as [[string]];
    yield { firstRow: from + 1, values: texts.split('\0').map((value) => (value === '' ? null : value)) };
    if ((from / step) % 256 === 255) collect();
  }
}

/**
 * Those of a column's cells, from a row on, that fulfil a condition.
 *
 * @param condition in SQL; no empty cell that is not missing fails it
 */
export async function* someTextsOf(
  db: Database,
  { table, rows, column, longest }: Column,
  firstRow: number,
  condition: string,
): AsyncGenerator<SomeTexts> {
  const step = stepOf(longest);
  for (let from = firstRow - 1; from < rows; from += step) {
    const [[numbers, joined, present]] = (await db.rows<[string | null, string | null, number]>(
      `SELECT string_agg(r, ',') FILTER (m), string_agg(c, chr(0)) FILTER (m), count(c) FROM
        (SELECT c, r, ${condition.replaceAll(column, 'c')} AS m FROM (SELECT ${column} AS c, rowid + 1 AS r FROM ${table}
          WHERE rowid >= ${from} AND rowid < ${from + step}))`,
    )) as [[string | null, string | null, number]];
    const values = joined === null ? [] : joined.split('\0');
    yield { rows: numbers === null ? [] : numbers.split(',').map(Number), values, passed: present - values.length };
    if ((from / step) % 256 === 255) collect();
  }
}
