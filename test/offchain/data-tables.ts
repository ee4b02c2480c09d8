import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { Database, pathLiteral } from '../../offchain/data/database.ts';
import { type Inspection, type InspectOptions, inspect } from '../../offchain/data/inspect.ts';
import type { Table } from '../../offchain/table/table.ts';

let files = 0;

/** A folder that goes when the tests are done, and a way to write files there. */
export function scratch(): { folder: string; write(content: string | Uint8Array, name?: string): string } {
  const folder = mkdtempSync(join(tmpdir(), 'hokusai-data-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const write = (content: string | Uint8Array, name = `${files++}.csv`) => {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  };
  return { folder, write };
}

/** Runs with a database that is closed afterwards. */
export async function withDatabase<T>(use: (db: Database) => Promise<T>, options = {}): Promise<T> {
  const db = await Database.open(options);
  try {
    return await use(db);
  } finally {
    db.close();
  }
}

/** Inspects a file, with personal data left alone, and uses what was found. */
export const inspecting = <T>(
  file: string,
  options: Partial<InspectOptions>,
  use: (inspection: Inspection, db: Database) => Promise<T> | T,
): Promise<T> => withDatabase(async (db) => use(await inspect(db, file, { pii: { action: 'keep' }, ...options }), db));

const csvField = (cell: string | null): string => (cell === null ? '' : `"${cell.replaceAll('"', '""')}"`);

/** The rows of a table as text in the formats that there are; Parquet is made of the NDJSON by DuckDB. */
export const writers: Readonly<Record<string, (rows: Record<string, string | null>[]) => string>> = {
  csv: (rows) =>
    lines(
      Object.keys(rows[0]!).map(csvField).join(','),
      rows.map((row) => Object.values(row).map(csvField).join(',')),
    ),
  json: (rows) => JSON.stringify(rows),
  ndjson: (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
};

const lines = (head: string, rest: readonly string[]): string => `${[head, ...rest].join('\n')}\n`;

/** Writes Parquet of a query. */
export const writeParquet = (query: string, file: string, options = ''): Promise<void> =>
  // With more memory than what reads it has: a bomb takes some to make.
  withDatabase((db) => db.run(`COPY (${query}) TO ${pathLiteral(file)} (FORMAT parquet${options && `, ${options}`})`), {
    memoryMB: 1_000,
  });

/** A table in memory of the same rows, for the pipeline that works on those. */
export function tableFrom(rows: readonly Record<string, string | null>[]): Table {
  const names = Object.keys(rows[0]!);
  const columns = names.map((name) => ({ name, values: rows.map((row) => row[name] ?? null) }));
  return { file: 'memory', rows: rows.length, columns, lines: Uint32Array.from(rows, (_, row) => row + 2) };
}
