import { join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import { trimCell } from '../table/cell.ts';
import { MAX_RECORD } from '../table/csv-scan.ts';
import { collect, type Database, identifier, literal, pathLiteral } from './database.ts';
import { type Format, findSources, type Source } from './source.ts';
import { type Encoding, readText } from './text-file.ts';

export interface ReadOptions {
  /** Else by the file's name, or its first bytes. */
  readonly format?: Format | undefined;
  /** Else by a byte order mark, or UTF-8. */
  readonly encoding?: Encoding | undefined;
  /** Between the fields of a CSV file; else the most frequent candidate in its header. */
  readonly delimiter?: string | undefined;
}

/** A table in the database: each cell as text, as it is written in the file, empty ones as NULL; rows in the order of the files. */
export interface Dataset {
  /** What the caller named, for messages. */
  readonly path: string;
  readonly files: readonly string[];
  /** Its columns are c0, c1, …; the number of a row, from 1, is its rowid + 1. */
  readonly table: string;
  readonly names: readonly string[];
  readonly rows: number;
}

const MAX_COLUMNS = 2000;
/** Types of Parquet whose values have one way to be written as text. */
const PLAIN_TYPES =
  /^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)|VARCHAR|DATE|TIME|TIMESTAMP.*|UUID|ENUM\(.*\))$/;
/** Cells of Parquet beyond which a file has to hold a byte for each thousand of them. */
const FREE_CELLS = 2e7;
const CELLS_PER_BYTE = 1000;
const MOST_RATIO = 200;
const FREE_BYTES = 2 ** 26;

/**
 * Reads all files of a path into the database, streaming, in memory that does not depend on their size. A file is read
 * strictly or refused: nothing is padded, dropped, guessed or rounded.
 *
 * @throws HokusaiError those of {@link findSources} and {@link readText}; `terminal`: CSV_UNPARSABLE, JSON_UNPARSABLE,
 *   PARQUET_UNREADABLE, PARQUET_BOMB, TABLE_TOO_WIDE, TABLE_COLUMN_UNNAMED, TABLE_COLUMN_TWICE, TABLE_COLUMN_TYPE,
 *   TABLE_COLUMNS_DIFFER, TABLE_NO_ROWS, CELL_NUL
 */
export async function stage(db: Database, path: string, options: ReadOptions = {}): Promise<Dataset> {
  const sources = findSources(path, options.format);
  const table = db.name('t');
  let names: readonly string[] | undefined;
  let expected = 0;
  for (const source of sources) {
    const { select, found, rows } = await reading(db, source, options);
    refuseNames(source.file, found);
    if (names === undefined) {
      names = found;
      await copy(db, source, `CREATE TABLE ${table} AS ${select(names)}`);
    } else {
      refuseOtherColumns(source.file, names, found);
      await copy(db, source, `INSERT INTO ${table} ${select(names)}`);
    }
    expected += rows ?? 0;
    if (rows !== undefined && (await count(db, table)) !== expected) throw unparsable(source);
    collect();
  }
  const rows = await count(db, table);
  if (rows === 0) throw noRows(path, names!.length);
  const dataset = { path, files: sources.map(({ file }) => file), table, names: names!, rows };
  if (sources[0]!.format === 'json' || sources[0]!.format === 'parquet' || sources[0]!.format === 'ndjson') {
    await refuseNul(db, dataset);
  }
  return dataset;
}

/** How a file is read: an SQL query for columns c0, c1, … of these names, and the rows that it has to give. */
interface Reading {
  readonly found: readonly string[];
  readonly rows?: number;
  select(names: readonly string[]): string;
}

async function reading(db: Database, source: Source, options: ReadOptions): Promise<Reading> {
  if (source.format === 'parquet') return readingParquet(db, source);
  const { path, csv } = await readText(source, join(db.directory, db.name('spool')), options);
  return csv ? readingCsv(db, source, path, csv) : readingJson(db, source, path);
}

