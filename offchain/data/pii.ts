import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { REJECTED } from '../pii/clean.ts';
import type { PiiOptions } from '../pii/options.ts';
import { type Cleaned, type PiiFinding, type PiiReport, PiiScanner } from '../pii/scanner.ts';
import { MAX_RECORD } from '../table/csv-scan.ts';
import { type Database, pathLiteral } from './database.ts';
import { LinesFile } from './lines.ts';
import { isNobodys, type Profiled } from './profile.ts';
import { someTextsOf, textsOf } from './texts.ts';

/** Personal data of a table: what there is, and how to be rid of it. */
export interface Scanned {
  readonly report: PiiReport;
  /** The cells without it, and the rows that are refused because of it. */
  clean(): Promise<{ table: Profiled; rejected: string }>;
}

/**
 * Cells of a text column in which a recogniser may find something: of other ASCII texts no place is an anchor, and
 * numbers and times are nobody's. Cells that may be blank are among them.
 */
const canHold = (cell: string): string => `CASE WHEN ${cell} < '!' THEN true
  WHEN ${cell} < ':' AND ${isNobodys(cell)} THEN false ELSE regexp_matches(${cell}, ${ANCHORS}) END`;
const ANCHORS = "'[0-9A-Z@:]|[^\\x00-\\x7f]|[^\\x00-\\x20]{14}'";

/** Looks for personal data in every cell as it is written in the file, and notes what is to be there instead. */
export async function scanPii(
  db: Database,
  table: Profiled,
  options: PiiOptions,
  onFinding: (finding: PiiFinding) => void = () => {},
): Promise<Scanned> {
  const cleaned = new Map<number, CleanedColumn>();
  const onCleaned = (column: number, row: number, value: Cleaned) => {
    if (!cleaned.has(column)) cleaned.set(column, new CleanedColumn(db));
    cleaned.get(column)!.add(row, value);
  };
  const scanner = new PiiScanner(table.names, options, { onFinding, onCleaned });
  for (const [at, { longest }] of table.profile.entries()) {
    const cells = { table: table.table, rows: table.rows, column: `c${at}`, longest };
    let next = 1;
    for await (const { firstRow, values } of textsOf(db, cells)) {
      scanner.scan(at, values, firstRow);
      next = firstRow + values.length;
      if (scanner.isText(at)) break;
    }
    if (next <= table.rows) await scanRest(db, table, at, scanner, next);
    scanner.end(at);
    cleaned.get(at)?.end(table.rows);
  }
  return { report: scanner.report(), clean: () => clean(db, table, cleaned) };
}

/** Fewer distinct values than one for so many rows are looked at before the rows are. */
const RECURRING = 50;

/** Scans those cells of a text column, from a row on, in which something may be found. */
async function scanRest(db: Database, table: Profiled, at: number, scanner: PiiScanner, next: number): Promise<void> {
  const { present, nobodys, distinct, longest } = table.profile[at]!;
  const condition = canHold(`c${at}`);
  let none = nobodys === present;
  if (!none && RECURRING * distinct < table.rows) {
    const values = `(SELECT DISTINCT c${at} FROM ${table.table} WHERE c${at} IS NOT NULL)`;
    const [[some]] = (await db.rows<[number]>(`SELECT count_if(${condition}) FROM ${values}`)) as [[number]];
    none = some === 0;
  }
  if (none) {
    const [[passed]] = (await db.rows<[number]>(
      `SELECT count(c${at}) FROM ${table.table} WHERE rowid >= ${next - 1}`,
    )) as [[number]];
    return scanner.scanSome(at, [], [], passed);
  }
  const cells = { table: table.table, rows: table.rows, column: `c${at}`, longest };
  for await (const { rows, values, passed } of someTextsOf(db, cells, next, condition)) {
    scanner.scanSome(at, values, rows, passed);
  }
}

async function clean(
  db: Database,
  table: Profiled,
  cleaned: ReadonlyMap<number, CleanedColumn>,
): Promise<{ table: Profiled; rejected: string }> {
  const rejected = db.name('refused');
  await db.run(`CREATE TABLE ${rejected} (row BIGINT)`);
  if (cleaned.size === 0) return { table, rejected };
  const cells = db.name('clean');
  const columns = table.names.map((_, at) =>
    cleaned.has(at) ? `CASE WHEN x${at}.found = ${REPLACED} THEN x${at}.value ELSE k${at} END AS k${at}` : `k${at}`,
  );
  // Row by row beside each other: a join by row number would hold whole columns in memory.
  const beside: string[] = [];
  for (const [at, column] of cleaned) beside.push(`POSITIONAL JOIN ${await column.table(rejected)} x${at}`);
  await db.run(`CREATE VIEW ${cells} AS SELECT t.row, ${columns.join(', ')} FROM ${table.cells} t ${beside.join(' ')}`);
  const profile = table.profile.map((column, at) =>
    cleaned.has(at) ? { ...column, complete: false, longest: Number.POSITIVE_INFINITY } : column,
  );
  return { table: { ...table, cells, profile }, rejected };
}

/** What a line says of its cell: nothing was found, it is replaced, its row is refused. */
const [AS_IT_IS, REPLACED, REFUSED] = [0, 1, 2];
const UNCHANGED = `${AS_IT_IS},\n`;

/** What stands in a column's cells instead, in order of rows, on its way back to the database: a line for each row. */
class CleanedColumn {
  readonly #db: Database;
  readonly #file: string;
  readonly #lines: LinesFile;
  #next = 1;

  constructor(db: Database) {
    this.#db = db;
    this.#file = join(db.directory, db.name('column'));
    this.#lines = new LinesFile(this.#file);
  }

  add(row: number, value: Cleaned): void {
    this.#skipTo(row);
    if (value === REJECTED) this.#lines.add(`${REFUSED},\n`);
    else this.#lines.add(value === null ? `${REPLACED},\n` : `${REPLACED},"${value.replaceAll('"', '""')}"\n`);
    this.#next++;
  }

  /** No more comes, of so many rows. */
  end(rows: number): void {
    this.#skipTo(rows + 1);
    this.#lines.close();
  }

  #skipTo(row: number): void {
    for (; this.#next < row; this.#next++) this.#lines.add(UNCHANGED);
  }

  /** @returns a table of `found` and `value` by row; rows that are refused are added to `rejected` */
  async table(rejected: string): Promise<string> {
    const table = this.#db.name('column');
    const read = `read_csv(${pathLiteral(this.#file)}, auto_detect = false, header = false, delim = ',', quote = '"',
      escape = '"', max_line_size = ${2 * MAX_RECORD + 1024}, columns = {'found': 'UTINYINT', 'value': 'VARCHAR'})`;
    await this.#db.run(
      `CREATE TABLE ${table} AS SELECT found, CASE WHEN value IS NOT NULL THEN canonical(value) END AS value FROM ${read}`,
    );
    await this.#db.run(`INSERT INTO ${rejected} SELECT rowid + 1 FROM ${table} WHERE found = ${REFUSED}`);
    rmSync(this.#file);
    return table;
  }
}
