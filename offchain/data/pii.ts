import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_RECORD } from '../csv-scan.ts';
import { REJECTED } from '../pii/clean.ts';
import type { PiiOptions } from '../pii/options.ts';
import { type PiiFinding, type PiiReport, PiiScanner } from '../pii/scanner.ts';
import { type Database, pathLiteral } from './database.ts';
import type { Profiled } from './profile.ts';
import { textsOf } from './texts.ts';

/** Personal data of a table: what there is, and how to be rid of it. */
export interface Scanned {
  readonly report: PiiReport;
  /** The cells without it, and the rows that are refused because of it. */
  clean(): Promise<{ table: Profiled; rejected: string }>;
}

/** Looks for personal data in every cell as it is written in the file. */
export async function scanPii(
  db: Database,
  table: Profiled,
  options: PiiOptions,
  onFinding: (finding: PiiFinding) => void = () => {},
): Promise<Scanned> {
  // A bit for each cell with a finding, so that cleaning looks at those alone: 10 million rows take 1.25 MB a column.
  const found = new Map(table.names.map((name) => [name, new Uint8Array((table.rows >>> 3) + 1)]));
  const scanner = new PiiScanner(table.names, options, {
    onFinding(finding) {
      found.get(finding.column)![finding.row >>> 3]! |= 1 << (finding.row & 7);
      onFinding(finding);
    },
  });
  for (const [at, { longest }] of table.profile.entries()) {
    const cells = { table: table.table, rows: table.rows, column: `c${at}`, longest: longest + 1024 };
    for await (const { firstRow, values } of textsOf(db, cells)) scanner.scan(at, values, firstRow);
  }
  const report = scanner.report();
  return { report, clean: () => clean(db, table, scanner, [...found.values()]) };
}

async function clean(
  db: Database,
  table: Profiled,
  scanner: PiiScanner,
  found: readonly Uint8Array[],
): Promise<{ table: Profiled; rejected: string }> {
  const clean = scanner.cleaner();
  const rejected = db.name('refused');
  await db.run(`CREATE TABLE ${rejected} (row BIGINT)`);
  const changed = new Map<number, string>();
  for (const [at, { types }] of scanner.report().columns.entries()) {
    if (types.every(({ action }) => action === 'keep')) continue;
    const column = new CleanColumn(db);
    const cells = {
      table: table.table,
      rows: table.rows,
      column: `c${at}`,
      longest: table.profile[at]!.longest + 1024,
    };
    const has = (row: number) => (found[at]![row >>> 3]! >>> (row & 7)) & 1;
    for await (const { firstRow, values } of textsOf(db, cells)) {
      column.add(values.map((value, i) => (has(firstRow + i) ? clean(at, value) : value)));
    }
    changed.set(at, await column.finish(rejected));
  }
  if (changed.size === 0) return { table, rejected };
  const cells = db.name('clean');
  const columns = table.names.map((_, at) => (changed.has(at) ? `canonical(x${at}.value) AS k${at}` : `k${at}`));
  // Row by row beside each other: a join by row number would hold whole columns in memory.
  const beside = [...changed].map(([at, name]) => `POSITIONAL JOIN ${name} x${at}`).join(' ');
  await db.run(`CREATE TABLE ${cells} AS SELECT t.row, ${columns.join(', ')} FROM ${table.cells} t ${beside}`);
  return { table: { ...table, cells }, rejected };
}

/** A column's cells in order, on their way back to the database. */
class CleanColumn {
  readonly #db: Database;
  readonly #file: string;
  readonly #descriptor: number;

  constructor(db: Database) {
    this.#db = db;
    this.#file = join(db.directory, db.name('column'));
    this.#descriptor = openSync(this.#file, 'wx', 0o600);
  }

  add(values: readonly (string | null | typeof REJECTED)[]): void {
    const lines = values.map((value) => {
      if (value === REJECTED) return '1,\n';
      return value === null ? '0,\n' : `0,"${value.replaceAll('"', '""')}"\n`;
    });
    writeSync(this.#descriptor, lines.join(''));
  }

  /** @returns a table of `value` by row; rows that are refused are added to `rejected` */
  async finish(rejected: string): Promise<string> {
    closeSync(this.#descriptor);
    const table = this.#db.name('column');
    const read = `read_csv(${pathLiteral(this.#file)}, auto_detect = false, header = false, delim = ',', quote = '"',
      escape = '"', max_line_size = ${2 * MAX_RECORD + 1024}, columns = {'refused': 'INTEGER', 'value': 'VARCHAR'})`;
    await this.#db.run(`CREATE TABLE ${table} AS SELECT * FROM ${read}`);
    await this.#db.run(`INSERT INTO ${rejected} SELECT rowid + 1 FROM ${table} WHERE refused = 1`);
    return table;
  }
}
