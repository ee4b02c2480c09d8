import { collect, type Database } from './database.ts';

/** Consecutive cells of a column. */
export interface Texts {
  /** Of the first value; rows count from 1. */
  readonly firstRow: number;
  readonly values: readonly (string | null)[];
}

const ROWS = 8192;
/** UTF-16 units that are wanted in memory at a time. */
const MOST = 2 ** 23;

/**
 * The cells of a column in JavaScript, block by block. A block comes as one string, because each string that DuckDB hands
 * over costs 2 microseconds. NUL, which no cell holds, is between the cells; an empty one is a missing one.
 *
 * @param table has a rowid for each of its rows, from 0
 * @param bytes of the column's longest cell
 */
export async function* textsOf(
  db: Database,
  { table, rows, column, longest }: { table: string; rows: number; column: string; longest: number },
): AsyncGenerator<Texts> {
  const step = Math.max(1, Math.min(ROWS, Math.floor(MOST / Math.max(longest, 1))));
  for (let from = 0; from < rows; from += step) {
    const [[joined]] = (await db.rows<[string]>(
      `SELECT string_agg(coalesce(${column}, ''), chr(0) ORDER BY rowid) FROM ${table}
        WHERE rowid >= ${from} AND rowid < ${from + step}`,
    )) as [[string]];
    yield { firstRow: from + 1, values: joined.split('\0').map((value) => (value === '' ? null : value)) };
    if ((from / step) % 256 === 255) collect();
  }
}
