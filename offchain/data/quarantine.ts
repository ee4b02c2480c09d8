import { chmodSync, existsSync } from 'node:fs';
import { HokusaiError } from '../errors.ts';
import { type Database, identifier, literal, pathLiteral } from './database.ts';
import type { Inspection } from './inspect.ts';

/** A table of `row` and `reason` of all rows that are refused, a reason for each line. */
export async function rejectedRows(
  db: Database,
  { checked, duplicates, repeated }: Inspection,
  refused: string | undefined,
): Promise<string> {
  const name = db.name('rejected');
  const texts = checked.results.map(
    ({ column, rule, expected }, id) => `(${id}, ${literal(`${column}: ${rule}, expected ${expected}`)})`,
  );
  const reasons = texts.length > 0 ? `(VALUES ${texts.join(', ')})` : `(SELECT 0, '' WHERE false)`;
  await db.run(
    `CREATE TABLE ${name} AS SELECT row, reason FROM ${checked.broken} JOIN ${reasons} r(id, reason) ON id = check_id`,
  );
  if (refused !== undefined) await db.run(`INSERT INTO ${name} SELECT row, 'personal data' FROM ${refused}`);
  if (duplicates.exact > 0) {
    await db.run(`INSERT INTO ${name} SELECT row, 'equal to row ' || first FROM ${repeated}`);
  }
  return name;
}

/**
 * Writes the rejected rows as they are in the file, each with its number and the reasons, into a CSV or Parquet file that
 * only its owner may read: they may hold personal data.
 *
 * @returns how many rows it holds
 * @throws HokusaiError `configuration` QUARANTINE_EXISTS
 */
export async function writeQuarantine(
  db: Database,
  table: Inspection['table'],
  rejected: string,
  file: string,
): Promise<number> {
  if (existsSync(file)) {
    throw new HokusaiError('configuration', 'QUARANTINE_EXISTS', `${file} is there already`, {
      details: { file },
      next: 'Name a file that is not there yet.',
    });
  }
  const columns = table.names.map((name, at) => `c${at} AS ${identifier(name)}`).join(', ');
  const reasons = `(SELECT row, string_agg(DISTINCT reason, '; ' ORDER BY reason) AS reasons FROM ${rejected} GROUP BY row)`;
  const options = file.endsWith('.parquet') ? 'FORMAT parquet' : 'FORMAT csv, HEADER true';
  // The number and the reason of a row have names that no column of the table has.
  const free = (name: string): string =>
    table.names.some((one) => one.toLowerCase() === name) ? free(`_${name}`) : name;
  const query = `SELECT q.row AS ${free('row')}, reasons AS ${free('reasons')}, ${columns}
    FROM ${table.table} t JOIN ${reasons} q ON t.rowid + 1 = q.row ORDER BY q.row`;
  await db.run(`COPY (${query}) TO ${pathLiteral(file)} (${options})`);
  chmodSync(file, 0o600);
  return (await db.rows<[number]>(`SELECT count(DISTINCT row) FROM ${rejected}`))[0]![0];
}
