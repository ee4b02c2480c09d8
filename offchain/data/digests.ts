import { hash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { dataRootFrom, packedRoot } from '../data-root.ts';
import type { Hashes } from '../rows-tree.ts';
import { type Database, literal, pathLiteral } from './database.ts';
import { eachLine, LinesFile } from './lines.ts';
import type { Profiled } from './profile.ts';

/** Which columns tell rows apart. */
export interface RowForm {
  readonly label?: string | undefined;
  readonly ignored: readonly string[];
}

interface Member {
  readonly name: string;
  readonly at: number;
}

/** The columns that tell rows apart, as canonical JSON has them in order. */
function membersOf({ names }: Pick<Profiled, 'names'>, { ignored }: RowForm): Member[] {
  const used = names.map((name, at) => ({ name, at })).filter(({ name }) => !ignored.includes(name));
  return used.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * SQL for a number of 64 bits by which rows are told apart, `key`, and one without the label, `features`. Two rows of ten
 * million share one by chance with a probability of 1 in 400,000, so what is decided by it is checked by digest.
 *
 * @param names of the columns, in an order that is the same for all tables that are compared; others count as missing
 */
async function keysOf(db: Database, table: Profiled, form: RowForm, names: readonly string[]): Promise<string> {
  const keys = db.name('keys');
  const cell = (name: string) => (table.names.includes(name) ? `k${table.names.indexOf(name)}` : 'NULL::VARCHAR');
  const hashed = (wanted: readonly string[]) =>
    wanted.length === 0 ? '0::UBIGINT' : `hash(${wanted.map(cell).join(', ')})`;
  const both = `${hashed(names)} AS key, ${hashed(names.filter((name) => name !== form.label))} AS features`;
  await db.run(`CREATE TABLE ${keys} AS SELECT row, ${both} FROM ${table.cells}`);
  return keys;
}

/** Keys of tables that are compared with each other: a table of `row`, `key` and `features` for each. */
export async function compareKeys(db: Database, tables: readonly Profiled[], form: RowForm): Promise<string[]> {
  const names = [...new Set(tables.flatMap((table) => membersOf(table, form).map(({ name }) => name)))].sort();
  const keys: string[] = [];
  for (const table of tables) keys.push(await keysOf(db, table, form, names));
  return keys;
}

/** Around a label, so that a text with it becomes one without it; canonical JSON has no control characters. */
const MARK = 1;
const [COMMA, OPENING] = [0x2c, 0x7b];

/**
 * SQL for a row's canonical JSON, each member after a comma: `,"a":"1","b":"2"}`. With `label`, there is a mark before
 * and after its member.
 */
export function rowText(table: Pick<Profiled, 'names' | 'profile'>, form: RowForm, label?: string): string {
  const parts = membersOf(table, form).flatMap(({ name, at }) => {
    const { escaped, complete } = table.profile[at]!;
    const value = escaped ? [`canonical_string(k${at})`] : [`'"'`, `k${at}`, `'"'`];
    const texts = [literal(`,${JSON.stringify(name)}:`), ...value];
    // Nothing of a missing cell is left by ||, and what is around it by concat, which is faster.
    const member = complete ? texts : [texts.join(' || ')];
    return name === label ? [`chr(${MARK})`, ...member, `chr(${MARK})`] : member;
  });
  return `concat(${[...parts, "'}'"].join(', ')})`;
}

/**
 * The digests of all rows: SHA-256 over canonical JSON of an object from column name to canonical text, as `canonicalRow`
 * has it; missing cells and ignored columns are left out. Texts go through a file, because Node hashes them in a fifth of
 * the time that DuckDB takes.
 *
 * @returns a table of `row`, `digest` and `features`, the latter without the label; hexadecimal digits
 */
export async function digestRows(db: Database, table: Profiled, form: RowForm): Promise<string> {
  const label = membersOf(table, form).find(({ name }) => name === form.label)?.name;
  const [texts, hashes] = [join(db.directory, db.name('texts')), join(db.directory, db.name('hashes'))];
  const nothing = "HEADER false, DELIM '\x02', QUOTE '\x03', ESCAPE '\x03'";
  await db.run(
    `COPY (SELECT ${rowText(table, form, label)} FROM ${table.cells}) TO ${pathLiteral(texts)} (FORMAT csv, ${nothing})`,
  );
  writeDigests(texts, hashes, label !== undefined);
  rmSync(texts);
  const digests = db.name('digests');
  await db.run(`CREATE TABLE ${digests} AS SELECT row, digest, ${label === undefined ? 'digest AS features' : 'features'}
    FROM read_csv(${pathLiteral(hashes)}, auto_detect = false, header = false, delim = ',',
      columns = {'row': 'BIGINT', 'digest': 'VARCHAR'${label === undefined ? '' : ", 'features': 'VARCHAR'"}})`);
  rmSync(hashes);
  return digests;
}

/** Writes the number and the digest of each line of texts, and where it has marks, the digest of what is around them. */
function writeDigests(texts: string, hashes: string, marked: boolean): void {
  const output = new LinesFile(hashes);
  let row = 0;
  eachLine(texts, (line) => {
    row++;
    if (!marked) return output.add(`${row},${digestOf(line)}\n`);
    const first = line.indexOf(MARK);
    line.copyWithin(first, first + 1);
    const second = line.indexOf(MARK, first);
    line.copyWithin(second, second + 1);
    const digest = digestOf(line.subarray(0, -2));
    line.copyWithin(first, second, line.length - 2);
    output.add(`${row},${digest},${digestOf(line.subarray(0, first - second - 2))}\n`);
  });
  output.close();
}

/** Of an object's text that lacks its opening brace, or has a comma in its place, which it overwrites. */
function digestOf(text: Buffer): string {
  if (text[0] === COMMA) text[0] = OPENING;
  return hash('sha256', text[0] === OPENING ? text : EMPTY, 'hex');
}

const EMPTY = '{}';

const AT_ONCE = 16_384;

/** A column of digests as the words that a tree is made of: 32 bytes for each row. */
export async function packDigests(db: Database, table: string, column: 'digest' | 'features'): Promise<Hashes> {
  const [[rows]] = (await db.rows<[number]>(`SELECT count(*) FROM ${table}`)) as [[number]];
  const packed = new Uint32Array(8 * rows);
  const bytes = new Uint8Array(packed.buffer);
  for (let from = 0; from < rows; from += AT_ONCE) {
    const [[hex]] = (await db.rows<[string]>(
      `SELECT string_agg(${column}, '') FROM ${table} WHERE rowid >= ${from} AND rowid < ${from + AT_ONCE}`,
    )) as [[string]];
    bytes.set(Buffer.from(hex, 'hex'), 32 * from);
  }
  return packed;
}

export interface Roots {
  readonly dataRoot: Hex;
  readonly rowsRoot: Hex;
  readonly featuresRoot: Hex;
  /** Distinct ones. */
  readonly rows: number;
}

/** The roots over a table of digests: those of `dataRootOf` over the same rows, to the bit. */
export async function rootsOf(db: Database, digests: string, secret: Uint8Array): Promise<Roots> {
  const { root: rowsRoot, rows } = packedRoot(await packDigests(db, digests, 'digest'), secret);
  const { root: featuresRoot } = packedRoot(await packDigests(db, digests, 'features'), secret);
  return { dataRoot: dataRootFrom(rowsRoot, featuresRoot, rows), rowsRoot, featuresRoot, rows };
}