async function readingCsv(
  db: Database,
  source: Source,
  path: string,
  { delimiter, fields, rows }: { delimiter: string; fields: number; rows: number },
): Promise<Reading> {
  if (fields > MAX_COLUMNS) throw tooWide(source.file, fields);
  const columns = Array.from({ length: fields }, (_, at) => `'f${at}': 'VARCHAR'`).join(', ');
  const read = (header: boolean) => `read_csv(${pathLiteral(path)}, auto_detect = false, header = ${header},
    columns = {${columns}}, delim = ${literal(delimiter)}, quote = '"', escape = '"', strict_mode = true,
    compression = 'none', max_line_size = ${MAX_RECORD + 1024})`;
  const [header] = await db.rows<(string | null)[]>(`SELECT * FROM ${read(false)} LIMIT 1`).catch(() => {
    throw unparsable(source);
  });
  const found = header!.map((name) => trimCell(name ?? ''));
  const select = (names: readonly string[]) =>
    `SELECT ${names.map((name, at) => `f${found.indexOf(name)} AS c${at}`).join(', ')} FROM ${read(true)}`;
  return { found, rows, select };
}

async function readingJson(db: Database, source: Source, path: string): Promise<Reading> {
  const format = source.format === 'json' ? 'array' : 'newline_delimited';
  const settings = `format = '${format}', compression = 'uncompressed', maximum_object_size = ${MAX_RECORD}`;
  const objects = `read_json_objects(${pathLiteral(path)}, ${settings})`;
  const keys = (sql: string) =>
    db.rows<[string]>(sql).catch((error: Error) => {
      throw unparsable(source, error);
    });
  const first = await keys(`SELECT unnest(json_keys(json)) FROM (SELECT json FROM ${objects} LIMIT 1)`);
  const all = await keys(`SELECT DISTINCT unnest(json_keys(json)) FROM ${objects}`);
  if (all.length > MAX_COLUMNS) throw tooWide(source.file, all.length);
  const found = [...new Set([...first.flat(), ...all.flat().sort()])];
  const columns = found.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ');
  const select = (names: readonly string[]) =>
    `SELECT ${names.map((name, at) => `nullif(${identifier(name)}, '') AS c${at}`).join(', ')}
      FROM read_json(${pathLiteral(path)}, ${settings}, columns = {${columns}})`;
  return { found, select };
}

async function readingParquet(db: Database, source: Source): Promise<Reading> {
  const { file } = source;
  const path = pathLiteral(file);
  const read = <Row extends readonly unknown[]>(sql: string) =>
    db.rows<Row>(sql).catch((error: Error) => {
      throw unparsable(source, error);
    });
  const [[rows, groups]] = (await read<[number, number]>(
    `SELECT num_rows, num_row_groups FROM parquet_file_metadata(${path})`,
  )) as [[number, number]];
  const [[width]] = (await read<[number]>(`SELECT count(*) - 1 FROM parquet_schema(${path})`)) as [[number]];
  if (width > MAX_COLUMNS) throw tooWide(file, width);
  if (rows === 0) throw noRows(file, width);
  const cells = rows * width;
  if (groups * width > cells || (cells > FREE_CELLS && cells > CELLS_PER_BYTE * source.bytes)) throw bomb(source);
  const [[unpacked]] = (await read<[number]>(
    `SELECT sum(total_uncompressed_size)::DOUBLE FROM parquet_metadata(${path})`,
  )) as [[number]];
  if (unpacked > FREE_BYTES && unpacked > MOST_RATIO * source.bytes) throw bomb(source);
  const columns = await read<[string, string]>(
    `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(${path}))`,
  );
  const odd = columns.filter(([, type]) => !PLAIN_TYPES.test(type));
  if (odd.length > 0) {
    const list = odd.map(([name, type]) => `${name} is ${type.slice(0, 40)}`).join(', ');
    throw new HokusaiError('terminal', 'TABLE_COLUMN_TYPE', `${file}: no plain values in these columns: ${list}`, {
      details: { file, columns: odd.map(([name]) => name) },
      next: 'Write numbers, texts, dates and booleans, one value in each cell.',
    });
  }
  const found = columns.map(([name]) => name);
  const select = (names: readonly string[]) =>
    `SELECT ${names.map((name, at) => `nullif(CAST(${identifier(name)} AS VARCHAR), '') AS c${at}`).join(', ')}
      FROM read_parquet(${path})`;
  return { found, rows, select };
}

async function copy(db: Database, source: Source, sql: string): Promise<void> {
  await db.run(sql).catch((error: Error) => {
    throw unparsable(source, error);
  });
}

async function count(db: Database, table: string): Promise<number> {
  return (await db.rows<[number]>(`SELECT count(*) FROM ${table}`))[0]![0];
}

