import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { REJECTED } from '../pii/clean.ts';
import type { PiiOptions } from '../pii/options.ts';
import { LONG_TOKEN } from '../pii/recogniser.ts';
import { type Cleaned, type PiiFinding, type PiiReport, PiiScanner } from '../pii/scanner.ts';
import { MAX_RECORD } from '../table/csv-scan.ts';
import type { ColumnProfile } from './column-counter.ts';
import { type Database, pathLiteral } from './database.ts';
import { LinesFile } from './lines.ts';
import type { Profiled } from './profile.ts';
import { KIND, type Room } from './room.ts';
import { type Block, blocksOf, textAt } from './texts.ts';

/** Personal data of a table: what there is, and how to be rid of it. */
export interface Scanned {
  readonly report: PiiReport;
  /** The cells without it, and the rows that are refused because of it. */
  clean(): Promise<{ table: Profiled; rejected: string }>;
}

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
  const left = new Map(table.profile.map(({ present }, at) => [at, present]));
  for (const block of blocksOf(table.texts)) {
    for (const [at, values] of left) {
      if (scanner.isText(at) && holdsNothing(table.profile[at]!)) {
        scanner.pass(at, values);
        left.delete(at);
      } else left.set(at, values - scanBlock(scanner, block, at, table.names.length));
    }
  }
  for (const at of table.names.keys()) scanner.end(at);
  for (const column of cleaned.values()) column.end(table.rows);
  return { report: scanner.report(), clean: () => clean(db, table, cleaned) };
}

/**
 * Whether no recogniser finds anything in a text column, for what `canHold` says of each of its cells: numbers of a few
 * digits, or small letters without long tokens. None of them is blank, so as many are values as are present.
 */
function holdsNothing({ kinds, longest, numbers, present }: ColumnProfile): boolean {
  if ((kinds & ~(KIND.DIGIT | KIND.SIGN)) === 0) return numbers === present && longest <= NOBODYS_DIGITS;
  return (kinds & ~(KIND.LOWER | KIND.SIGN)) === 0 && longest < LONG_TOKEN;
}

/** Scans a block's cells of a column: of a text column those in which something may be found. @returns how many are not empty */
function scanBlock(scanner: PiiScanner, block: Block, at: number, width: number): number {
  const { room, firstRow, rows } = block;
  const { starts, ends } = room;
  let [isText, passed, values] = [scanner.isText(at), 0, 0];
  for (let row = 0, cell = at; row < rows; row++, cell += width) {
    if (starts[cell] === ends[cell]) continue;
    values++;
    if (isText && !canHold(room, cell)) passed++;
    else {
      scanner.scanValue(at, textAt(room, cell), firstRow + row);
      isText ||= scanner.isText(at);
    }
  }
  scanner.pass(at, passed);
  return values;
}

/**
 * Whether a recogniser may find something in a cell of a text column: of other ASCII texts no place is an anchor, and short
 * numbers and dates are nobody's. Cells that may be blank are among them.
 */
function canHold({ bytes, starts, ends, kinds }: Room, cell: number): boolean {
  const [from, to, found] = [starts[cell]!, ends[cell]!, kinds[cell]!];
  if ((found & ~(KIND.DIGIT | KIND.SIGN)) === 0) return !isNobodys(bytes, from, to);
  return (found & ANCHORS) !== 0 || bytes[from]! <= SPACE || hasLongToken(bytes, from, to);
}

const ANCHORS = KIND.DIGIT | KIND.UPPER | KIND.MARK | KIND.WIDE;
const SPACE = 32;
/** Of a number before the point, up to which it is nobody's. */
const NOBODYS_DIGITS = 8;
const [PLUS, MINUS, POINT, ZERO, NINE] = [43, 45, 46, 48, 57];

function hasLongToken(bytes: Uint8Array, from: number, to: number): boolean {
  for (let start = from; start + LONG_TOKEN <= to; ) {
    // The last space that a token as long would have in it.
    let at = start + LONG_TOKEN - 1;
    while (at >= start && bytes[at]! > SPACE) at--;
    if (at < start) return true;
    start = at + 1;
  }
  return false;
}

/** Whether digits and signs are a number of up to 8 digits before the point, or a date: most of what `NO_TEXT` says. */
function isNobodys(bytes: Uint8Array, from: number, to: number): boolean {
  const first = bytes[from] === PLUS || bytes[from] === MINUS ? from + 1 : from;
  const end = endOfDigits(bytes, first, to);
  if (end === to) return end - first <= NOBODYS_DIGITS;
  const next = endOfDigits(bytes, end + 1, to);
  if (bytes[end] === POINT) return next === to && end > first && end - first <= NOBODYS_DIGITS && to - end <= 21;
  const hasHyphens = bytes[end] === MINUS && bytes[next] === MINUS;
  return (
    hasHyphens && end - from === 4 && next - end === 3 && to - next === 3 && endOfDigits(bytes, next + 1, to) === to
  );
}

function endOfDigits(bytes: Uint8Array, from: number, to: number): number {
  let end = from;
  while (end < to && bytes[end]! >= ZERO && bytes[end]! <= NINE) end++;
  return end;
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
