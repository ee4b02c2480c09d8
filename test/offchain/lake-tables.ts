/** What the tests of tables share: Parquet files of rows, and rows of versions. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { changesOf } from '../../offchain/lake/changes.ts';
import { sqlFile, withDuck } from '../../offchain/lake/duck.ts';
import { FILE, rowsOf } from '../../offchain/lake/rows.ts';
import { literal } from '../../offchain/lake/schema.ts';
import { type At, readSnapshot } from '../../offchain/lake/snapshot.ts';
import { LOCAL_SCRATCH, type Store } from '../../offchain/lake/store.ts';

const root = mkdtempSync(join(tmpdir(), 'lake-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** A path at which there is nothing yet. */
export const newPath = (): string => join(root, randomUUID());
export const lakeRoot = root;

export interface Row {
  id: number | null;
  text: string | null;
  value: number | null;
}

const sqlRow = ({ id, text, value }: Row) => {
  // Texts are given by their bytes, because SQL itself cannot hold all of them.
  const bytes = text === null ? 'NULL' : `decode(unhex('${Buffer.from(text).toString('hex')}'))`;
  return `(${id ?? 'NULL'}, ${bytes}, ${value === null ? 'NULL' : `${literal(String(value))}::DOUBLE`})`;
};

/** A Parquet file of a query. */
export async function parquetOf(query: string): Promise<string> {
  const file = `${newPath()}.parquet`;
  await withDuck(LOCAL_SCRATCH, (duck) => duck.run(`COPY (${query}) TO ${sqlFile(file)} (FORMAT parquet)`));
  return file;
}

/** A Parquet file of rows. */
export const parquet = (rows: readonly Row[]): Promise<string> => {
  const typed = 'CAST(a AS BIGINT) AS id, CAST(b AS VARCHAR) AS text, CAST(c AS DOUBLE) AS value';
  const values = rows.length > 0 ? `VALUES ${rows.map(sqlRow).join(', ')}` : 'SELECT NULL, NULL, NULL WHERE false';
  return parquetOf(`SELECT ${typed} FROM (${values}) AS t(a, b, c)`);
};

/** Rows as sorted texts, which tell multisets apart. */
export const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();
export const asTexts = (rows: readonly Row[]): string[] =>
  sorted(rows.map(({ id, text, value }) => [id === null ? null : String(id), text, jsonNumber(value)]));
const jsonNumber = (value: number | null) => (value === null || Number.isFinite(value) ? value : String(value));

/** The rows of a version as sorted texts. */
export async function rowsAt(store: Store, at: At = {}): Promise<string[]> {
  const snapshot = await readSnapshot(store, at);
  const query = await rowsOf(store, snapshot, snapshot.files.values());
  return withDuck(LOCAL_SCRATCH, async (duck) => sorted(await duck.rows(`SELECT * EXCLUDE (${FILE}) FROM (${query})`)));
}

/** What a version changed: rows as texts, by type. */
export async function changesAt(store: Store, version: number): Promise<Map<string, string[]>> {
  const query = await changesOf(store, version - 1, version);
  const changed = new Map<string, string[]>();
  await withDuck(LOCAL_SCRATCH, async (duck) => {
    const rows = await duck.rows(`SELECT * EXCLUDE (_commit_version, _commit_timestamp) FROM (${query})`);
    for (const row of rows) {
      const type = String(row.at(-1));
      changed.set(type, [...(changed.get(type) ?? []), JSON.stringify(row.slice(0, -1))]);
    }
  });
  return changed;
}
