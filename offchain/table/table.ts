import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { HokusaiError } from '../errors.ts';
import { trimCell } from './cell.ts';
import { type CsvShape, lineAt, scanCsv, unparsable } from './csv-scan.ts';

/** A column of a table as it stands in the file; `null` where the field is empty. */
export interface Column {
  name: string;
  values: (string | null)[];
}

/** A table of text held in memory, rows in the order of the file. */
export interface Table {
  /** Where it came from, for messages. */
  file: string;
  /** Number of rows without the header, at least 1 when read from a file. */
  rows: number;
  columns: Column[];
  /** 1-based line of the file on which row i starts. A quoted field may hold line ends, so this is not always i + 2. */
  lines: Uint32Array;
}

/** Largest file read into memory. */
const MAX_BYTES = 2 ** 30;
/** So many equal values of one column share one string; a column with more distinct values is not worth the look-ups. */
const SHARED_VALUES = 1000;

/**
 * Reads a CSV file (UTF-8, header required, RFC 4180 quoting) as text, strictly: a row with too few or too many fields
 * is an error, never padded or dropped. Blank lines are skipped, spaces around column names removed. The result depends on the bytes of the file alone:
 * delimiter and line end follow from {@link scanCsv}, and DuckDB reads with one thread and without its sniffer.
 *
 * @throws HokusaiError `configuration`: TABLE_UNREADABLE (missing, a directory, no permission), TABLE_TOO_LARGE;
 * `terminal`: those of {@link scanCsv}, TABLE_COLUMN_UNNAMED, TABLE_COLUMN_TWICE,
 * TABLE_NO_ROWS
 */
