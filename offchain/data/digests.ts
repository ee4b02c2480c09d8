import { hash } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { dataRootFrom, packedRoot } from '../table/data-root.ts';
import type { Hashes } from '../table/rows-tree.ts';
import { type Database, literal } from './database.ts';
import { eachLine } from './lines.ts';
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
  const hashed = (cells: readonly string[]) => (cells.length === 0 ? '0::UBIGINT' : `hash(${cells.join(', ')})`);
  const features = hashed(names.filter((name) => name !== form.label).map(cell));
  const label = names.filter((name) => name === form.label).map(cell);
  const key = hashed(['features', ...label]);
  await db.run(`CREATE TABLE ${keys} AS SELECT row, ${key} AS key, features FROM
    (SELECT *, ${features} AS features FROM ${table.cells})`);
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
    const before = `,${JSON.stringify(name)}:`;
    const texts = escaped ? [literal(before), `canonical_string(k${at})`] : [literal(`${before}"`), `k${at}`, `'"'`];
    // Nothing of a missing cell is left by ||, and what is around it by concat, which is faster.
    const member = complete ? texts : [texts.join(' || ')];
    return name === label ? [`chr(${MARK})`, ...member, `chr(${MARK})`] : member;
  });
  return `concat(${[...parts, "'}'"].join(', ')})`;
}

/** The digests of the rows of a table, in files: `BYTES` for each row, in their order. */
export interface Digests {
  readonly rows: number;
  /** Of whole rows, and of their features: without the label. */
  readonly whole: string;
  readonly features: string;
}

/** Of a digest. */
export const BYTES = 32;

/**
 * The digests of all rows: SHA-256 over canonical JSON of an object from column name to canonical text, as `canonicalRow`
 * has it; missing cells and ignored columns are left out. Texts go through a file, because Node hashes them in a fifth of
 * the time that DuckDB takes.
 */
export async function digestRows(db: Database, table: Profiled, form: RowForm): Promise<Digests> {
  const label = membersOf(table, form).find(({ name }) => name === form.label)?.name;
  const texts = join(db.directory, db.name('texts'));
  await db.writeLines(`SELECT ${rowText(table, form, label)} FROM ${table.cells}`, texts);
  const whole = join(db.directory, db.name('digests'));
  const features = label === undefined ? whole : join(db.directory, db.name('features'));
  writeDigests(texts, whole, label === undefined ? undefined : features);
  rmSync(texts);
  return { rows: table.rows, whole, features };
}

/** Writes the digest of each line of texts, and where the lines have marks, into another file that of what is around them. */
function writeDigests(texts: string, whole: string, features: string | undefined): void {
  const [rows, others] = [new DigestFile(whole), features === undefined ? undefined : new DigestFile(features)];
  eachLine(texts, (line) => {
    if (!others) return rows.add(line);
    const first = line.indexOf(MARK);
    line.copyWithin(first, first + 1);
    const second = line.indexOf(MARK, first);
    line.copyWithin(second, second + 1);
    rows.add(line.subarray(0, -2));
    line.copyWithin(first, second, line.length - 2);
    others.add(line.subarray(0, first - second - 2));
  });
  rows.close();
  others?.close();
}

/** Digests one after the other in a new file. */
class DigestFile {
  readonly #descriptor: number;
  readonly #block = Buffer.alloc(BYTES * 4096);
  #filled = 0;

  constructor(file: string) {
    this.#descriptor = openSync(file, 'wx', 0o600);
  }

  /** @param text of an object, without its opening brace or with a comma in its place, which it overwrites */
  add(text: Buffer): void {
    if (text[0] === COMMA) text[0] = OPENING;
    // A string is handed over twice as fast as a buffer.
    const digest = hash('sha256', text[0] === OPENING ? text : EMPTY, 'binary');
    this.#filled += this.#block.write(digest, this.#filled, 'latin1');
    if (this.#filled === this.#block.length) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#descriptor);
  }

  #flush(): void {
    writeSync(this.#descriptor, this.#block, 0, this.#filled);
    this.#filled = 0;
  }
}

const EMPTY = '{}';

/** Digests of a file with the rows, from 0, that they are of: as many as a block holds at a time. */
export function* digestsIn(file: string): Generator<{ firstRow: number; bytes: Buffer }> {
  const descriptor = openSync(file, 'r');
  try {
    const block = Buffer.alloc(BYTES * 2 ** 15);
    for (let firstRow = 0; ; ) {
      const read = readSync(descriptor, block, 0, block.length, BYTES * firstRow);
      if (read === 0) return;
      yield { firstRow, bytes: block.subarray(0, read) };
      firstRow += read / BYTES;
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Digests as the words that a tree is made of, in the order of rows.
 *
 * @param kept the rows, from 0, whose are wanted, in any order; else all
 */
export function packDigests(file: string, rows: number, kept?: Uint32Array): Hashes {
  const wanted = new Uint8Array(rows).fill(kept ? 0 : 1);
  for (const row of kept ?? []) wanted[row] = 1;
  const packed = new Uint32Array((BYTES / 4) * (kept?.length ?? rows));
  const into = new Uint8Array(packed.buffer);
  let filled = 0;
  for (const { firstRow, bytes } of digestsIn(file)) {
    for (let at = 0; at < bytes.length; at += BYTES) {
      if (wanted[firstRow + at / BYTES] === 0) continue;
      into.set(bytes.subarray(at, at + BYTES), filled);
      filled += BYTES;
    }
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

/**
 * The roots over digests: those of `dataRootOf` over the same rows, to the bit.
 *
 * @param kept the rows, from 0, that are committed to; else all
 */
export function rootsOf(digests: Digests, secret: Uint8Array, kept?: Uint32Array): Roots {
  const { root: rowsRoot, rows } = packedRoot(packDigests(digests.whole, digests.rows, kept), secret);
  const { root: featuresRoot } = packedRoot(packDigests(digests.features, digests.rows, kept), secret);
  return { dataRoot: dataRootFrom(rowsRoot, featuresRoot, rows), rowsRoot, featuresRoot, rows };
}