/** JSON and Parquet can hold what no text file can, and what other formats could not say. */
async function refuseNul(db: Database, { path, table, names }: Dataset): Promise<void> {
  const columns = names.map((_, at) => `min(rowid) FILTER (contains(c${at}, chr(0)))`);
  const [found] = await db.rows<(number | null)[]>(`SELECT ${columns.join(', ')} FROM ${table}`);
  const at = found!.findIndex((row) => row !== null);
  if (at < 0) return;
  const row = found![at]! + 1;
  throw new HokusaiError('terminal', 'CELL_NUL', `${path}: a NUL character in column ${names[at]}, row ${row}`, {
    details: { path, column: names[at], row },
    next: 'Remove it.',
  });
}

/** What is said of a file that DuckDB cannot read. Its own message may quote the row, so it is not passed on. */
function unparsable({ file, format }: Source, error?: Error): HokusaiError {
  const message = error?.message ?? '';
  if (/^Out of Memory/i.test(message)) {
    return new HokusaiError('terminal', 'TABLE_TOO_LARGE', `${file}: a part of it does not fit into memory`, {
      details: { file },
      next: 'Write smaller row groups or shorter texts, or allow more by --memory.',
    });
  }
  const [, line] = /in line (\d+)|record\/value (\d+)/.exec(message)?.filter(Boolean) ?? [];
  const [code, what] = {
    csv: ['CSV_UNPARSABLE', 'the quotes do not follow RFC 4180'] as const,
    json: ['JSON_UNPARSABLE', 'not an array of objects with distinct keys'] as const,
    ndjson: ['JSON_UNPARSABLE', 'not one object with distinct keys in each line'] as const,
    parquet: ['PARQUET_UNREADABLE', 'not a Parquet file that can be read to its end'] as const,
  }[format];
  return new HokusaiError('terminal', code, `${file}${line ? `, record ${line}` : ''}: ${what}`, {
    details: { file, format, ...(line && { record: Number(line) }) },
    next: 'Write the file again, or name its --format.',
  });
}

function refuseNames(file: string, names: readonly string[]): void {
  const unnamed = names.flatMap((name, column) => (name === '' ? [column + 1] : []));
  if (unnamed.length > 0) {
    throw new HokusaiError('terminal', 'TABLE_COLUMN_UNNAMED', `${file}: no name for column ${unnamed.join(', ')}`, {
      details: { file, columns: unnamed },
      next: 'Name each column.',
    });
  }
  const seen = new Set<string>();
  const twice = names.filter((name) => seen.size === seen.add(name.toLowerCase()).size);
  if (twice.length === 0) return;
  const text = `${file}: column ${twice.join(', ')} occurs twice, upper and lower case being the same`;
  throw new HokusaiError('terminal', 'TABLE_COLUMN_TWICE', text, {
    details: { file, columns: twice },
    next: 'Give each column a name of its own.',
  });
}

function refuseOtherColumns(file: string, names: readonly string[], found: readonly string[]): void {
  const [absent, unknown] = [
    names.filter((name) => !found.includes(name)),
    found.filter((name) => !names.includes(name)),
  ];
  if (absent.length + unknown.length === 0) return;
  const parts = [
    absent.length > 0 && `without ${absent.join(', ')}`,
    unknown.length > 0 && `with ${unknown.join(', ')}`,
  ];
  throw new HokusaiError(
    'terminal',
    'TABLE_COLUMNS_DIFFER',
    `${file}: other columns than the first file: ${parts.filter(Boolean).join(', ')}`,
    { details: { file, absent, unknown }, next: 'Give files with the same columns.' },
  );
}

function tooWide(file: string, columns: number): HokusaiError {
  return new HokusaiError(
    'terminal',
    'TABLE_TOO_WIDE',
    `${file}: ${columns} columns, at most ${MAX_COLUMNS} are read`,
    {
      details: { file, columns, limit: MAX_COLUMNS },
      next: 'Leave out columns, or write them as rows.',
    },
  );
}

function bomb({ file, bytes }: Source): HokusaiError {
  const text = `${file} says that it holds far more than ${bytes} bytes can: it is refused as a decompression bomb`;
  return new HokusaiError('terminal', 'PARQUET_BOMB', text, {
    details: { file, bytes },
    next: 'Write it again with less compression, where that is really its content.',
  });
}

function noRows(path: string, columns: number): HokusaiError {
  return new HokusaiError('terminal', 'TABLE_NO_ROWS', `${path} has columns and no rows`, {
    details: { path, columns },
    next: 'Give a table with at least one row.',
  });
}