export async function readCsv(file: string): Promise<Table> {
  const bytes = readBytes(file);
  const shape = scanCsv(bytes, file);
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  try {
    const records = await readRecords(connection, file, shape);
    await refuseRejects(connection, file, bytes);
    return toTable(file, records, shape);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The given rows of a table, in the given order; strings are shared with it. */
export function selectRows(table: Table, rows: ArrayLike<number>): Table {
  const order = Array.from(rows);
  return {
    file: table.file,
    rows: order.length,
    columns: table.columns.map(({ name, values }) => ({ name, values: order.map((row) => values[row]!) })),
    lines: Uint32Array.from(order, (row) => table.lines[row]!),
  };
}

/** Writes a table as CSV: comma, RFC 4180 quoting where needed, UTF-8, LF line ends; refuses to overwrite a file. */
export function writeCsv(file: string, table: Table): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx');
  } catch (cause) {
    throw new HokusaiError('configuration', 'TABLE_UNWRITABLE', `${file} cannot be written (${codeOf(cause)})`, {
      details: { file, reason: codeOf(cause) },
      next: 'Name a file that does not exist yet, in a folder that you may write to.',
    });
  }
  try {
    writeFileSync(descriptor, `${table.columns.map(({ name }) => csvField(name)).join(',')}\n`);
    for (let start = 0; start < table.rows; start += 1000) {
      const lines: string[] = [];
      for (let row = start; row < Math.min(start + 1000, table.rows); row++) {
        lines.push(`${table.columns.map(({ values }) => csvField(values[row]!)).join(',')}\n`);
      }
      writeFileSync(descriptor, lines.join(''));
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Spaces at either end and anything a reader could take for syntax are quoted. */
function csvField(value: string | null): string {
  if (value === null) return '';
  return /^[ \t]|[ \t]$|["',;|\t\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}

function readBytes(file: string): Uint8Array {
  try {
    // Before it is read: memory for more may not be there.
    const bytes = statSync(file).size;
    if (bytes > MAX_BYTES) throw tooLarge(file, bytes);
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof HokusaiError) throw cause;
    const reason = codeOf(cause);
    const why = { ENOENT: 'does not exist', EISDIR: 'is a directory', EACCES: 'may not be read' }[reason] ?? reason;
    throw new HokusaiError('configuration', 'TABLE_UNREADABLE', `${file} ${why}`, {
      details: { file, reason },
      next: 'Give the path of a CSV file that this user may read.',
    });
  }
}

function tooLarge(file: string, bytes: number): HokusaiError {
  return new HokusaiError('configuration', 'TABLE_TOO_LARGE', `${file} is larger than 1 GiB`, {
    details: { file, bytes, limit: MAX_BYTES },
    next: 'Give fewer rows or columns: a table that is learned from is held in memory.',
  });
}

/** All records, the header first, column by column. */
async function readRecords(connection: DuckDBConnection, file: string, shape: CsvShape): Promise<Column['values'][]> {
  const names = Array.from({ length: shape.fields }, (_, column) => `'c${column}': 'VARCHAR'`);
  const columns: Column['values'][] = names.map(() => []);
  const shared = names.map(() => new Map<string, string>());
  try {
    const result = await connection.stream(
      `SELECT * FROM read_csv(${sqlPath(file)}, auto_detect = false, header = false, columns = {${names.join(', ')}},
        delim = '${shape.delimiter}', quote = '"', escape = '"', strict_mode = true, compression = 'none',
        store_rejects = true)`,
    );
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      for (const [column, values] of columns.entries()) {
        for (const value of chunk.getColumnValues(column)) values.push(share(shared[column]!, value as string | null));
      }
    }
  } catch {
    // DuckDB's message quotes the row, which may be personal, so it is not passed on.
    throw unparsable(file);
  }
  return columns;
}

function share(pool: Map<string, string>, value: string | null): string | null {
  if (value === null) return null;
  const known = pool.get(value);
  if (known === undefined && pool.size < SHARED_VALUES) pool.set(value, value);
  return known ?? value;
}

/** A path as an SQL literal in which DuckDB sees no wildcards and no URL. */
function sqlPath(file: string): string {
  const literal = resolve(file).replace(/[[\]*?]/g, (special) => `[${special}]`);
  return `'${literal.replaceAll("'", "''")}'`;
}

/** DuckDB leaves out rows that it cannot read and writes them to a table of rejects. */
async function refuseRejects(connection: DuckDBConnection, file: string, bytes: Uint8Array): Promise<void> {
  const rejects = await connection.runAndReadAll('SELECT min(line_byte_position)::DOUBLE FROM reject_errors');
  const position = rejects.getRows()[0]![0] as number | null;
  if (position !== null) throw unparsable(file, lineAt(bytes, position));
}

function toTable(file: string, records: Column['values'][], shape: CsvShape): Table {
  const count = records[0]!.length;
  // Two independent readings of the same bytes: if they count differently, one of them misunderstood the quotes.
  if (count !== shape.lines.length) throw unparsable(file);
  const names = records.map((values) => trimCell(values[0] ?? ''));
  refuseNames(file, names);
  if (count === 1) {
    throw new HokusaiError('terminal', 'TABLE_NO_ROWS', `${file} has a header and no rows`, {
      details: { file, columns: names.length },
      next: 'Give a file with at least one row.',
    });
  }
  const columns = records.map((values, column) => ({ name: names[column]!, values: values.slice(1) }));
  return { file, rows: count - 1, columns, lines: shape.lines.slice(1) };
}

function refuseNames(file: string, names: string[]): void {
  const unnamed = names.flatMap((name, column) => (name === '' ? [column + 1] : []));
  if (unnamed.length > 0) {
    throw new HokusaiError('terminal', 'TABLE_COLUMN_UNNAMED', `${file}: no name for column ${unnamed.join(', ')}`, {
      details: { file, columns: unnamed },
      next: 'Name each column in the first line.',
    });
  }
  const twice = [...new Set(names.filter((name, column) => names.indexOf(name) !== column))];
  if (twice.length > 0) {
    throw new HokusaiError('terminal', 'TABLE_COLUMN_TWICE', `${file}: column ${twice.join(', ')} occurs twice`, {
      details: { file, columns: twice },
      next: 'Give each column a name of its own.',
    });
  }
}
