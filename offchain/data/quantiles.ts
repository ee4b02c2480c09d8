import type { Database } from './database.ts';
import type { Profiled } from './profile.ts';

/** Rows by which quantiles are estimated: their ranks are right within half a percent. */
const SAMPLE = 20_000;

/**
 * Quantiles of columns of numbers, by a sample of the rows that is the same on every machine, for any number of threads.
 *
 * @param columns none of whose cells is a text
 * @param shares in (0, 1)
 * @returns for each of the columns its quantiles; 0 where all of its cells in the sample are missing
 */
export async function quantilesOf(
  db: Database,
  { cells, rows }: Pick<Profiled, 'cells' | 'rows'>,
  columns: readonly number[],
  shares: readonly number[],
): Promise<number[][]> {
  const values = columns.map((at) => `TRY_CAST(k${at} AS DOUBLE) AS d${at}`).join(', ');
  const quantiles = columns.flatMap((at) => shares.map((share) => `quantile_cont(d${at}, ${share})`)).join(', ');
  const [found] = await db.rows<(number | null)[]>(
    `SELECT ${quantiles} FROM (SELECT ${values} FROM ${cells} WHERE hash(row) % ${Math.ceil(rows / SAMPLE)} = 0)`,
  );
  return columns.map((_, i) => shares.map((_, j) => found![i * shares.length + j] ?? 0));
}
